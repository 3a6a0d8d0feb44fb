// SPDX-License-Identifier: Apache-2.0
// The address at which a Space runs holds for a while. When it has ended the page says so: what the
// Space has loaded by then stays, and what it asks for after that is refused.

export function space(frame) {
  const over = document.querySelector("[data-space-over]");
  const end = performance.now() + Number(frame.dataset.space) * 1000;
  const look = () => {
    over.hidden = performance.now() < end;
    if (over.hidden) setTimeout(look, Math.max(1000, end - performance.now()));
  };
  look();
}
