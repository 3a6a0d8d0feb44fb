// SPDX-License-Identifier: Apache-2.0
// Lines of a text that the address names: `#L10` and `#L10-L20`. A click on a number names its line,
// one with the shift key all lines from the one named before.

const NAMED = /^#L(\d+)(?:-L(\d+))?$/;

export function lines(source) {
  source.addEventListener("click", (event) => {
    const link = event.target.closest(".at a");
    if (!link || !event.shiftKey) return;
    const before = named();
    if (!before) return;
    event.preventDefault();
    const line = Number(link.textContent);
    const [first, last] = [Math.min(before[0], line), Math.max(before[0], line)];
    history.replaceState(null, "", first === last ? `#L${first}` : `#L${first}-L${last}`);
    mark(source);
  });
  addEventListener("hashchange", () => show(source));
  show(source);
}

function named() {
  const found = NAMED.exec(location.hash);
  if (!found) return null;
  const [first, last] = [Number(found[1]), Number(found[2] ?? found[1])];
  return [Math.min(first, last), Math.max(first, last)];
}

function show(source) {
  mark(source)?.scrollIntoView({ block: "center" });
}

// Marks the lines that the address names, and returns the first of them.
function mark(source) {
  for (const row of source.querySelectorAll("tr.named")) row.classList.remove("named");
  const range = named();
  if (!range) return null;
  const rows = [...source.querySelectorAll("tr")].slice(range[0] - 1, range[1]);
  for (const row of rows) row.classList.add("named");
  return rows[0];
}
