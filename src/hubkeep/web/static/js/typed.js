// SPDX-License-Identifier: Apache-2.0
// A form with `data-typed` can be sent once that text stands in its field. The hub looks again.

export function typing(form) {
  const field = form.querySelector("input:not([type='hidden'])");
  const button = form.querySelector("button");
  const look = () => {
    button.disabled = field.value.trim() !== form.dataset.typed;
  };
  field.addEventListener("input", look);
  look();
}
