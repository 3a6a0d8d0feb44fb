// SPDX-License-Identifier: Apache-2.0
// Files from where a person takes them: a drop of files and folders, or one of the two choosers. Each
// comes with its path below what was chosen.

// Returns the files of a drop. What it holds has to be taken before the event is over; folders are
// read after that.
export function dropped(transfer) {
  const found = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }));
  return gathered(found);
}

async function gathered(found) {
  const files = [];
  for (const { entry, file } of found) {
    if (entry?.isDirectory) await gather(entry, files);
    else if (file) files.push({ file, path: file.name });
  }
  return files;
}

async function gather(folder, files) {
  const reader = folder.createReader();
  for (;;) {
    // A browser gives so many at a time, and none at the end.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return;
    for (const entry of entries) {
      if (entry.isDirectory) await gather(entry, files);
      else {
        const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
        files.push({ file, path: entry.fullPath.replace(/^\//, "") });
      }
    }
  }
}

// Returns the files of a chooser, and empties it: the same may be chosen again.
export function chosen(input) {
  const files = [...input.files].map((file) => ({
    file,
    path: file.webkitRelativePath || file.name,
  }));
  input.value = "";
  return files;
}
