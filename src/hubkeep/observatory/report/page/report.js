// SPDX-License-Identifier: Apache-2.0
// The report: draws charts when they come into view, writes files of what the page holds, and
// shows the figures that somebody looks for. Everything that a snapshot says is text here.

"use strict";

(() => {
  const root = document.documentElement;
  const articles = [...document.querySelectorAll("article")];
  const harmful = /^[=+\-@\t\r]/;

  const held = (article) => JSON.parse(article.querySelector("script").textContent);

  function records({ columns, rows }) {
    return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
  }

  function chartOf({ document: { chart, table, points } }) {
    const datasets = { table: records(table) };
    for (const [name, one] of Object.entries(points)) datasets[name] = records(one);
    return { ...chart, datasets };
  }

  function pictureOf(data) {
    return { ...chartOf(data), padding: 16, title: data.heading };
  }

  function draw(article) {
    const holder = article.querySelector(".chart");
    if (!holder || !holder.checkVisibility()) return;
    try {
      globalThis.hubkeepCharts.draw(holder, chartOf(held(article)));
    } catch (error) {
      holder.textContent = `This chart cannot be drawn here: ${error.message}`;
    }
  }

  const drawn = () => articles.filter((one) => one.querySelector(".chart[data-drawn]"));

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      draw(target);
    }
  }, { rootMargin: "800px" });

  const text = ({ table: { columns, rows } }) =>
    [columns, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";

  // A text that a spreadsheet would run begins with an apostrophe.
  function cell(value) {
    if (value === null) return "";
    const written = typeof value === "string" && harmful.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written;
  }

  const files = {
    csv: (data) => new Blob([text(data.document)], { type: "text/csv" }),
    json: (data) => new Blob([JSON.stringify(data.document, null, 1)], { type: "application/json" }),
    svg: async (data) =>
      new Blob([await globalThis.hubkeepCharts.svg(pictureOf(data))], { type: "image/svg+xml" }),
    png: (data) => globalThis.hubkeepCharts.png(pictureOf(data)),
  };

  async function save(article, kind) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await files[kind](held(article)));
    link.download = `${article.id}.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  function find(words) {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    for (const article of articles) {
      const said = article.dataset.said ??= [...article.children]
        .filter((one) => one.localName !== "script").map((one) => one.textContent).join(" ")
        .toLowerCase();
      article.hidden = !wanted.every((word) => said.includes(word));
      document.querySelector(`li[data-for="${article.id}"]`).hidden = article.hidden;
    }
    document.getElementById("none").hidden = articles.some((one) => !one.hidden);
  }

  function theme(chosen, buttons) {
    if (chosen) root.dataset.theme = chosen;
    else delete root.dataset.theme;
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.value === chosen));
    drawn().forEach(draw);
  }

  function printing(buttons) {
    let before = "";
    let closed = [];
    addEventListener("beforeprint", () => {
      before = root.dataset.theme ?? "";
      closed = [...document.querySelectorAll("details:not([open])")];
      for (const one of closed) one.open = true;
      theme("light", buttons);
      articles.forEach(draw);
    });
    addEventListener("afterprint", () => {
      for (const one of closed) one.open = false;
      theme(before, buttons);
    });
  }

  document.getElementById("plain").remove();
  const box = document.getElementById("find");
  box.hidden = false;
  box.addEventListener("input", () => find(box.value));
  const themes = document.querySelector(".themes");
  const buttons = [...themes.querySelectorAll("button")];
  themes.hidden = false;
  for (const one of buttons) one.addEventListener("click", () => theme(one.value, buttons));
  theme("", buttons);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn().forEach(draw));
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    requestAnimationFrame(() => drawn().forEach(draw));
  });
  for (const article of articles) {
    seen.observe(article);
    const row = article.querySelector(".buttons");
    row.hidden = false;
    for (const one of row.children) one.addEventListener("click", () => save(article, one.value));
  }
  printing(buttons);
})();
