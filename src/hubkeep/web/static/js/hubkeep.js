// SPDX-License-Identifier: Apache-2.0
// The one script of every page. What a page can do beyond links and forms is asked for by data
// attributes; each is looked up once, so elements that come later bring their own script.

import { copying } from "./copy.js";
import { menus } from "./menus.js";
import { themes } from "./themes.js";

copying(document);
menus(document);
themes(document);

// Where tabs have no room, the current one may lie outside of what is seen.
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const end = tab.offsetLeft + tab.offsetWidth - tab.parentElement.offsetLeft;
  tab.parentElement.scrollLeft = end - tab.parentElement.clientWidth;
}

const field = document.querySelector("[data-suggest]");
if (field) {
  import("./suggest.js").then(({ suggesting }) => suggesting(field));
}

const source = document.querySelector("[data-lines]");
if (source) {
  import("./lines.js").then(({ lines }) => lines(source));
}

const like = document.querySelector("[data-like]");
if (like) {
  import("./like.js").then(({ liking }) => liking(like));
}

const typed = document.querySelector("[data-typed]");
if (typed) {
  import("./typed.js").then(({ typing }) => typing(typed));
}

const upload = document.querySelector("[data-upload]");
if (upload) {
  import("./upload/upload.js").then(({ uploading }) => uploading(upload));
}

const editor = document.querySelector("[data-editor]");
if (editor) {
  import("./edit/edit.js").then(({ editing }) => editing(editor));
}

const frame = document.querySelector("[data-space]");
if (frame) {
  import("./space.js").then(({ space }) => space(frame));
}

const figures = document.querySelectorAll('[data-diagram="mermaid"]');
if (figures.length) {
  import("./diagrams.js").then(({ diagrams }) => diagrams(figures, document.body.dataset.content));
}

const sql = document.querySelector("[data-console]");
if (sql) {
  import("./console.js").then(({ asking }) => asking(sql));
}

const asking = document.querySelectorAll("[data-tidy]");
const chart = document.querySelector("[data-chart]");
if (asking.length || chart) {
  import("./insights.js").then(({ insights, tidying }) => {
    asking.forEach(tidying);
    if (chart) insights(chart);
  });
}
