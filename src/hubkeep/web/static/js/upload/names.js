// SPDX-License-Identifier: Apache-2.0
// Names of files before they are sent: what systems leave lying around is left out, and what the hub
// would refuse is said at once. The hub looks again: these rules are its own, in short.

const MAX_PATH = 1024;
const MAX_NAME = 255;
const MAX_DEPTH = 64;
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const LEFT_LYING = /^(\.DS_Store|Thumbs\.db|desktop\.ini|__MACOSX|\._.*)$/i;
const UNSEEN = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
const bytes = new TextEncoder();

// Returns why a file is left out without a question; empty for one that is not.
export function leftOut(path) {
  const steps = path.split("/");
  if (steps.some((step) => step.toLowerCase() === ".git")) return "git’s own folder";
  if (steps.some((step) => LEFT_LYING.test(step))) return "hidden files of the system";
  if (path.includes(".cache/huggingface/")) return "a cache of the client";
  return "";
}

// Returns what is wrong with a path in the repository; empty where nothing is.
export function wrongWith(path) {
  if (!path.isWellFormed()) return "Its name is not valid Unicode: rename it";
  if (CONTROL.test(path) || path.includes("\\")) {
    return "Its name has a control character or a backslash: rename it";
  }
  if (bytes.encode(path).length > MAX_PATH) return `Its path has more than ${MAX_PATH} bytes`;
  const steps = path.split("/");
  if (steps.length > MAX_DEPTH) return `It is more than ${MAX_DEPTH} folders deep`;
  for (const step of steps) {
    const wrong = wrongWithStep(step);
    if (wrong) return wrong;
  }
  return "";
}

function wrongWithStep(step) {
  if (bytes.encode(step).length > MAX_NAME) return `A name has more than ${MAX_NAME} bytes`;
  const seen = step.replace(UNSEEN, "").toLowerCase();
  if (["", ".", ".."].includes(seen)) return "Its path has an empty name in it: rename it";
  const stem = seen.split(":")[0].replace(/[ .]+$/, "");
  if (stem === ".git" || stem === "git~1") return "Its name leads into git’s own folder: rename it";
  if (stem === ".gitmodules" || /^gitmod~[1-4]$/.test(stem)) {
    return "It declares submodules, which the hub does not take";
  }
  return "";
}

// What is equal for names that some systems take for one.
export function sameAs(path) {
  return path.normalize("NFC").toLowerCase();
}

// All folders above a path, the nearest last.
export function above(path) {
  const steps = path.split("/").slice(0, -1);
  return steps.map((_, at) => steps.slice(0, at + 1).join("/"));
}
