# SPDX-License-Identifier: Apache-2.0
"""The library of a model and the formats that its files are in.

Sources: https://huggingface.co/docs/hub/model-cards#specifying-a-library (the card, then a tag
that names a library, then the files, then transformers where there is a `config.json`) and, for
the order of the tags, the tags of the Hub's own models.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from hubkeep.cards.query_files import RULES
from hubkeep.cards.values import clean

# Libraries that a tag can name, besides those with their own rule for downloads.
_NAMES = """
    allennlp bertopic espnet fairseq fastai keras-hub lerobot llama-cpp-python mamba-ssm mlx
    model2vec PaddleOCR pyannote-audio pythae saelens sentence-transformers setfit span-marker
    tensorflowtts transformers transformers.js
"""
_OTHER_LIBRARIES = frozenset(_NAMES.split())

# Root files that give a library away, the most telling first.
_TELLING_FILES = (
    ("*.nemo", "nemo"),
    ("model_index.json", "diffusers"),
    ("config_sentence_transformers.json", "sentence-transformers"),
    ("sentence_bert_config.json", "sentence-transformers"),
    ("adapter_config.json", "peft"),
    ("open_clip_config.json", "open_clip"),
    ("saved_model.pb", "tf-keras"),
    ("*.keras", "keras"),
    ("sklearn_model.joblib", "sklearn"),
    ("config_setfit.json", "setfit"),
    ("hyperparams.yaml", "speechbrain"),
    ("mlc-chat-config.json", "mlc-llm"),
    ("cfg.json", "sample-factory"),
)

# Format tag -> patterns of whole paths, in the order in which the tags are written. The weights of
# frameworks count in the root alone, as on the Hub: those in folders are parts or checkpoints.
_FORMATS = (
    ("pytorch", ("pytorch_model*.bin",)),
    ("tf", ("tf_model*.h5",)),
    ("jax", ("flax_model*.msgpack",)),
    ("tflite", ("*.tflite",)),
    ("rust", ("rust_model.ot",)),
    ("coreml", ("*.mlmodel", "*.mlpackage/*", "*.mlmodelc/*")),
    ("tensorboard", ("runs/*", "logs/*tfevents*", "*.tfevents.*")),
    ("onnx", ("*.onnx",)),
    ("safetensors", ("*.safetensors",)),
    ("openvino", ("openvino_model*.xml", "*/openvino_model*.xml")),
    ("gguf", ("*.gguf",)),
    ("joblib", ("*.joblib",)),
    ("keras", ("*.keras",)),
    ("paddlepaddle", ("*.pdparams",)),
)


def is_library(name: str) -> bool:
    """Whether a tag of this name says which library a model is for."""
    return name in RULES or name in _OTHER_LIBRARIES


def find_library(
    card: Mapping[str, object],
    tags: Sequence[str],
    paths: Sequence[str],
    config: Mapping[str, object],
) -> str | None:
    """The name of a model's library, None when nothing tells."""
    stated = clean(card.get("library_name"), 64)
    if stated is not None:
        return stated
    for tag in tags:
        if is_library(tag):
            return tag
    root = [path for path in paths if "/" not in path]
    for pattern, library in _TELLING_FILES:
        if any(fnmatchcase(path, pattern) for path in root):
            return library
    if "config.json" in root and ("architectures" in config or "model_type" in config):
        return "transformers"
    return "gguf" if any(path.endswith(".gguf") for path in paths) else None


def format_tags(paths: Sequence[str]) -> list[str]:
    """The tags of the formats that the files are in, each once."""
    return [
        tag
        for tag, patterns in _FORMATS
        if any(fnmatchcase(path, pattern) for pattern in patterns for path in paths)
    ]
