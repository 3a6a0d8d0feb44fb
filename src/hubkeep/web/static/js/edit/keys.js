// SPDX-License-Identifier: Apache-2.0
// Tab and Enter in a text that has indentation. Tab leads on to the next element, as everywhere
// else, for who comes to the text by it and does nothing there, and after Escape: so that nobody is
// caught.

export function typing(text, indent) {
  let leaves = false;
  text.addEventListener("keydown", (event) => {
    if (event.isComposing || ["Shift", "Control", "Meta", "Alt"].includes(event.key)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) {
      leaves = false;
    } else if (event.key === "Escape") {
      leaves = true;
    } else if (event.key === "Tab") {
      if (!leaves) {
        event.preventDefault();
        if (event.shiftKey) outdent(text, indent);
        else indentBy(text, indent);
      }
    } else {
      leaves = false;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        write(text, `\n${/^[ \t]*/.exec(lineBefore(text))[0]}`);
      }
    }
  });
  text.addEventListener("focus", () => {
    leaves = true;
  });
  text.addEventListener("click", () => {
    leaves = false;
  });
}

function lineBefore(text) {
  const start = text.selectionStart;
  return text.value.slice(text.value.lastIndexOf("\n", start - 1) + 1, start);
}

function indentBy(text, indent) {
  const chosen = text.value.slice(text.selectionStart, text.selectionEnd);
  if (!chosen.includes("\n")) write(text, indent);
  else change(text, (line) => (line ? indent + line : line));
}

function outdent(text, indent) {
  change(text, (line) => {
    if (line.startsWith("\t")) return line.slice(1);
    const spaces = /^ */.exec(line)[0].length;
    return line.slice(Math.min(spaces, indent === "\t" ? 4 : indent.length));
  });
}

// Changes each line that the selection touches, and selects them.
function change(text, how) {
  const { value, selectionStart, selectionEnd } = text;
  const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const found = value.indexOf("\n", selectionEnd > selectionStart ? selectionEnd - 1 : selectionEnd);
  const end = found < 0 ? value.length : found;
  const before = value.slice(start, end);
  const after = before.split("\n").map(how).join("\n");
  if (after === before) return;
  const isOneLine = selectionStart === selectionEnd;
  text.setSelectionRange(start, end);
  write(text, after);
  if (isOneLine) {
    const at = Math.max(start, selectionStart + after.length - before.length);
    text.setSelectionRange(at, at);
  } else {
    text.setSelectionRange(start, start + after.length);
  }
}

// As if it were typed, so that it can be undone; the plain way where a browser lacks that.
function write(text, words) {
  const isDone = words
    ? document.execCommand("insertText", false, words)
    : document.execCommand("delete");
  if (isDone) return;
  text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new InputEvent("input", { bubbles: true }));
}
