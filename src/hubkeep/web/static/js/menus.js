// SPDX-License-Identifier: Apache-2.0
// Menus are `details`, which open without a script; this closes them again when one looks away.

const OPEN = "details.menu[open]";

export function menus(root) {
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = root.querySelector(OPEN);
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  root.addEventListener("click", (event) => {
    for (const menu of root.querySelectorAll(OPEN)) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  root.addEventListener("focusin", (event) => {
    for (const menu of root.querySelectorAll(OPEN)) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}
