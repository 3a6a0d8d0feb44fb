// SPDX-License-Identifier: Apache-2.0
// The hub's addresses that uploading needs. They are those that every client uses; this one is let in
// by its session's cookie and the token of the page.

import { Refusal, Unreachable } from "./errors.js";

const QUIET_MS = 60_000;
const ANSWER_MS = 600_000;

export class Hub {
  #api;
  #batch;
  #branch;
  #csrf;

  constructor({ api, batch, branch, csrf }) {
    this.#api = api;
    this.#batch = batch;
    this.#branch = encodeURIComponent(branch);
    this.#csrf = csrf;
  }

  // Says for each file how it is to be sent and what is there; and the branch's commit.
  preupload(files, signal) {
    return this.#own(`${this.#api}/preupload/${this.#branch}`, { files }, signal);
  }

  // Tells what is there under each of some paths.
  paths(paths, signal) {
    return this.#own(`${this.#api}/paths-info/${this.#branch}`, { paths }, signal);
  }

  // Returns where to send a file; null for one that the repository has already.
  async offer(oid, size, signal) {
    const wanted = {
      operation: "upload",
      transfers: ["basic", "multipart"],
      objects: [{ oid, size }],
      hash_algo: "sha256",
    };
    const [answer] = (await this.#own(this.#batch, wanted, signal)).objects;
    if (answer.error) throw new Refusal(answer.error.code, answer.error.message);
    const upload = answer.actions?.upload;
    if (!upload) return null;
    // As this page calls the hub, whatever it calls itself; and never straight to another store,
    // which the page's policy does not let it talk to.
    const { pathname } = new URL(upload.href);
    return { path: pathname, partSize: Number(upload.header?.chunk_size ?? 0) };
  }

  // Returns the etags of the parts that are there, by their numbers.
  async arrived(path, signal) {
    const { parts } = await ask(path, { signal });
    return new Map(parts.map((part) => [part.partNumber, part.etag]));
  }

  // Has the hub put the parts together and look at the whole.
  complete(path, oid, etags, signal) {
    const parts = [...etags].map(([partNumber, etag]) => ({ partNumber, etag }));
    return ask(path, { method: "POST", body: JSON.stringify({ oid, parts }), signal });
  }

  // Writes a commit: lines of JSON.
  commit(lines, signal) {
    return this.#own(`${this.#api}/commit/${this.#branch}`, lines, signal);
  }

  async #own(path, content, signal) {
    const body = content instanceof Blob ? content : JSON.stringify(content);
    const send = () =>
      ask(path, { method: "POST", body, signal, headers: { "x-csrf-token": this.#csrf } });
    try {
      return await send();
    } catch (error) {
      // Who signed in anew, in another window, has another token.
      if (error.status !== 401 || !(await this.#renewed(signal))) throw error;
      return send();
    }
  }

  async #renewed(signal) {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const csrf = page.querySelector("[data-upload]")?.dataset.csrf;
    if (!csrf || csrf === this.#csrf) return false;
    this.#csrf = csrf;
    return true;
  }
}

async function ask(path, { headers, signal, ...how }) {
  let answer;
  try {
    answer = await fetch(path, {
      ...how,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      headers: { Accept: "application/json", "Content-Type": "application/json", ...headers },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new Unreachable(error.message);
  }
  if (!answer.ok) {
    throw refusal(path, answer.status, await answer.text(), answer.headers.get("retry-after"));
  }
  return answer.json();
}

function refusal(path, status, text, wait) {
  let message = `The hub answered ${status}`;
  try {
    const body = JSON.parse(text);
    message = body.error ?? body.message ?? message;
  } catch {
    // A proxy's page in HTML, or nothing: the status has to do.
  }
  return new Refusal(status, message, { path, wait: Number(wait) || 0 });
}

// Sends bytes to a signed address and returns the etag; `told` hears how many are on their way.
// They are read from the disk as they go out. A connection on which nothing moves is given up.
export function put(path, bytes, signal, told) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    let timer = 0;
    const stop = () => request.abort();
    const patience = (time) => {
      clearTimeout(timer);
      timer = setTimeout(stop, time);
    };
    request.upload.addEventListener("progress", (event) => {
      patience(event.loaded < bytes.size ? QUIET_MS : ANSWER_MS);
      told(event.loaded);
    });
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(request.getResponseHeader("etag"));
      else {
        const wait = request.getResponseHeader("retry-after");
        reject(refusal(path, request.status, request.responseText, wait));
      }
    });
    request.addEventListener("error", () => reject(new Unreachable("The connection broke")));
    request.addEventListener("abort", () => {
      reject(signal.aborted ? signal.reason : new Unreachable("Nothing moves"));
    });
    request.addEventListener("loadend", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    });
    signal.addEventListener("abort", stop);
    patience(QUIET_MS);
    request.open("PUT", path);
    request.send(bytes);
  });
}
