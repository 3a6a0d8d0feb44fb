// SPDX-License-Identifier: Apache-2.0
// A file that was chosen, and how far it has come.

// new: nothing is known of it; bad: it cannot be sent at all; ignored: by the repository; known: the hub
// said how it wants it; then hashing, asking, sending, pausing (nobody answers), finishing; failed;
// ready: it can be committed; committed.
export class Item {
  constructor(file, path, changed) {
    this.file = file;
    this.path = path;
    this.size = file.size;
    this.state = "new";
    this.wrong = "";
    this.isLarge = false;
    this.before = null;
    this.oid = null;
    this.arrived = 0;
    this.hashed = 0;
    this.until = 0;
    this.hurry = null;
    this.stopping = new AbortController();
    this.moving = new Map();
    this.changed = changed;
  }

  // How many bytes the hub has, and those on their way.
  get sent() {
    let sum = this.arrived;
    for (const bytes of this.moving.values()) sum += bytes;
    return Math.min(sum, this.size);
  }

  get isUnderWay() {
    return ["hashing", "asking", "sending", "pausing", "finishing"].includes(this.state);
  }

  // Whether the repository has just this file under this name.
  get isUnchanged() {
    return this.isLarge && this.oid !== null && this.oid === this.before;
  }

  become(state, more = {}) {
    Object.assign(this, { until: 0, wrong: "" }, more, { state });
    if (state !== "sending") this.moving.clear();
    this.changed(this);
  }

  // The hub has so many bytes; `part` of them are no longer on their way.
  arrives(bytes, part = 0) {
    this.moving.delete(part);
    this.arrived = bytes;
    this.changed(this);
  }

  moves(part, bytes) {
    this.moving.set(part, bytes);
    this.changed(this);
  }

  stop() {
    this.stopping.abort();
    this.stopping = new AbortController();
  }
}
