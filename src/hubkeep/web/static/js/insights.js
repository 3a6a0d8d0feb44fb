// SPDX-License-Identifier: Apache-2.0
// Figures: draws the chart of a page from the page's own data, again when the theme or the width
// changes, and gives it away as a picture.

const NARROWER = 4; // pixels; less is a scroll bar that comes and goes

export async function insights(holder) {
  const [answer] = await Promise.all([fetch(holder.dataset.chart), scripts()]);
  if (!answer.ok) {
    holder.textContent = "The chart could not be loaded: open the page again, or look at the table.";
    return;
  }
  const { figure, heading } = await answer.json();
  const spec = filled(figure);
  let width = 0;
  const draw = () => {
    width = holder.clientWidth;
    hubkeepCharts.draw(holder, spec);
  };
  draw();
  new ResizeObserver(() => {
    if (Math.abs(holder.clientWidth - width) > NARROWER) requestAnimationFrame(draw);
  }).observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.querySelector("[data-themes]")?.addEventListener("click", draw);
  for (const button of document.querySelectorAll("[data-picture]")) {
    button.hidden = false;
    button.addEventListener("click", () => give(spec, heading, figure.id, button.dataset.picture));
  }
}

// Leave out of an address what says nothing, so that it can be read and passed on: what is empty,
// and what would hold anyway, which the attribute has as addresses do.
export function tidying(form) {
  const anyway = new URLSearchParams(form.dataset.tidy);
  form.addEventListener("submit", () => {
    for (const field of form.elements) {
      if (field.name && (field.value === "" || field.value === anyway.get(field.name))) {
        field.disabled = true;
      }
    }
    // Who comes back by the browser's button finds the fields as they were.
    addEventListener("pagehide", () => {
      for (const field of form.elements) field.disabled = false;
    }, { once: true });
  });
}

// Vega and what draws with it are no modules: they have run when the page is parsed.
function scripts() {
  if (globalThis.hubkeepCharts) return null;
  return new Promise((done) => addEventListener("DOMContentLoaded", done, { once: true }));
}

function filled({ chart, table, points }) {
  const named = Object.entries({ table, ...points });
  return { ...chart, datasets: Object.fromEntries(named.map(([name, one]) => [name, rows(one)])) };
}

function rows({ columns, rows: cells }) {
  return cells.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
}

async function give(spec, heading, id, kind) {
  const whole = { ...spec, background: "#ffffff", padding: 16, title: heading };
  const picture = kind === "png"
    ? await hubkeepCharts.png(whole, 2)
    : new Blob([await hubkeepCharts.svg(whole)], { type: "image/svg+xml" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(picture);
  link.download = `${id}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
