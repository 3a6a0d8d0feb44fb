// SPDX-License-Identifier: Apache-2.0
// Suggestions under the search field: the combobox pattern of WAI-ARIA, with the list as the hub
// renders it. Without a suggestion chosen, Enter sends the form as ever.

const WAIT = 140;
const SHORTEST = 2;
const LIST = "suggestions";

export function suggesting(field) {
  const list = document.createElement("div");
  list.id = LIST;
  list.className = "sheet suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  field.after(list);
  const said = document.createElement("div");
  said.className = "unseen";
  said.setAttribute("aria-live", "polite");
  list.after(said);
  for (const [name, value] of [
    ["role", "combobox"],
    ["aria-autocomplete", "list"],
    ["aria-expanded", "false"],
    ["aria-controls", LIST],
  ]) {
    field.setAttribute(name, value);
  }
  new Suggestions(field, list, said).listen();
}

class Suggestions {
  constructor(field, list, said) {
    this.field = field;
    this.list = list;
    this.said = said;
    this.at = -1;
    this.asked = new AbortController();
    this.timer = 0;
  }

  listen() {
    this.field.addEventListener("input", () => this.wait());
    this.field.addEventListener("focus", () => this.wait());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => this.close());
    // The field keeps the focus while the mouse presses a suggestion, so that the list stays.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
  }

  get options() {
    return [...this.list.querySelectorAll('[role="option"]')];
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  async ask() {
    this.asked.abort();
    const text = this.field.value.trim();
    if (text.length < SHORTEST) {
      this.close();
      return;
    }
    this.asked = new AbortController();
    const address = `${this.field.dataset.suggest}?${new URLSearchParams({ q: text.slice(0, 200) })}`;
    const how = { headers: { Accept: "text/html" }, signal: this.asked.signal };
    try {
      const answer = await fetch(address, how);
      if (answer.ok) this.show(await answer.text());
      else this.close();
    } catch (error) {
      if (error.name !== "AbortError") this.close();
    }
  }

  show(html) {
    if (document.activeElement !== this.field) return;
    this.list.innerHTML = html;
    const options = this.options;
    options.forEach((option, number) => {
      option.id = `${LIST}-${number}`;
      option.setAttribute("aria-selected", "false");
    });
    this.open(options.length > 0);
    this.said.textContent = options.length ? `${options.length} suggestions` : "No suggestions";
  }

  open(isOpen) {
    this.list.hidden = !isOpen;
    this.field.setAttribute("aria-expanded", String(isOpen));
    this.choose(-1);
  }

  close() {
    this.asked.abort();
    clearTimeout(this.timer);
    this.open(false);
  }

  choose(at) {
    const options = this.options;
    options[this.at]?.setAttribute("aria-selected", "false");
    this.at = at;
    const chosen = options[at];
    if (!chosen) {
      this.field.removeAttribute("aria-activedescendant");
      return;
    }
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", chosen.id);
  }

  key(event) {
    const number = this.options.length;
    if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter" && this.at >= 0 && !this.list.hidden) {
      event.preventDefault();
      this.options[this.at].click();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) {
        this.ask();
        return;
      }
      // One step beyond either end is the field itself.
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.choose(((this.at + 1 + step + number + 1) % (number + 1)) - 1);
    }
  }
}
