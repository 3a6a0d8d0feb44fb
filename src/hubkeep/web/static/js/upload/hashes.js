// SPDX-License-Identifier: Apache-2.0
// Hashes of files, computed by a worker.

import { Unreadable } from "./errors.js";

export class Hashes {
  #worker;
  #asked = new Map();
  #last = 0;

  constructor(address) {
    this.#worker = new Worker(address, { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => this.#told(data));
    this.#worker.addEventListener("error", (event) => this.#broken(event));
  }

  // Returns the sha256 of a file in hexadecimal digits; `told` hears how many bytes are done.
  // Throws Unreadable, and what the signal was given for a reason.
  of(file, signal, told) {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const id = ++this.#last;
      const stop = () => {
        this.#asked.delete(id);
        this.#worker.postMessage({ id, stop: true });
        reject(signal.reason);
      };
      signal.addEventListener("abort", stop, { once: true });
      const over = () => signal.removeEventListener("abort", stop);
      this.#asked.set(id, { file, resolve, reject, told, over });
      this.#worker.postMessage({ id, file });
    });
  }

  #told({ id, done, hex }) {
    const asked = this.#asked.get(id);
    if (!asked) return;
    if (done !== undefined) {
      asked.told(done);
      return;
    }
    this.#asked.delete(id);
    asked.over();
    if (hex) asked.resolve(hex);
    else asked.reject(new Unreadable(asked.file));
  }

  #broken(event) {
    for (const asked of this.#asked.values()) {
      asked.over();
      asked.reject(new Error(event.message || "The files cannot be hashed: reload the page"));
    }
    this.#asked.clear();
  }
}
