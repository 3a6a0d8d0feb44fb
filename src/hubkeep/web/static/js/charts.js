// SPDX-License-Identifier: Apache-2.0
// Draws charts of Vega-Lite: no eval, no network, text that stays text. A classic script, since
// Vega is one, and since a report that is a single file cannot import. It comes after Vega's three
// files and makes one global, `hubkeepCharts`.

"use strict";

globalThis.hubkeepCharts = (() => {
  const { vega, vegaLite, vegaInterpreter } = globalThis;
  const NARROW = 560;
  const LEAST = 96; // a panel is never narrower
  const PANEL = 60; // what is narrower is a strip for zeros, and keeps its width
  const WIDE = 560; // what a panel is taken to be wide that is as wide as its columns
  const LETTER = 7; // how wide a letter of a title is
  const PADDING = 5; // what Vega leaves around a chart
  const LONGEST = 200; // letters of a value in a tooltip
  const WHITE = { ink: "#1a211f", soft: "#4a5551", rule: "#e3dfd6", edge: "#87908c" };
  const views = new WeakMap();
  const refused = () => Promise.reject(new Error("charts load nothing"));
  const loader = { load: refused, sanitize: refused, http: refused, file: refused, options: {} };

  // Draw a specification, with its data in it, into an element: in the colours and the font of the
  // page around it, and as wide as there is room. What was drawn there before is replaced.
  // Throws where the specification is none.
  function draw(holder, spec) {
    remove(holder);
    const look = { ...colours(holder), font: getComputedStyle(holder).fontFamily };
    const room = Math.floor(holder.getBoundingClientRect().width);
    const narrow = room < NARROW;
    let target = Math.min(room, widest(spec));
    let view = null;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      view?.finalize();
      holder.replaceChildren();
      view = viewOf(attempt || narrow ? fitted(spec, room, target) : spec, look, {
        renderer: "svg",
        container: holder,
        hover: true,
        tooltip,
      });
      view.run();
      // The picture itself comes a moment later; how large it will be is known by now.
      const over = Math.ceil(view.scenegraph().root.bounds.width()) + 2 * PADDING - room;
      if (over <= 0 || target === LEAST) break;
      target = Math.max(LEAST, target - Math.ceil(over / (narrow ? 1 : beside(spec))));
    }
    // The element around it says what the picture shows; a table has its numbers.
    holder.querySelector("svg").setAttribute("aria-hidden", "true");
    holder.dataset.drawn = "";
    views.set(holder, view);
    return view;
  }

  // Take away what was drawn in an element.
  function remove(holder) {
    views.get(holder)?.finalize();
    views.delete(holder);
    holder.replaceChildren();
    delete holder.dataset.drawn;
  }

  // The text of an SVG file: dark on white, whatever the page looks like.
  async function svg(spec) {
    return await onPaper(spec).toSVG();
  }

  // The bytes of a PNG file, each point of the chart `scale` pixels wide.
  async function png(spec, scale = 2) {
    const canvas = await onPaper(spec).toCanvas(scale);
    return await new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  function onPaper(spec) {
    const view = viewOf(spec, { ...WHITE, font: "system-ui, sans-serif" }, { renderer: "none" });
    return view.background("#ffffff");
  }

  function viewOf(spec, look, options) {
    const config = vega.mergeConfig({}, spec.config ?? {}, configOf(look));
    const datasets = Object.fromEntries(Object.entries(spec.datasets ?? {})
      .map(([name, rows]) => [name, rows.map(told)]));
    const whole = vegaLite.compile({ ...spec, config, datasets }, { logger: vega.logger(vega.Error) }).spec;
    return new vega.View(vega.parse(whole, null, { ast: true }), {
      expr: vegaInterpreter.expressionInterpreter,
      loader,
      logLevel: vega.Error,
      ...options,
    });
  }

  // Vega keeps what it groups by in plain objects, in which a name such as "constructor" is there
  // before anybody puts it in: such names get a letter that nobody sees.
  function told(row) {
    if (!Object.values(row).some(isTaken)) return row;
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, isTaken(value) ? `${value}\u2060` : value]),
    );
  }

  const isTaken = (value) => typeof value === "string" && value in Object.prototype;

  function configOf({ ink, soft, rule, edge, font }) {
    return {
      font,
      axis: { gridColor: rule, domainColor: edge, tickColor: edge, gridOpacity: 1 },
      style: {
        "guide-label": { fill: soft, font },
        "guide-title": { fill: ink, font },
        "group-title": { fill: ink, font },
        "group-subtitle": { fill: soft, font },
      },
    };
  }

  // The page's own colours as they are now: they differ in light and in dark.
  function colours(holder) {
    const probe = holder.appendChild(document.createElement("span"));
    const of = (name) => {
      probe.style.color = `var(--${name}, ${WHITE[name]})`;
      return getComputedStyle(probe).color;
    };
    const found = { ink: of("ink"), soft: of("soft"), rule: of("rule"), edge: of("edge") };
    probe.remove();
    return found;
  }

  // The same chart for less room: panels as wide as `target`, one below the other where there is
  // none beside each other, shorter labels, legends below.
  function fitted(spec, room, target) {
    const config = vega.mergeConfig({}, spec.config ?? {}, {
      axis: { labelLimit: Math.round(Math.min(room * 0.36, 260)) },
      text: room < NARROW ? { limit: Math.round(room * 0.45) } : {},
      legend: room < NARROW
        ? { orient: "bottom", direction: "vertical", columns: 1, labelLimit: room - 90 } : {},
    });
    return { ...resized(spec, room, target), config };
  }

  function resized(node, room, target) {
    if (Array.isArray(node)) return node.map((one) => resized(one, room, target));
    if (node === null || typeof node !== "object") return node;
    const made = {};
    for (const [key, value] of Object.entries(node)) {
      if (key === "datasets" || key === "data") made[key] = value;
      else if (key === "encoding") made.encoding = wrapped(value, target / LETTER);
      else if (key === "width" && value > PANEL) made.width = Math.min(value, target);
      else if (key === "width" && value.step) made.width = { step: stepOf(value, target) };
      else made[key] = resized(value, room, target);
    }
    if (made.hconcat && beside(made) > 1 && (room < NARROW || target < 1.5 * LEAST)) {
      made.vconcat = made.hconcat.map(labelled);
      delete made.hconcat;
    }
    if (made.columns > 1 && room < NARROW) made.columns = 1;
    return made;
  }

  // A panel that has got another one's labels beside it, with labels of its own.
  function labelled(node) {
    if (Array.isArray(node)) return node.map(labelled);
    if (node === null || typeof node !== "object") return node;
    const made = { ...node };
    if (made.encoding?.y?.axis === null) {
      const { axis, ...y } = made.encoding.y;
      made.encoding = { ...made.encoding, y };
    }
    if (made.layer) made.layer = labelled(made.layer);
    return made;
  }

  // An encoding whose title below the axis has several lines, if it is longer than the axis.
  function wrapped(encoding, letters) {
    const title = encoding.x?.title;
    if (typeof title !== "string" || title.length <= letters) return encoding;
    const lines = [""];
    for (const word of title.split(" ")) {
      const last = lines.at(-1);
      if (last && last.length + word.length >= letters) lines.push(word);
      else lines[lines.length - 1] = last ? `${last} ${word}` : word;
    }
    return { ...encoding, x: { ...encoding.x, title: lines } };
  }

  // How wide a column is where there are about as many as fit: not known here, and tried out.
  function stepOf({ step }, target) {
    return Math.max(20, Math.min(step, (step * target) / WIDE));
  }

  // The width of the widest panel.
  function widest(node) {
    if (node === null || typeof node !== "object") return 0;
    const inner = Object.entries(node).map(([key, value]) =>
      key === "width" ? (value.step ? WIDE : value)
        : key === "datasets" || key === "data" || key === "encoding" ? 0 : widest(value));
    return Math.max(0, ...inner);
  }

  // How many panels that can be narrower stand beside each other.
  function beside(node) {
    if (node === null || typeof node !== "object") return 0;
    if (node.hconcat) return node.hconcat.reduce((sum, one) => sum + beside(one), 0);
    const inner = [...(node.vconcat ?? []), ...(node.layer ?? []), node.spec];
    return Math.max(node.width > PANEL ? 1 : 0, ...inner.map(beside));
  }

  function tooltip(_handler, event, _item, value) {
    const box = document.querySelector(".chart-tooltip")
      ?? document.body.appendChild(document.createElement("div"));
    box.className = "chart-tooltip";
    box.hidden = value === null || value === undefined || value === "";
    if (box.hidden) return;
    const rows = typeof value === "object" ? Object.entries(value) : [["", value]];
    box.replaceChildren(...rows.flatMap(([name, what]) => [line("dt", name), line("dd", what)]));
    const { width, height } = box.getBoundingClientRect();
    const x = Math.min(event.clientX + 12, document.documentElement.clientWidth - width - 8);
    const below = event.clientY + 12;
    const y = below + height > innerHeight ? event.clientY - height - 8 : below;
    box.style.left = `${Math.max(4, x)}px`;
    box.style.top = `${Math.max(4, y)}px`;
  }

  function line(kind, value) {
    const text = String(value);
    const made = document.createElement(kind);
    made.textContent = text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
    return made;
  }

  return { draw, remove, svg, png };
})();
