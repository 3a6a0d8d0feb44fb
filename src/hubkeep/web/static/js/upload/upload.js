// SPDX-License-Identifier: Apache-2.0
// The page on which files are uploaded: what was chosen, one button that sends all of it and makes a
// commit, and what came of it.

import { check } from "./checking.js";
import { commit, tooMuch } from "./committing.js";
import { chosen, dropped } from "./drops.js";
import { advice, Refusal, Unreadable } from "./errors.js";
import { Hashes } from "./hashes.js";
import { Hub } from "./hub.js";
import { Item } from "./items.js";
import { List } from "./list.js";
import { leftOut, sameAs, wrongWith } from "./names.js";
import { Lanes, send } from "./sending.js";
import { Totals } from "./totals.js";
import { files as inFiles } from "./words.js";

const AT_ONCE = 3;
const MOST_FILES = 5000;
const FOR_ALL = [401, 403, 404, 507];

export function uploading(root) {
  new Upload(root).listen();
}

class Upload {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.hub = new Hub(root.dataset);
    this.hashes = null;
    this.lanes = new Lanes();
    this.items = [];
    this.omitted = new Map();
    this.parent = null;
    this.isRunning = false;
    this.isOver = false;
    this.hasRun = false;
    this.stopping = new AbortController();
    this.looking = Promise.resolve();
    this.totals = new Totals(this.part);
    this.list = new List(this.part("files"), this.part("row"), {
      remove: (item) => this.remove(item),
      shown: () => this.totals.show(this.items, this.isRunning),
    });
  }

  listen() {
    const zone = this.part("zone");
    for (const input of zone.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => this.add(chosen(input)));
    }
    // The whole page takes a drop: what misses the zone would make the browser leave the page.
    addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      zone.classList.add("over");
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) zone.classList.remove("over");
    });
    addEventListener("drop", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      zone.classList.remove("over");
      dropped(event.dataTransfer).then(
        (files) => this.add(files),
        (error) => this.alert("Not all of this could be read", error.message),
      );
    });
    this.part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.run();
    });
    this.part("stop").addEventListener("click", () => this.stopping.abort());
    this.part("drop-bad").addEventListener("click", () => this.removeBad());
    addEventListener("beforeunload", (event) => {
      if (this.isRunning) event.preventDefault();
    });
    this.root.hidden = false;
  }

  add(files) {
    if (this.isOver) return;
    this.alert("");
    const byName = new Map(this.items.map((item) => [sameAs(item.path), item]));
    for (const { file, path: below } of files) {
      const why = leftOut(below);
      const path = this.root.dataset.folder ? `${this.root.dataset.folder}/${below}` : below;
      const before = byName.get(sameAs(path));
      if (why) this.omit(why);
      else if (before && (before.isUnderWay || isSame(before, file, path))) continue;
      else if (this.items.length >= MOST_FILES) this.omit("too many at once: upload them with hf");
      else {
        if (before) this.drop(before);
        byName.set(sameAs(path), this.take(file, path));
      }
    }
    if (!files.length) this.alert("Nothing was in it", "An empty folder cannot be stored in git.");
    this.draw();
    this.look();
  }

  take(file, path) {
    const item = new Item(file, path, (one) => this.list.changed(one));
    const wrong = wrongWith(path);
    this.items.push(item);
    this.list.add(item);
    if (wrong) item.become("bad", { wrong });
    return item;
  }

  omit(why) {
    this.omitted.set(why, (this.omitted.get(why) ?? 0) + 1);
  }

  // Asks the hub about files that are new here, some at a time and one question after the other.
  look() {
    this.looking = this.looking.then(async () => {
      const fresh = this.items.filter((item) => item.state === "new");
      if (!fresh.length) return;
      try {
        this.parent = (await check(this.hub, fresh, this.stopping.signal)) ?? this.parent;
      } catch (error) {
        this.failed(error);
      }
      for (const item of fresh.filter((one) => one.state === "ignored")) {
        this.omit("named by .gitignore");
        this.drop(item);
      }
      this.draw();
    });
    return this.looking;
  }

  async run() {
    if (this.isRunning || this.isOver) return;
    this.isRunning = true;
    this.hasRun = true;
    this.stopping = new AbortController();
    this.alert("");
    this.totals.begin(this.items);
    this.focus("start", "stop");
    this.draw();
    try {
      if (await this.sendAll()) await this.commitAll();
    } catch (error) {
      this.failed(error);
    }
    this.isRunning = false;
    this.draw();
    if (!this.isOver) this.focus("stop", "start");
    this.totals.end();
  }

  // Moves the focus on from a button that goes away.
  focus(from, to) {
    if (document.activeElement === this.part(from)) this.part(to).focus();
  }

  // Sends all files, also those that come meanwhile; returns whether all can be committed now.
  async sendAll() {
    for (const item of this.items) if (item.state === "failed") item.become("known");
    for (;;) {
      await this.look();
      const queue = this.items.filter((item) => item.state === "known");
      if (!queue.length || this.stopping.signal.aborted) break;
      const some = async () => {
        while (queue.length && !this.stopping.signal.aborted) await this.sendOne(queue.shift());
      };
      await Promise.all(Array.from({ length: AT_ONCE }, some));
    }
    const failed = this.items.filter((item) => item.state === "failed").length;
    if (failed) {
      const what = "Try again, or remove what cannot be sent. All else stays on the hub.";
      this.alert(`${inFiles(failed)} could not be sent`, what);
    }
    return this.items.length > 0 && this.items.every((item) => item.state === "ready");
  }

  async sendOne(item) {
    if (!this.items.includes(item)) return;
    const signal = AbortSignal.any([this.stopping.signal, item.stopping.signal]);
    try {
      if (item.isLarge) await this.sendLarge(item, signal);
      item.become("ready");
    } catch (error) {
      if (signal.aborted) item.become("known");
      else if (error instanceof Refusal && FOR_ALL.includes(error.status)) {
        item.become("known");
        this.failed(error);
        this.stopping.abort();
      } else item.become("failed", { wrong: advice(error) });
    }
  }

  async sendLarge(item, signal) {
    if (!item.oid) {
      this.hashes ??= new Hashes(this.root.dataset.worker);
      item.become("hashing");
      item.oid = await this.hashes.of(item.file, signal, (done) => {
        item.hashed = done;
        item.changed(item);
      });
    }
    if (!item.isUnchanged) await send(this.hub, this.lanes, item, signal);
  }

  async commitAll() {
    const much = tooMuch(this.items);
    if (much) {
      this.alert("This is too much at once", much);
      return;
    }
    this.totals.say("Making the commit");
    this.totals.line("Making the commit");
    const summary = this.part("summary").value.trim() || this.summary();
    const description = this.part("description").value.trim();
    const how = { summary, description, parent: this.parent };
    this.done(await commit(this.hub, this.items, how, this.stopping.signal));
  }

  done(answer) {
    this.isOver = true;
    const count = inFiles(this.items.length);
    const link = this.part("commit");
    link.href = new URL(answer.commitUrl).pathname;
    link.textContent = answer.commitOid.slice(0, 7);
    this.part("count").textContent = count;
    this.part("warnings").textContent = `README.md: ${answer.hookOutput}`;
    this.part("warnings").hidden = !answer.hookOutput;
    this.part("form").hidden = true;
    this.part("zone").hidden = true;
    this.part("done").hidden = false;
    for (const item of this.items) item.become("committed");
    this.totals.say(`${count} uploaded`);
    this.part("done").querySelector("h2").focus();
  }

  failed(error) {
    if (this.stopping.signal.aborted) return;
    if (error.parent) this.parent = error.parent;
    const item = error instanceof Unreadable && this.items.find((one) => one.file === error.file);
    if (item) item.become("failed", { wrong: advice(error) });
    // A large file that is not there any more is sent again with the rest.
    const isMissing = (one) => error.status === 400 && one.isLarge && one.state === "ready";
    for (const one of this.items.filter(isMissing)) one.become("known");
    this.alert(item ? item.path : "This did not work", advice(error));
    this.part("sign-in").hidden = error.status !== 401;
  }

  alert(title, text = "") {
    this.part("alert").hidden = !title;
    this.part("alert-title").textContent = title;
    this.part("alert-text").textContent = text;
    this.part("sign-in").hidden = true;
  }

  remove(item) {
    item.stop();
    const isEmpty = this.drop(item);
    if (isEmpty) this.part("zone").querySelector("input").focus();
    this.draw();
  }

  removeBad() {
    for (const item of this.items.filter((one) => one.state === "bad")) this.drop(item);
    this.draw();
    this.part("start").focus();
  }

  drop(item) {
    this.items.splice(this.items.indexOf(item), 1);
    return this.list.remove(item);
  }

  summary() {
    const [first] = this.items;
    return this.items.length === 1 ? `Upload ${first.path}` : `Upload ${inFiles(this.items.length)}`;
  }

  draw() {
    this.list.draw();
    const bad = this.items.filter((item) => item.state === "bad").length;
    const start = this.part("start");
    this.part("chosen").hidden = !this.items.length;
    this.part("summary").placeholder = this.items.length ? this.summary() : "";
    start.hidden = this.isRunning;
    start.disabled = bad > 0 || !this.items.length;
    start.textContent = this.hasRun ? "Try again" : `Upload ${inFiles(this.items.length)}`;
    this.part("bad").hidden = !bad;
    this.part("bad-text").textContent = `${inFiles(bad)} cannot be uploaded.`;
    const omitted = [...this.omitted].map(([why, count]) => `${inFiles(count)} (${why})`);
    this.part("omitted").hidden = !omitted.length;
    this.part("omitted").textContent = `Left out: ${omitted.join(", ")}.`;
  }
}

// Whether a file is chosen for the second time; one that failed may have been mended meanwhile.
function isSame(item, file, path) {
  return (
    item.path === path &&
    item.state !== "failed" &&
    item.size === file.size &&
    item.file.lastModified === file.lastModified
  );
}
