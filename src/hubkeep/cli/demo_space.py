# SPDX-License-Identifier: Apache-2.0
"""The demonstration's static Space: a page, its style, a module and the data that it fetches."""

from collections.abc import Mapping

INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Kind or unkind?</title>
<link rel="stylesheet" href="style.css">
<script type="module" src="app.js"></script>
</head>
<body>
<main>
<h1>Kind or unkind?</h1>
<p>Write a sentence about a film. Its words are looked up in a short list, right here in your
browser: no model, and no server.</p>
<label for="text">A sentence</label>
<textarea id="text" rows="3" maxlength="500">I loved it, a great story and a fine film</textarea>
<div class="scale" role="meter" aria-label="Kindness" aria-valuemin="-1" aria-valuemax="1">
<span id="mark"></span>
</div>
<p class="ends" aria-hidden="true"><span>unkind</span><span>kind</span></p>
<p id="verdict" role="status"></p>
<ul id="words" aria-label="Words that count"></ul>
</main>
</body>
</html>
"""

STYLE = """:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf7, #111514);
  --ink: light-dark(#1a211f, #e7ebe9);
  --soft: light-dark(#55605c, #a0aca7);
  --rule: light-dark(#d8d3c8, #2f3836);
  --kind: light-dark(#0d6457, #62cbb6);
  --unkind: light-dark(#a3301c, #f0957f);
}

body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif;
}

main {
  max-width: 34rem;
  margin: 0 auto;
  padding: 2rem 1.25rem;
}

h1 { margin: 0 0 0.5rem; font-size: 1.75rem; letter-spacing: -0.02em; }
p { margin: 0 0 1rem; }
label { display: block; color: var(--soft); font-size: 0.875rem; }

textarea {
  width: 100%;
  box-sizing: border-box;
  margin: 0.25rem 0 1.5rem;
  padding: 0.75rem;
  border: 1px solid var(--soft);
  border-radius: 6px;
  background: transparent;
  color: inherit;
  font: inherit;
  resize: vertical;
}

textarea:focus-visible { outline: 2px solid var(--kind); outline-offset: 2px; }

.scale {
  position: relative;
  height: 0.5rem;
  border-radius: 1rem;
  background: linear-gradient(90deg, var(--unkind), var(--rule), var(--kind));
}

#mark {
  position: absolute;
  inset: 50% auto auto 50%;
  width: 1.25rem;
  height: 1.25rem;
  border: 3px solid var(--paper);
  border-radius: 50%;
  background: var(--ink);
  transform: translate(-50%, -50%);
}

@media (prefers-reduced-motion: no-preference) { #mark { transition: left 200ms; } }

.ends {
  display: flex;
  justify-content: space-between;
  margin: 0.5rem 0 1rem;
  color: var(--soft);
  font-size: 0.875rem;
}

#verdict { min-height: 1.55em; font-size: 1.125rem; font-weight: 600; }
ul { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0; padding: 0; list-style: none; }
li { padding: 0 0.625rem; border: 1px solid; border-radius: 1rem; font-size: 0.875rem; }
.kind { color: var(--kind); }
.unkind { color: var(--unkind); }
"""

APP = """import { score } from "./score.js";

const weights = await (await fetch("words.json")).json();
const [text, mark, scale, verdict, words] = ["#text", "#mark", ".scale", "#verdict", "#words"].map(
  (name) => document.querySelector(name),
);

function show() {
  const { value, counted } = score(text.value, weights);
  mark.style.left = `${50 + 50 * value}%`;
  scale.setAttribute("aria-valuenow", value.toFixed(2));
  const word = value > 0 ? "Kind" : value < 0 ? "Unkind" : "Undecided";
  verdict.textContent = counted.length ? word : "Who can say?";
  words.replaceChildren(
    ...counted.map(({ word, weight }) => {
      const item = document.createElement("li");
      item.className = weight > 0 ? "kind" : "unkind";
      item.textContent = word;
      return item;
    }),
  );
}

text.addEventListener("input", show);
show();
"""

SCORE = """// The mean weight of the words that have one: from -1, unkind, to 1, kind.
export function score(text, weights) {
  const counted = text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => Object.hasOwn(weights, word))
    .map((word) => ({ word, weight: weights[word] }));
  const sum = counted.reduce((total, { weight }) => total + weight, 0);
  return { value: counted.length ? sum / counted.length : 0, counted };
}
"""

WORDS = """{
  "bad": -0.8, "boring": -0.9, "dull": -0.7, "sad": -0.3, "slow": -0.5, "awful": -1, "worst": -1,
  "good": 0.6, "great": 0.9, "fine": 0.5, "loved": 1, "love": 1, "kind": 0.6, "best": 1, "fun": 0.7
}
"""


def space_files() -> Mapping[str, bytes]:
    """Return the files of the Space by their paths."""
    texts = {
        "index.html": INDEX,
        "style.css": STYLE,
        "app.js": APP,
        "score.js": SCORE,
        "words.json": WORDS,
    }
    return {path: text.encode() for path, text in texts.items()}
