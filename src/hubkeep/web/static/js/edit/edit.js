// SPDX-License-Identifier: Apache-2.0
// The form for a file: keys that write and commit, a preview in place of the text, and a question
// before what was written is left behind. Without this script the form does the same by itself.

import { typing } from "./keys.js";

const FAILED = "This could not be shown. What you wrote is still there; try again.";

export function editing(form) {
  const editor = new Editor(form);
  typing(editor.text, form.dataset.indent);
  editor.listen();
}

class Editor {
  constructor(form) {
    this.form = form;
    this.text = form.elements.text;
    this.path = form.elements.path;
    this.shown = form.querySelector("#shown");
    this.views = [...form.querySelectorAll("[data-view]")];
    this.wraps = form.querySelector("[data-wraps]");
    this.isSent = false;
    this.asked = new AbortController();
  }

  listen() {
    for (const view of this.views) {
      view.hidden = false;
      view.addEventListener("click", (event) => this.look(event, view));
    }
    this.wraps.addEventListener("change", (event) => {
      this.text.wrap = event.target.checked ? "soft" : "off";
    });
    for (const hint of this.form.querySelectorAll("[data-keys]")) hint.hidden = false;
    this.form.addEventListener("keydown", (event) => this.key(event));
    this.form.addEventListener("submit", (event) => this.send(event));
    this.path.addEventListener("input", () => this.suggest());
    addEventListener("pageshow", () => {
      this.isSent = false;
    });
    addEventListener("beforeunload", (event) => {
      if (this.isChanged && !this.isSent) event.preventDefault();
    });
    this.mark(this.shown.firstElementChild ? this.shown.dataset.shows : "text");
  }

  get isChanged() {
    const fields = [this.text, this.path];
    const isTyped = fields.some((field) => field.value !== field.defaultValue);
    return isTyped || this.form.hasAttribute("data-changed");
  }

  key(event) {
    const isCommit = event.key === "s" || event.key === "Enter";
    if (isCommit && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      this.form.requestSubmit(this.form.querySelector("[data-commit]"));
    } else if (event.key === "Enter" && event.target === this.path) {
      // Who names a file wants to write it, not to commit it empty.
      event.preventDefault();
      this.mark("text");
      this.text.focus();
    }
  }

  // A second press of the button would send the same again, and be told of the first as of a
  // stranger's change.
  send(event) {
    if (this.isSent) event.preventDefault();
    this.isSent = true;
  }

  suggest() {
    const { origin } = this.form.dataset;
    const path = this.path.value.trim() || "a file";
    const move = path === origin ? `Update ${path}` : `Rename ${origin} to ${path}`;
    this.form.elements.summary.placeholder = origin ? move : `Create ${path}`;
  }

  async look(event, button) {
    event.preventDefault();
    const view = button.dataset.view;
    this.asked.abort();
    if (view === "text") {
      this.mark(view);
      this.text.focus();
      return;
    }
    this.asked = new AbortController();
    this.form.setAttribute("aria-busy", "true");
    try {
      const body = new URLSearchParams(new FormData(this.form, button));
      const answer = await fetch(this.form.action, {
        method: "POST",
        headers: { Accept: "text/html" },
        body,
        signal: this.asked.signal,
      });
      const isPage = answer.ok || answer.status === 422;
      this.take(isPage ? await answer.text() : "");
      this.mark(view);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.take("");
      this.mark(view);
    }
    this.form.removeAttribute("aria-busy");
  }

  // Takes what the hub shows beside the text out of its page; the text stays, and what can be undone.
  take(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const shown = page.getElementById("shown");
    const wrong = page.getElementById("text-wrong");
    if (!shown || wrong) {
      this.shown.textContent = wrong ? wrong.textContent : FAILED;
      return;
    }
    this.shown.replaceChildren(...shown.childNodes);
    document.getElementById("card").replaceChildren(...page.getElementById("card").childNodes);
  }

  mark(view) {
    for (const button of this.views) {
      button.setAttribute("aria-pressed", String(button.dataset.view === view));
    }
    this.text.hidden = view !== "text";
    for (const hint of this.form.querySelectorAll("[data-hint]")) hint.hidden = view !== "text";
    this.wraps.hidden = view !== "text";
    this.shown.hidden = view === "text";
  }
}
