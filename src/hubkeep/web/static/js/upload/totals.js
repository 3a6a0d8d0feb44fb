// SPDX-License-Identifier: Apache-2.0
// How far all files together have come: for the eye all the time, for the ear now and then.

import { files, percent, size, time } from "./words.js";

const WINDOW_MS = 8000;

export class Totals {
  #part;
  #seen = [];
  #quarter = 0;

  constructor(part) {
    this.#part = part;
  }

  begin(items) {
    this.#seen = [];
    this.#quarter = 0;
    this.#part("totals").hidden = false;
    this.say(`Uploading ${files(items.length)}`);
  }

  end() {
    this.#part("totals").hidden = true;
  }

  say(text) {
    this.#part("said").textContent = text;
  }

  line(text) {
    this.#part("total-text").textContent = text;
  }

  show(items, isRunning) {
    if (!isRunning || !items.length) return;
    const large = items.filter((item) => item.isLarge && !item.isUnchanged);
    const whole = large.reduce((sum, item) => sum + item.size, 0);
    const sent = large.reduce((sum, item) => sum + (item.state === "ready" ? item.size : item.sent), 0);
    const ready = items.filter((item) => item.state === "ready").length;
    if (ready === items.length) return;
    this.#part("total").value = whole ? sent / whole : ready / items.length;
    this.line(this.#told(ready, items.length, sent, whole));
    this.#speak(items, sent, whole);
  }

  #told(ready, count, sent, whole) {
    const words = [`${ready} of ${files(count)}`];
    if (whole) words.push(`${size(sent)} of ${size(whole)}`);
    const speed = this.#speed(sent);
    if (speed > 0 && sent < whole) {
      words.push(`${size(Math.round(speed))}/s`, `about ${time((whole - sent) / speed)} left`);
    }
    return words.join(" · ");
  }

  // Bytes in a second, of late.
  #speed(sent) {
    const now = performance.now();
    this.#seen.push([now, sent]);
    while (this.#seen[0][0] < now - WINDOW_MS) this.#seen.shift();
    const [[start, before]] = this.#seen;
    return now - start > 1000 ? (1000 * (sent - before)) / (now - start) : 0;
  }

  #speak(items, sent, whole) {
    const quarter = whole ? Math.floor((4 * sent) / whole) : 0;
    const isPausing = items.some((item) => item.state === "pausing");
    if (isPausing && !this.isPausing) this.say("The hub does not answer. Trying again.");
    else if (quarter > this.#quarter) this.say(`${percent(quarter, 4)} uploaded`);
    this.#quarter = Math.max(quarter, this.#quarter);
    this.isPausing = isPausing;
  }
}
