// SPDX-License-Identifier: Apache-2.0
// What can keep a file from being sent, and what a person may do about it.

// The hub answered, and it did not do what it was asked for.
export class Refusal extends Error {
  constructor(status, message, { path = "", wait = 0 } = {}) {
    super(message);
    this.status = status;
    this.path = path;
    this.wait = wait;
  }

  // Whether the same may work in a moment.
  get isPassing() {
    return this.status === 408 || this.status === 429 || (this.status >= 500 && !this.isLasting);
  }

  get isLasting() {
    return this.status === 501 || this.status === 507;
  }

  // Whether a signed address was refused: the hub may give another one.
  get isOfAddress() {
    return this.path.startsWith("/lfs/") && (this.status === 403 || this.status === 404);
  }
}

// Nobody answered.
export class Unreachable extends Error {}

// The browser cannot read the file any more: it was changed, moved or removed since.
export class Unreadable extends Error {
  constructor(file) {
    super("This file was changed, moved or removed since you chose it: choose it again");
    this.file = file;
  }
}

const SENT = "What was sent so far is kept for two days.";

// Returns what happened and what to do about it, in words.
export function advice(error) {
  if (error instanceof Unreachable) return "The hub cannot be reached.";
  if (!(error instanceof Refusal)) return error.message;
  switch (error.status) {
    case 401:
      return `You are not signed in any more. Sign in in another window and come back: the upload goes on from here. ${SENT}`;
    case 403:
      return `${ended(error.message)} Ask who administers the repository, then try again. ${SENT}`;
    case 404:
      return `The repository or the branch is not there any more, or not for you. ${SENT}`;
    case 507:
      return `${ended(error.message)} Tell who runs it, and try again later. ${SENT}`;
    default:
      return ended(error.message);
  }
}

function ended(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
