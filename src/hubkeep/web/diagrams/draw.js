// SPDX-License-Identifier: Apache-2.0
// Draws Mermaid diagrams for the page of the hub that frames this one: a text comes, a picture goes
// back. Only pages of the hub may frame it (frame-ancestors), so the parent is one of them.

import mermaid from "./mermaid-12.3.0/mermaid.esm.min.mjs";

const FONT = "system-ui, sans-serif";
const MAX_SVG = 4_000_000;

// The tokens of the hub's sheet, as far as they fit.
const COLOURS = {
  light: {
    darkMode: false,
    background: "#ffffff",
    primaryColor: "#e3f0ec",
    primaryTextColor: "#1a211f",
    primaryBorderColor: "#0d6457",
    secondaryColor: "#fbf0d9",
    tertiaryColor: "#e8eaf6",
    lineColor: "#55605c",
    textColor: "#1a211f",
    noteBkgColor: "#fff0b8",
    noteTextColor: "#1a211f",
    noteBorderColor: "#7d5200",
  },
  dark: {
    darkMode: true,
    background: "#181d1c",
    primaryColor: "#15312b",
    primaryTextColor: "#e7ebe9",
    primaryBorderColor: "#62cbb6",
    secondaryColor: "#33270e",
    tertiaryColor: "#23283f",
    lineColor: "#a0aca7",
    textColor: "#e7ebe9",
    noteBkgColor: "#4a3d10",
    noteTextColor: "#e7ebe9",
    noteBorderColor: "#e5b558",
  },
};

addEventListener("message", async (event) => {
  if (event.source !== parent) return;
  const { id, text, theme } = event.data;
  parent.postMessage({ id, ...(await drawn(id, text, theme)) }, event.origin);
});
parent.postMessage({ isReady: true }, "*");

async function drawn(id, text, theme) {
  mermaid.initialize(settings(theme));
  try {
    const { svg, diagramType } = await mermaid.render(`diagram-${id}`, text);
    return picture(svg, diagramType);
  } catch (error) {
    return { error: String(error?.message ?? error).slice(0, 2000) };
  } finally {
    document.body.replaceChildren();
  }
}

function settings(theme) {
  return {
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    deterministicIds: true,
    // ELK, which is the default, is 1.6 MB and not part of what comes with the hub.
    layout: "dagre",
    // A picture has no HTML in it: labels are SVG's own text.
    htmlLabels: false,
    flowchart: { htmlLabels: false },
    class: { htmlLabels: false },
    look: "classic",
    theme: "base",
    themeVariables: { ...COLOURS[theme], fontFamily: FONT },
    fontFamily: FONT,
    maxTextSize: 50_000,
    maxEdges: 500,
    // What no diagram may set for itself.
    secure: [
      "secure",
      "securityLevel",
      "startOnLoad",
      "maxTextSize",
      "maxEdges",
      "suppressErrorRendering",
      "layout",
      "htmlLabels",
      "fontFamily",
      "themeCSS",
    ],
  };
}

// The picture as a file of its own, with its size in pixels and what it says of itself.
function picture(svg, kind) {
  const root = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
  const [, , width, height] = (root.getAttribute("viewBox") ?? "0 0 800 600").split(/[\s,]+/);
  root.setAttribute("width", width);
  root.setAttribute("height", height);
  const written = new XMLSerializer().serializeToString(root);
  if (written.length > MAX_SVG) return { error: "The diagram is too large to be shown" };
  const said = (name) => root.querySelector(`:scope > ${name}`)?.textContent.trim().slice(0, 500);
  return {
    svg: written,
    width: Number(width),
    height: Number(height),
    kind: String(kind ?? ""),
    title: said("title") ?? "",
    description: said("desc") ?? "",
  };
}
