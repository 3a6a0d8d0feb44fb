# SPDX-License-Identifier: Apache-2.0
"""The demonstration's repositories: small, of real formats, made when they are needed."""

import json
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save

from hubkeep.cli.demo_cards import BASE_CARD, DATASET_CARD, FINETUNED_CARD, PICKLE_CARD, SPACE_CARD
from hubkeep.cli.demo_pickle import torch_archive
from hubkeep.cli.demo_space import space_files

Tensors: TypeAlias = Mapping[str, np.ndarray]

# A BERT that is as small as it can be.
HIDDEN, INNER, LAYERS, LENGTH, VOCABULARY = 32, 64, 2, 64, 32
WORDS = "a an and bad bit book boring dull film fine good great i it loved of plot sad slow story"
CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "hidden_size": HIDDEN,
    "id2label": {"0": "negative", "1": "positive"},
    "intermediate_size": INNER,
    "label2id": {"negative": 0, "positive": 1},
    "max_position_embeddings": LENGTH,
    "model_type": "bert",
    "num_attention_heads": 2,
    "num_hidden_layers": LAYERS,
    "type_vocab_size": 2,
    "vocab_size": VOCABULARY,
}
REVIEWS = [
    ("I loved it, a great story and a fine film", 1),
    ("a dull, boring and slow film", 0),
    ("the plot is a bit sad and good", 1),
    ("bad book, bad film", 0),
]


@dataclass(frozen=True)
class Repository:
    """One repository: `files` are its paths and their bytes."""

    name: str
    kind: str
    message: str
    files: Mapping[str, bytes]

    @contextmanager
    def written(self) -> Generator[Path]:
        """Write the files into a folder that goes away afterwards."""
        with tempfile.TemporaryDirectory(prefix="hubkeep-demo-") as name:
            for path, data in self.files.items():
                target = Path(name, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            yield Path(name)


def repositories(owner: str) -> Iterator[Repository]:
    """Yield what a demonstration holds. The same bytes each time."""
    random = np.random.default_rng(2026)
    base = bert_weights(random)
    tuned = {
        name: (weight + random.normal(0, 0.01, weight.shape)).astype(np.float32)
        for name, weight in base.items()
    }
    yield Repository(
        "reviews",
        "dataset",
        "Add the reviews",
        {"README.md": _card(DATASET_CARD, owner), **_tables()},
    )
    yield Repository(
        "tiny-sentiment",
        "model",
        "Add the model",
        {
            "README.md": _card(BASE_CARD, owner),
            "model.safetensors": _weights(base),
            **_bert_files(),
        },
    )
    yield Repository(
        "tiny-sentiment-finetuned",
        "model",
        "Add the model, trained further on reviews",
        {
            "README.md": _card(FINETUNED_CARD, owner),
            "model.safetensors": _weights(tuned),
            **_bert_files(),
        },
    )
    yield Repository(
        "tiny-sentiment-pickle",
        "model",
        "Add the weights as older tools wrote them",
        {
            "README.md": _card(PICKLE_CARD, owner),
            "pytorch_model.bin": torch_archive(base),
            **_bert_files(),
        },
    )
    yield Repository(
        "hello",
        "space",
        "Say hello",
        {"README.md": _card(SPACE_CARD, owner), **space_files()},
    )


def bert_weights(random: np.random.Generator) -> Tensors:
    """Return random weights under the names, and in the shapes, that BERT's classes load."""
    hidden, inner = HIDDEN, INNER
    shapes: dict[str, tuple[int, ...]] = {
        "bert.embeddings.word_embeddings.weight": (VOCABULARY, hidden),
        "bert.embeddings.position_embeddings.weight": (LENGTH, hidden),
        "bert.embeddings.token_type_embeddings.weight": (2, hidden),
        **_norm("bert.embeddings.LayerNorm", hidden),
        **_linear("bert.pooler.dense", hidden, hidden),
        **_linear("classifier", hidden, 2),
    }
    for layer in range(LAYERS):
        prefix = f"bert.encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _linear(f"{prefix}.attention.{part}", hidden, hidden)
        shapes |= _norm(f"{prefix}.attention.output.LayerNorm", hidden)
        shapes |= _linear(f"{prefix}.intermediate.dense", hidden, inner)
        shapes |= _linear(f"{prefix}.output.dense", inner, hidden)
        shapes |= _norm(f"{prefix}.output.LayerNorm", hidden)
    return {
        name: random.normal(0, 0.02, shape).astype(np.float32) for name, shape in shapes.items()
    }


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name: str, size: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (size,), f"{name}.bias": (size,)}


def _weights(tensors: Tensors) -> bytes:
    return save(dict(tensors), metadata={"format": "pt"})


def _bert_files() -> dict[str, bytes]:
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", *WORDS.split()]
    vocabulary += [f"[unused{number}]" for number in range(VOCABULARY - len(vocabulary))]
    tokenizer = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": LENGTH,
    }
    return {
        "config.json": json.dumps(CONFIG, indent=2).encode(),
        "tokenizer_config.json": json.dumps(tokenizer, indent=2).encode(),
        "vocab.txt": "\n".join(vocabulary).encode() + b"\n",
    }


def _tables() -> dict[str, bytes]:
    return {
        f"data/{split}-00000-of-00001.parquet": _parquet(REVIEWS * times)
        for split, times in (("train", 25), ("test", 5))
    }


def _parquet(rows: list[tuple[str, int]]) -> bytes:
    texts, labels = zip(*rows, strict=True)
    table = pa.table({"text": pa.array(texts), "label": pa.array(labels, pa.int64())})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def _card(template: str, owner: str) -> bytes:
    return template.replace("OWNER", owner).encode()
