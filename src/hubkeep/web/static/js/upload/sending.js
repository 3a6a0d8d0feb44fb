// SPDX-License-Identifier: Apache-2.0
// One large file on its way to the hub. Whatever breaks, the hub is asked again what it wants: so a
// file goes on where it was, be it after a second or after a day, by the same page or another one.

import { Refusal, Unreachable, Unreadable } from "./errors.js";
import { put } from "./hub.js";

const LANES = 3;
const LONGEST_PAUSE = 15;
const MOST_TRIES = 6;

// At most so many bodies are on their way at once, of all files together.
export class Lanes {
  #free = LANES;
  #waiting = [];

  async run(work) {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

// Sends a file whose `oid` is known. While nobody answers it waits and tries again, for as long as it
// takes; a refusal is thrown once it is clear that it stays.
export async function send(hub, lanes, item, signal) {
  let tries = 0;
  let best = 0;
  for (;;) {
    try {
      return await sendOnce(hub, lanes, item, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (item.arrived > best) {
        best = item.arrived;
        tries = 0;
      }
      tries += 1;
      await judge(error, item, tries);
      const seconds = Math.max(error.wait ?? 0, Math.min(2 ** (tries - 1), LONGEST_PAUSE));
      item.become("pausing", { until: Date.now() + seconds * 1000 });
      await pause(seconds, item, signal);
    }
  }
}

// Throws where it is of no use to try again.
async function judge(error, item, tries) {
  if (error instanceof Unreachable) {
    await readable(item.file); // a file that is gone breaks the connection too
    return;
  }
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 422) {
    item.oid = null;
    throw new Unreadable(item.file); // what came is not what was hashed
  }
  if (tries > MOST_TRIES || !(error.isPassing || error.isOfAddress)) throw error;
}

async function sendOnce(hub, lanes, item, signal) {
  item.become("asking");
  const offer = await hub.offer(item.oid, item.size, signal);
  if (offer === null) {
    item.arrives(item.size);
    return;
  }
  item.become("sending");
  if (offer.partSize) {
    await sendParts(hub, lanes, item, offer, signal);
    return;
  }
  await lanes.run(() => put(offer.path, item.file, signal, (sent) => item.moves(0, sent)));
  item.arrives(item.size);
}

async function sendParts(hub, lanes, item, { path, partSize }, signal) {
  const etags = await hub.arrived(path, signal);
  const numbers = Array.from({ length: Math.ceil(item.size / partSize) }, (_, at) => at + 1);
  const part = (number) => item.file.slice((number - 1) * partSize, number * partSize);
  const missing = numbers.filter((number) => !etags.has(number));
  const here = () => [...etags.keys()].reduce((sum, number) => sum + part(number).size, 0);
  item.arrives(here());
  const wrong = [];
  const sendSome = async () => {
    while (missing.length && !wrong.length) {
      const number = missing.shift();
      try {
        const told = (sent) => item.moves(number, sent);
        etags.set(number, await lanes.run(() => put(`${path}/${number}`, part(number), signal, told)));
        item.arrives(here(), number);
      } catch (error) {
        wrong.push(error);
        item.moves(number, 0);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, sendSome));
  if (wrong.length) throw wrong.find((error) => error instanceof Refusal) ?? wrong[0];
  item.become("finishing");
  await hub.complete(path, item.oid, etags, signal);
}

async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Unreadable(file);
  }
}

// Waits, but not longer than until the network is back or somebody does not want to wait.
export function pause(seconds, item, signal) {
  return new Promise((resolve, reject) => {
    const over = (act) => () => {
      clearTimeout(timer);
      removeEventListener("online", go);
      signal.removeEventListener("abort", stop);
      if (item) item.hurry = null;
      act();
    };
    const go = over(resolve);
    const stop = over(() => reject(signal.reason));
    const timer = setTimeout(go, seconds * 1000);
    addEventListener("online", go);
    signal.addEventListener("abort", stop);
    if (item) item.hurry = go;
  });
}
