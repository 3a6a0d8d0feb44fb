# SPDX-License-Identifier: Apache-2.0
"""What the pages of the tests show: a model with all that cards and files may be, and the rest."""

import base64
import json
import struct
from dataclasses import dataclass

from tests.browser.site import Site
from tests.observatory.shelf import three

MODEL, DATASET, SPACE = "lighthouse", "weather-logs", "tide-table"
CARD = """---
license: apache-2.0
language: [en, fr]
library_name: transformers
pipeline_tag: text-generation
datasets: [alice/weather-logs]
tags: [weather, long-{long}]
co2_eq_emissions: {{emissions: 1250, source: measured, geographical_location: Bergen}}
model-index:
- name: lighthouse
  results:
  - task: {{type: text-generation}}
    dataset: {{name: Weather logs, type: alice/weather-logs, split: test}}
    metrics: [{{type: accuracy, value: 0.913}}, {{type: loss, value: 0.21}}]
---

# Lighthouse

A text with **strong**, *soft* and `code` words, a [link](https://example.org/), and
[a file](config.json). A word of no end: {long}.

## Tasks

- [x] done
- [ ] to do
  1. inner
  2. list

> [!NOTE]
> A notice within a quotation.

> A quotation, with a footnote.[^1]

[^1]: What the footnote says.

| Split | Rows | Accuracy | Remark |
| :--- | ---: | ---: | --- |
| train | 12,400 | 0.94 | {long} |
| test | 1,200 | 0.91 | a column that has enough words in it to be broken into several lines |

```python
from transformers import pipeline

pipeline("text-generation", "alice/lighthouse")("The sea is", max_new_tokens=12, do_sample=True)
```

```mermaid
flowchart LR
  sea --> log --> model
```

The loss is $L = -\\sum_i p_i \\log q_i$, and

$$\\int_0^1 x^2 \\, dx = \\frac{{1}}{{3}}$$

<details><summary>More of it</summary>

Press <kbd>Ctrl</kbd> and <kbd>C</kbd>.

</details>

![A picture of the repository](picture.png)

### The end

That was all.
""".format(long="Donaudampfschifffahrtsgesellschaft" * 4)

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Look\n", "at the logs"]},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ["42\n"]}],
            "source": ["print(6 * 7)"],
        },
    ],
    "metadata": {"language_info": {"name": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
CSV = "day,place,wind\n" + "".join(
    f"2026-01-{day:02},Bergen,{day * 3 % 17}\n" for day in range(1, 29)
)
CODE = '''"""Reads the logs."""

import json


def read(path: str) -> list[dict]:
    """Return the rows, oldest first."""
    with open(path) as file:
        return sorted(map(json.loads, file), key=lambda row: row["day"])
'''


@dataclass(frozen=True)
class Content:
    """Names and hashes that addresses are made of."""

    model: str = f"alice/{MODEL}"
    dataset: str = f"datasets/alice/{DATASET}"
    space: str = f"spaces/alice/{SPACE}"
    empty: str = "alice/empty"
    private: str = "alice/diary"
    first: str = ""
    last: str = ""


def fill(site: Site) -> Content:
    """Put the repositories into a hub, and return what they are called."""
    three(site.hub.data / "snapshots")
    model = site.create(MODEL)
    first = site.commit(
        model,
        {
            "README.md": CARD,
            "config.json": json.dumps({"model_type": "llama", "hidden_size": 64}, indent=2),
            "src/read.py": CODE,
            "notes/deep/er/still.txt": "A file far down.\n",
            "look.ipynb": json.dumps(NOTEBOOK),
            "table.csv": CSV,
            "picture.png": PIXEL,
            "model.safetensors": safetensors(),
            "data.bin": b"\x00\x01\x02\x03" * 64,
        },
        summary="Add the model",
    )
    changed = CODE.replace("oldest first", "newest first").replace("]))", "], reverse=True))")
    last = site.commit(
        model,
        {"src/read.py": changed, "notes/new.md": "# New\n"},
        summary="Read the newest first\n\nThe logs grew long.",
    )
    site.api("POST", f"/api/models/{model}/branch/calm", json={})
    site.api("POST", f"/api/models/{model}/tag/main", json={"tag": "v1.0", "message": "First"})
    dataset = site.create(DATASET, kind="dataset")
    site.commit(dataset, {"README.md": DATASET_CARD, "logs.csv": CSV}, kind="dataset")
    space = site.create(SPACE, kind="space", sdk="static")
    page = "<!doctype html><title>Tides</title><h1>Tides</h1>"
    site.commit(space, {"README.md": SPACE_CARD, "index.html": page}, kind="space")
    site.create("empty")
    site.create("diary", private=True)
    site.commit("alice/diary", {"README.md": "# Diary\n"})
    tuned = site.create("lighthouse-tuned", user="bob")
    site.commit(tuned, {"README.md": TUNED_CARD}, user="bob")
    for liker in ("alice", "bob"):
        site.api("POST", f"/api/models/{model}/like", user=liker)
    return Content(first=first, last=last)


DATASET_CARD = """---
license: cc-by-4.0
language: [en]
task_categories: [text-generation]
size_categories: [n<1K]
---

# Weather logs

A month of wind.
"""
SPACE_CARD = """---
title: Tide table
emoji: 🌊
colorFrom: blue
colorTo: green
sdk: static
license: mit
---

# Tide table
"""
TUNED_CARD = """---
license: apache-2.0
base_model: alice/lighthouse
base_model_relation: finetune
pipeline_tag: text-generation
---

# Lighthouse, tuned
"""


def safetensors() -> bytes:
    """Two tensors of zeros, as the format has them."""
    header = json.dumps(
        {
            "embed.weight": {"dtype": "F32", "shape": [16, 8], "data_offsets": [0, 512]},
            "head.weight": {"dtype": "BF16", "shape": [8, 8], "data_offsets": [512, 640]},
        }
    ).encode()
    return struct.pack("<Q", len(header)) + header + bytes(640)
