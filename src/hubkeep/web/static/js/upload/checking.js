// SPDX-License-Identifier: Apache-2.0
// What the hub says of files before they are sent: how it wants them, and what they would replace.

import { Unreadable } from "./errors.js";
import { above } from "./names.js";

const AT_ONCE = 500;
const SAMPLE = 512;

// Asks about files and notes on each what is said; returns the commit that it was said of.
export async function check(hub, items, signal) {
  let commit = null;
  for (const some of inParts(items, AT_ONCE)) {
    const files = await Promise.all(some.map(described));
    const answer = await hub.preupload(files, signal);
    commit ??= answer.commitOid;
    note(some, answer.files);
  }
  await lookForFolders(hub, items.filter((item) => item.state === "known"), signal);
  return commit;
}

// Asks whether what is there has changed since; returns the commit, and the files that differ.
export async function checkAgain(hub, items, signal) {
  let commit = null;
  const differ = [];
  for (const some of inParts(items, AT_ONCE)) {
    const files = some.map((item) => ({ path: item.path, size: item.size, sample: "" }));
    const answer = await hub.preupload(files, signal);
    commit ??= answer.commitOid;
    const there = new Map(answer.files.map((file) => [file.path, file.oid]));
    for (const item of some) {
      const now = there.get(item.path);
      if (now !== item.before && now !== item.oid) differ.push(item);
      item.before = now;
      item.changed(item);
    }
  }
  return { commit, differ };
}

async function described(item) {
  const { path, size, file } = item;
  const sample = new Uint8Array(await first(file));
  return { path, size, sample: btoa(String.fromCharCode(...sample)) };
}

function first(file) {
  return file
    .slice(0, SAMPLE)
    .arrayBuffer()
    .catch(() => {
      throw new Unreadable(file);
    });
}

function note(items, verdicts) {
  const said = new Map(verdicts.map((verdict) => [verdict.path, verdict]));
  for (const item of items) {
    const verdict = said.get(item.path);
    item.isLarge = verdict.uploadMode === "lfs";
    item.before = verdict.oid;
    item.become(verdict.shouldIgnore ? "ignored" : "known");
  }
}

// A file cannot be where a folder is, nor below another file.
async function lookForFolders(hub, items, signal) {
  const wanted = new Set(items.flatMap((item) => [...above(item.path), item.path]));
  const there = new Map();
  for (const some of inParts([...wanted], AT_ONCE)) {
    for (const entry of await hub.paths(some, signal)) there.set(entry.path, entry.type);
  }
  for (const item of items) {
    const file = above(item.path).find((path) => there.get(path) === "file");
    if (there.get(item.path) === "directory") {
      item.become("bad", { wrong: "A folder has this name: rename the file, or delete the folder" });
    } else if (file !== undefined) {
      item.become("bad", { wrong: `${file} is a file, and not a folder` });
    }
  }
}

export function* inParts(list, size) {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}
