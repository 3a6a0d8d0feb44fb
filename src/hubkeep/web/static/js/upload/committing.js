// SPDX-License-Identifier: Apache-2.0
// The commit at the end: one for all files, as lines of JSON. Small texts are in it; large files were
// sent before, and are named by their hash.

import { checkAgain } from "./checking.js";
import { Refusal, Unreachable, Unreadable } from "./errors.js";
import { pause } from "./sending.js";

const MOST_INLINE = 370 * 2 ** 20;
const MOST_TRIES = 8;

// Returns what is too much for one commit in words; empty where nothing is.
export function tooMuch(items) {
  const inline = items.filter((item) => !item.isLarge).reduce((sum, item) => sum + item.size, 0);
  return inline > MOST_INLINE
    ? "The small files among these are together more than one commit takes: upload them in several goes."
    : "";
}

// Writes the commit and returns the hub's answer. A branch that moved is no hindrance, unless what is
// replaced has changed: that is a Refusal 412, once.
export async function commit(hub, items, { summary, description, parent }, signal) {
  const lines = await contents(items);
  let seen = parent;
  let isUnsure = false;
  for (let tries = 1; ; tries += 1) {
    const value = { summary, description, parentCommit: seen };
    try {
      return await hub.commit(new Blob([line("header", value), ...lines]), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (tries >= MOST_TRIES) throw error;
      if (error.status === 412) {
        // After an answer that was lost, what has changed may be our own doing.
        if (isUnsure) await nameSmall(items);
        const now = await checkAgain(hub, items, signal);
        seen = now.commit;
        if (now.differ.length) throw changed(now);
      } else if (error instanceof Unreachable || (error instanceof Refusal && error.isPassing)) {
        isUnsure = true;
        await pause(Math.max(error.wait ?? 0, Math.min(2 ** (tries - 1), 15)), null, signal);
      } else throw error;
    }
  }
}

// Gives small files the names that git has for them, as large ones have theirs. Browsers have a hash for
// pages that came over TLS or from this machine; elsewhere it is asked rather than replaced unasked.
async function nameSmall(items) {
  if (!globalThis.crypto.subtle) return;
  for (const item of items.filter((one) => !one.isLarge && !one.oid)) {
    const blob = new Blob([`blob ${item.size}\0`, item.file]);
    const bytes = await blob.arrayBuffer().catch(() => {
      throw new Unreadable(item.file);
    });
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
    item.oid = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

function changed({ commit: parent, differ }) {
  const names = differ.slice(0, 3).map((item) => item.path);
  const more = differ.length > 3 ? ` and ${differ.length - 3} more` : "";
  const error = new Refusal(
    412,
    `Somebody changed ${names.join(", ")}${more} meanwhile. Upload again to replace what they wrote, or remove these files`,
  );
  error.parent = parent;
  return error;
}

async function contents(items) {
  const lines = [];
  for (const { isLarge, path, oid, size, file } of items) {
    lines.push(
      isLarge
        ? line("lfsFile", { path, algo: "sha256", oid, size })
        : line("file", { path, content: await inBase64(file), encoding: "base64" }),
    );
  }
  return lines;
}

// As a blob, which a browser need not hold in memory.
function line(key, value) {
  return new Blob([JSON.stringify({ key, value }), "\n"]);
}

function inBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result.split(",", 2)[1] ?? ""));
    reader.addEventListener("error", () => reject(new Unreadable(file)));
    reader.readAsDataURL(file);
  });
}
