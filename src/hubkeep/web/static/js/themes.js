// SPDX-License-Identifier: Apache-2.0
// Light, dark, or as the system has it: kept in a cookie, so that the next page comes as chosen.

const YEAR = 31_536_000;

export function themes(root) {
  for (const group of root.querySelectorAll("[data-themes]")) {
    const buttons = [...group.querySelectorAll("button")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        keep(button.value);
        show(button.value);
        mark(buttons);
      });
    }
    mark(buttons);
    group.hidden = false;
  }
}

function keep(theme) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  const age = theme ? YEAR : 0;
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax${secure}`;
}

function show(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

function mark(buttons) {
  const current = document.documentElement.dataset.theme ?? "";
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.value === current));
  }
}
