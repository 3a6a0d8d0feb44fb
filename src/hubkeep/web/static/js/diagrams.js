// SPDX-License-Identifier: Apache-2.0
// Mermaid diagrams as pictures. They are drawn on another origin, in a frame that nobody sees: it is
// sent the text, answers with an SVG, and is gone when all are drawn. An SVG as the source of an
// image runs nothing and loads nothing. The source stays where it was if anything goes wrong.

const UNTIL_READY = 10_000;
const UNTIL_DRAWN = 6_000;
const UNTIL_ALL = 30_000;
const WIDEST = 10_000;
const SANDBOX = "allow-scripts";

const TOO_LONG = "This diagram takes too long to draw.";
const NO_FRAME = "Diagrams cannot be drawn now: the address for them does not answer.";
const NO_ORIGIN = "This hub has no address on which diagrams may be drawn.";

export function diagrams(figures, origin) {
  const all = [...figures].map((figure) => new Diagram(figure));
  if (!origin) {
    for (const one of all) one.say(NO_ORIGIN);
    return;
  }
  let round = 0;
  const again = () => drawAll(all, origin, currentTheme(), ((mine) => () => mine === round)(++round));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  again();
}

function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

async function drawAll(all, origin, theme, isCurrent) {
  const end = performance.now() + UNTIL_ALL;
  let drawer = null;
  for (const [id, one] of all.entries()) {
    if (!isCurrent()) break;
    drawer ??= new Drawer(origin);
    if (!(await drawer.ready)) {
      for (const left of all.slice(id)) left.say(NO_FRAME);
      break;
    }
    const answer = performance.now() < end ? await drawer.draw(id, one.text, theme) : null;
    if (isCurrent()) one.show(answer ?? { error: TOO_LONG });
    if (!answer) {
      // What hangs is ended with its frame; the next one gets a new one.
      drawer.close();
      drawer = null;
    }
  }
  drawer?.close();
}

class Drawer {
  constructor(origin) {
    this.frame = document.createElement("iframe");
    this.frame.className = "drawing-board";
    this.frame.setAttribute("sandbox", SANDBOX);
    this.frame.setAttribute("aria-hidden", "true");
    this.frame.tabIndex = -1;
    this.frame.title = "Diagrams";
    this.frame.referrerPolicy = "no-referrer";
    this.frame.src = `${origin}/diagrams`;
    this.ready = this.answer((data) => data.isReady === true, UNTIL_READY);
    document.body.append(this.frame);
  }

  draw(id, text, theme) {
    const answer = this.answer((data) => data.id === id, UNTIL_DRAWN);
    // The frame has an origin of its own that has no name, so none can be given here.
    this.frame.contentWindow.postMessage({ id, text, theme }, "*");
    return answer;
  }

  // The next message from the frame that is wanted, or null if it does not come in time.
  answer(isWanted, patience) {
    return new Promise((resolve) => {
      const done = (data) => {
        clearTimeout(timer);
        removeEventListener("message", listen);
        resolve(data);
      };
      const listen = ({ source, origin, data }) => {
        if (source !== this.frame.contentWindow || origin !== "null") return;
        if (typeof data === "object" && data !== null && isWanted(data)) done(data);
      };
      const timer = setTimeout(done, patience, null);
      addEventListener("message", listen);
    });
  }

  close() {
    this.frame.remove();
  }
}

class Diagram {
  constructor(figure) {
    this.figure = figure;
    this.source = figure.querySelector("pre");
    this.text = this.source.textContent;
    this.added = [];
  }

  show(answer) {
    const picture = imageOf(answer);
    if (!picture) {
      this.say(typeof answer.error === "string" ? answer.error : TOO_LONG);
      return;
    }
    this.clear();
    const view = document.createElement("div");
    view.className = "diagram";
    view.tabIndex = 0;
    view.append(picture);
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Source";
    details.append(summary);
    this.source.replaceWith(details);
    details.append(this.source);
    this.figure.prepend(view);
    this.added = [view, details];
  }

  say(words) {
    this.clear();
    const note = document.createElement("figcaption");
    note.className = "diagram-note";
    note.textContent = words;
    this.figure.append(note);
    this.added = [note];
  }

  clear() {
    this.figure.prepend(this.source);
    for (const element of this.added) element.remove();
    this.added = [];
  }
}

function imageOf({ svg, width, height, title, description }) {
  const fits = [width, height].every((size) => Number.isFinite(size) && size > 0 && size < WIDEST);
  if (typeof svg !== "string" || !fits) return null;
  const image = document.createElement("img");
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  image.width = Math.ceil(width);
  image.height = Math.ceil(height);
  const said = [title, description].filter((words) => typeof words === "string" && words);
  image.alt = said.join(". ").slice(0, 1000) || "A diagram, drawn from the source below";
  return image;
}
