// SPDX-License-Identifier: Apache-2.0
// Buttons with `data-copy` copy the text of the `pre` beside them, or of the element that the
// attribute names by its id. They are hidden in the page and shown here: they need the script.

const SAID_FOR = 2000;

export function copying(root) {
  const said = document.createElement("div");
  said.className = "unseen";
  said.setAttribute("aria-live", "polite");
  for (const button of root.querySelectorAll("[data-copy]")) {
    const source = sourceOf(button);
    if (!source || !navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", () => copy(button, source, said));
  }
  document.body.append(said);
}

function sourceOf(button) {
  const id = button.dataset.copy;
  return id ? document.getElementById(id) : button.parentElement.querySelector("pre");
}

async function copy(button, source, said) {
  const before = button.dataset.before ?? button.textContent;
  button.dataset.before = before;
  try {
    await navigator.clipboard.writeText((source.value ?? source.textContent).trimEnd());
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  said.textContent = button.textContent;
  clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = String(
    setTimeout(() => {
      button.textContent = before;
      said.textContent = "";
    }, SAID_FOR),
  );
}
