// SPDX-License-Identifier: Apache-2.0
// The list of files: a row for each, brought up to date a few times a second.

import { percent, size, time, write } from "./words.js";

const EVERY_MS = 200;

export class List {
  #list;
  #row;
  #rows = new Map();
  #dirty = new Set();
  #timer = 0;
  #acts;

  // `acts` has `remove(item)`, and `shown()`, which is called after rows were brought up to date.
  constructor(list, row, acts) {
    this.#list = list;
    this.#row = row;
    this.#acts = acts;
  }

  add(item) {
    const element = this.#row.content.firstElementChild.cloneNode(true);
    const part = (name) => element.querySelector(`[data-part="${name}"]`);
    const row = { element, part };
    write(part("name"), item.path);
    part("size").textContent = size(item.size);
    part("bar").setAttribute("aria-label", item.path);
    part("remove").setAttribute("aria-label", `Remove ${item.path}`);
    part("remove").addEventListener("click", () => this.#acts.remove(item));
    part("now").addEventListener("click", () => item.hurry?.());
    this.#rows.set(item, row);
    this.#list.append(element);
    this.#draw(item);
  }

  // The focus stays in the list: it goes to the next row, or to the one before.
  remove(item) {
    const { element } = this.#rows.get(item);
    const hadFocus = element.contains(document.activeElement);
    const near = element.nextElementSibling ?? element.previousElementSibling;
    this.#rows.delete(item);
    this.#dirty.delete(item);
    element.remove();
    if (hadFocus) near?.querySelector('[data-part="remove"]').focus();
    return hadFocus && !near;
  }

  changed(item) {
    if (!this.#rows.has(item)) return;
    this.#dirty.add(item);
    this.#timer ||= setTimeout(() => this.draw(), EVERY_MS);
  }

  draw() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    for (const item of this.#dirty) this.#draw(item);
    const pausing = [...this.#dirty].filter((item) => item.state === "pausing");
    this.#dirty.clear();
    for (const item of pausing) this.changed(item); // whose seconds go by
    this.#acts.shown();
  }

  #draw(item) {
    const { element, part } = this.#rows.get(item);
    const bar = part("bar");
    const isReading = item.state === "hashing";
    element.dataset.state = item.state;
    part("state").textContent = told(item);
    part("mark").hidden = item.before === null || item.isUnchanged;
    part("now").hidden = item.state !== "pausing";
    bar.hidden = !item.isUnderWay;
    bar.classList.toggle("reading", isReading);
    bar.value = item.size ? (isReading ? item.hashed : item.sent) / item.size : 1;
  }
}

function told(item) {
  switch (item.state) {
    case "new":
      return "Asking the hub";
    case "hashing":
      return `Reading, ${percent(item.hashed, item.size)}`;
    case "asking":
      return "Asking the hub";
    case "sending":
      return `Sending, ${percent(item.sent, item.size)}`;
    case "pausing":
      return `No answer from the hub: trying again in ${time((item.until - Date.now()) / 1000)}`;
    case "finishing":
      return "Sent, and being checked by the hub";
    case "ready":
      if (item.isUnchanged) return "Unchanged: the hub has it";
      return item.isLarge ? "On the hub" : "Goes into the commit";
    case "failed":
    case "bad":
      return item.wrong;
    default:
      return "";
  }
}
