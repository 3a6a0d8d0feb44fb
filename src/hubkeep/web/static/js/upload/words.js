// SPDX-License-Identifier: Apache-2.0
// How sizes, times, counts and names of files are written: as the hub's pages do.

const UNITS = ["kB", "MB", "GB", "TB", "PB"];
const TRICKS = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (value >= 99.95) return `${value.toFixed(0)} ${UNITS[unit]}`;
  const text = value.toFixed(value < 9.995 ? 2 : 1);
  return `${text.replace(/\.?0+$/, "")} ${UNITS[unit]}`;
}

export function time(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

export function files(count) {
  return count === 1 ? "1 file" : `${count.toLocaleString("en")} files`;
}

export function percent(part, whole) {
  return whole ? `${Math.floor((100 * part) / whole)} %` : "100 %";
}

// Writes a name into an element, with characters that hide or turn it around shown as what they are.
export function write(element, name) {
  element.replaceChildren(
    ...[...name].map((sign) => {
      if (!TRICKS.test(sign)) return sign;
      const shown = document.createElement("span");
      shown.className = "trick";
      shown.title = "an invisible character";
      shown.textContent = `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
      return shown;
    }),
  );
  element.normalize();
}
