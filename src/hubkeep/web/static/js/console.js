// SPDX-License-Identifier: Apache-2.0
// The SQL console: Ctrl and Enter (on a Mac, Command) run what stands in the field.

export function asking(form) {
  form.elements.sql.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector('button[value="page"]'));
  });
}
