// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) of data that comes piece by piece. The browser's own cannot do that, and is
// missing on plain HTTP.

const BLOCK = 64;
const ROUND = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

export class Sha256 {
  #state = new Int32Array([
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  ]);
  #words = new Int32Array(BLOCK);
  #rest = new Uint8Array(BLOCK);
  #size = 0;

  // Takes the next bytes in.
  update(bytes) {
    let at = 0;
    const held = this.#size % BLOCK;
    this.#size += bytes.length;
    if (held) {
      at = Math.min(BLOCK - held, bytes.length);
      this.#rest.set(bytes.subarray(0, at), held);
      if (held + at < BLOCK) return this;
      this.#take(this.#rest, 0, BLOCK);
    }
    const whole = at + Math.floor((bytes.length - at) / BLOCK) * BLOCK;
    this.#take(bytes, at, whole);
    this.#rest.set(bytes.subarray(whole));
    return this;
  }

  // Ends the data, and returns the hash in 64 hexadecimal digits.
  hex() {
    const held = this.#size % BLOCK;
    const tail = new Uint8Array(held < 56 ? BLOCK : 2 * BLOCK);
    tail.set(this.#rest.subarray(0, held));
    tail[held] = 0x80;
    // The number of bits has 64 of them, which shifts of numbers do not have.
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(this.#size / 2 ** 29));
    view.setUint32(tail.length - 4, (this.#size % 2 ** 29) * 8);
    this.#take(tail, 0, tail.length);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #take(bytes, start, end) {
    const w = this.#words;
    const state = this.#state;
    for (let at = start; at < end; at += BLOCK) {
      for (let i = 0, j = at; i < 16; i++, j += 4) {
        w[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3];
      }
      compress(state, w);
    }
  }
}

const sum0 = (x) => ((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10));
const sum1 = (x) => ((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7));
const mix0 = (x) => ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
const mix1 = (x) => ((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10);
const choice = (x, y, z) => z ^ (x & (y ^ z));
const majority = (x, y, z) => (x & y) | (z & (x | y));

// Eight rounds are written out, each with its variables in turn: moving them costs a third.
function compress(state, w) {
  for (let i = 16; i < 64; i++) {
    w[i] = (w[i - 16] + mix0(w[i - 15]) + w[i - 7] + mix1(w[i - 2])) | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  let t = 0;
  for (let i = 0; i < 64; i += 8) {
    t = (h + sum1(e) + choice(e, f, g) + ROUND[i] + w[i]) | 0;
    d = (d + t) | 0;
    h = (t + sum0(a) + majority(a, b, c)) | 0;
    t = (g + sum1(d) + choice(d, e, f) + ROUND[i + 1] + w[i + 1]) | 0;
    c = (c + t) | 0;
    g = (t + sum0(h) + majority(h, a, b)) | 0;
    t = (f + sum1(c) + choice(c, d, e) + ROUND[i + 2] + w[i + 2]) | 0;
    b = (b + t) | 0;
    f = (t + sum0(g) + majority(g, h, a)) | 0;
    t = (e + sum1(b) + choice(b, c, d) + ROUND[i + 3] + w[i + 3]) | 0;
    a = (a + t) | 0;
    e = (t + sum0(f) + majority(f, g, h)) | 0;
    t = (d + sum1(a) + choice(a, b, c) + ROUND[i + 4] + w[i + 4]) | 0;
    h = (h + t) | 0;
    d = (t + sum0(e) + majority(e, f, g)) | 0;
    t = (c + sum1(h) + choice(h, a, b) + ROUND[i + 5] + w[i + 5]) | 0;
    g = (g + t) | 0;
    c = (t + sum0(d) + majority(d, e, f)) | 0;
    t = (b + sum1(g) + choice(g, h, a) + ROUND[i + 6] + w[i + 6]) | 0;
    f = (f + t) | 0;
    b = (t + sum0(c) + majority(c, d, e)) | 0;
    t = (a + sum1(f) + choice(f, g, h) + ROUND[i + 7] + w[i + 7]) | 0;
    e = (e + t) | 0;
    a = (t + sum0(b) + majority(b, c, d)) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}
