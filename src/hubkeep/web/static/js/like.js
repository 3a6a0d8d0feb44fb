// SPDX-License-Identifier: Apache-2.0
// The button that likes a repository, without loading the page again. Where that fails the form is
// sent as it would be without this script, so the page that follows says why.

const exactly = new Intl.NumberFormat("en");

export function liking(form) {
  const button = form.querySelector("button");
  const counter = form.parentElement.querySelector("[data-likes]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const likes = button.getAttribute("aria-pressed") !== "true";
    button.disabled = true;
    const headers = { "X-CSRF-Token": form.elements.csrf.value };
    const method = likes ? "POST" : "DELETE";
    const answer = await fetch(form.dataset.like, { method, headers }).catch(() => null);
    button.disabled = false;
    if (!answer?.ok) {
      form.submit();
      return;
    }
    show(button, form, likes);
    if (counter) count(counter, likes ? 1 : -1);
    button.focus();
  });
}

function show(button, form, likes) {
  button.setAttribute("aria-pressed", String(likes));
  form.action = form.action.replace(/[^/]+$/, likes ? "unlike" : "like");
}

function count(counter, change) {
  const likes = Math.max(0, Number(counter.dataset.likes) + change);
  counter.dataset.likes = String(likes);
  // Long counts are shortened by the hub ("12k"), and one more does not show in them.
  if (likes < 1000) counter.textContent = String(likes);
  const word = likes === 1 ? "like" : "likes";
  counter.setAttribute("aria-label", `${exactly.format(likes)} ${word}: who likes it`);
}
