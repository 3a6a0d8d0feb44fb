// SPDX-License-Identifier: Apache-2.0
// A worker that hashes files one after the other, beside the page. It is told `{id, file}`, or
// `{id, stop: true}`, and says how far it is (`done`, in bytes) and the hash (`hex`), or no hash where it cannot read the file.

import { Sha256 } from "../sha256.js";

const PIECE = 4 << 20;
const waiting = new Map();
let isBusy = false;

addEventListener("message", ({ data }) => {
  if (data.stop) waiting.delete(data.id);
  else waiting.set(data.id, data.file);
  work();
});

async function work() {
  if (isBusy) return;
  isBusy = true;
  while (waiting.size) {
    const [id, file] = waiting.entries().next().value;
    try {
      const hex = await hashed(id, file);
      if (waiting.delete(id)) postMessage({ id, hex });
    } catch {
      if (waiting.delete(id)) postMessage({ id });
    }
  }
  isBusy = false;
}

async function hashed(id, file) {
  const hash = new Sha256();
  for (let at = 0; at < file.size && waiting.has(id); at += PIECE) {
    const piece = await file.slice(at, at + PIECE).arrayBuffer();
    hash.update(new Uint8Array(piece));
    postMessage({ id, done: at + piece.byteLength });
  }
  return hash.hex();
}
