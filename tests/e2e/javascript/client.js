// SPDX-License-Identifier: Apache-2.0
// One call of @huggingface/hub, as `../test_javascript.py` describes it in JSON; answers in JSON.

import { readFile, writeFile } from "node:fs/promises";
import * as hub from "@huggingface/hub";

const calls = {
  async create(to) {
    await hub.createRepo(to);
  },

  /** Commit local files; `files` is path to name. */
  async upload({ files, ...to }) {
    const operations = [];
    for (const [path, name] of Object.entries(files)) {
      operations.push({ path, content: new Blob([await readFile(name)]) });
    }
    const done = await hub.uploadFiles({ ...to, files: operations, commitTitle: "from Node" });
    return done.commit.oid;
  },

  /** Download a file, or its bytes [start, end), and write them to a local file. */
  async download({ into, start = 0, end, ...from }) {
    const blob = await hub.downloadFile(from);
    if (blob === null) return null;
    const part = end === undefined ? blob : blob.slice(start, end);
    await writeFile(into, Buffer.from(await part.arrayBuffer()));
    return blob.size;
  },

  async info(about) {
    const info = await hub.fileDownloadInfo(about);
    return info && { size: info.size, etag: info.etag, xet: info.xet?.hash ?? null };
  },

  /** Path to Xet hash, null for files that have none. */
  async list(of) {
    const found = {};
    for await (const file of hub.listFiles({ ...of, recursive: true })) {
      found[file.path] = file.xetHash ?? null;
    }
    return found;
  },
};

const [call, options] = JSON.parse(process.argv[2]);
const access = { hubUrl: process.env.HF_ENDPOINT, accessToken: process.env.HF_TOKEN };
console.log(JSON.stringify((await calls[call]({ ...access, ...options })) ?? null));
