# SPDX-License-Identifier: Apache-2.0
"""The cards of the demonstration's repositories; OWNER is replaced by the account's name."""

BASE_CARD = """---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-classification
tags:
- sentiment
- demo
datasets:
- OWNER/reviews
metrics:
- accuracy
co2_eq_emissions:
  emissions: 12.5
  source: estimated from the hours of training
  training_type: pre-training
  geographical_location: Lyon, France
  hardware_used: 1 x T4 GPU
---

# Tiny sentiment

A BERT of two layers with random weights, for trying out a hub: its answers mean nothing.

## Use

```python
from transformers import pipeline

pipeline("text-classification", "OWNER/tiny-sentiment")("a great film")
```

## Training

None. The emissions in the card are made up.
"""

FINETUNED_CARD = """---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-classification
base_model: OWNER/tiny-sentiment
base_model_relation: finetune
tags:
- sentiment
- demo
datasets:
- OWNER/reviews
metrics:
- accuracy
co2_eq_emissions:
  emissions: 0.8
  source: estimated from the minutes of training
  training_type: fine-tuning
  geographical_location: Lyon, France
  hardware_used: 1 x T4 GPU
model-index:
- name: tiny-sentiment-finetuned
  results:
  - task:
      type: text-classification
    dataset:
      name: reviews
      type: OWNER/reviews
      split: test
    metrics:
    - type: accuracy
      value: 0.5
---

# Tiny sentiment, fine-tuned

[OWNER/tiny-sentiment](/OWNER/tiny-sentiment) with a little noise added.
Its accuracy is that of a coin.
"""

PICKLE_CARD = """---
license: mit
language: en
library_name: transformers
pipeline_tag: text-classification
base_model: OWNER/tiny-sentiment
tags:
- sentiment
- demo
datasets:
- OWNER/reviews
co2_eq_emissions: 0
---

# Tiny sentiment, pickled

The weights of OWNER/tiny-sentiment as `pytorch_model.bin`, the format of before safetensors.
Loading a pickle runs what it says: prefer the other one.
"""

DATASET_CARD = """---
license: cc-by-4.0
language:
- en
task_categories:
- text-classification
task_ids:
- sentiment-classification
pretty_name: Reviews
size_categories:
- n<1K
tags:
- demo
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/test-*
---

# Reviews

Four sentences about films and books, over and over: `text`, and `label`, 1 for the kind ones.
"""

SPACE_CARD = """---
title: Kind or unkind?
emoji: 🎬
colorFrom: blue
colorTo: green
sdk: static
pinned: false
license: apache-2.0
models:
- OWNER/tiny-sentiment
datasets:
- OWNER/reviews
tags:
- demo
---

# Kind or unkind?

A page without a server: it looks words up in `words.json`, which it fetches from this repository.

```mermaid
flowchart LR
  sentence[A sentence] --> words[Its words]
  list[words.json] --> weights
  words --> weights[Their weights] --> mean[The mean]
```
"""
