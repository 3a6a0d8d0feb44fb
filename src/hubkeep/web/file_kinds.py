# SPDX-License-Identifier: Apache-2.0
"""How a file is shown, by its name and its size."""

from typing import Literal

from hubkeep.git.store import Entry

FileKind = Literal[
    "text",
    "markdown",
    "table",
    "notebook",
    "shards",
    "parquet",
    "image",
    "audio",
    "video",
    "weights",
    "binary",
    "large",
    "symlink",
    "submodule",
]

TEXT_LIMIT = 1 << 20
READ_LIMIT = 10 << 20
"""Bytes of a table, of which the beginning is shown, and of a notebook, which is mostly images."""

IMAGE_LIMIT = 2 << 20
"""Bytes of an SVG drawing: it is a text that browsers have to work through."""

_MEDIA: dict[str, FileKind] = {
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "ico", "svg"), "image"),
    **dict.fromkeys(("mp3", "wav", "flac", "ogg", "oga", "m4a", "opus", "aac"), "audio"),
    **dict.fromkeys(("mp4", "webm", "mov", "ogv", "m4v"), "video"),
}
_READ: dict[str, FileKind] = {
    **dict.fromkeys(("md", "markdown"), "markdown"),
    **dict.fromkeys(("csv", "tsv"), "table"),
    "ipynb": "notebook",
}
_SHARDS = ".safetensors.index.json"
_LOOKED_INTO: dict[str, FileKind] = {
    "parquet": "parquet",
    "safetensors": "weights",
    "gguf": "weights",
}
_WORDS = {
    **dict.fromkeys(("pkl", "pickle", "pt", "pth", "ckpt", "joblib"), "A file of pickled objects"),
    **dict.fromkeys(("bin", "h5", "onnx", "npz", "npy", "msgpack", "tflite", "pb"), "Numbers"),
    **dict.fromkeys(("zip", "tar", "gz", "tgz", "bz2", "xz", "zst", "7z"), "An archive"),
    **dict.fromkeys(("arrow", "feather"), "A table in columns"),
    "pdf": "A PDF document",
}


def suffix_of(path: str) -> str:
    """Return the end of a file's name in small letters, without the dot."""
    return path.rpartition("/")[2].rpartition(".")[2].lower()


def kind_of(entry: Entry, *, plain: bool) -> FileKind:
    """Return how a file is shown, as far as that can be said without reading it.

    `plain` is for text as it was written. A large file is read by the browser or not at all.
    """
    if entry.kind in ("symlink", "submodule"):
        return "symlink" if entry.kind == "symlink" else "submodule"
    suffix = suffix_of(entry.path)
    if suffix in _LOOKED_INTO and entry.shown_size:
        return _LOOKED_INTO[suffix]
    if suffix in _MEDIA and not (plain and suffix == "svg"):
        is_large = suffix == "svg" and entry.shown_size > IMAGE_LIMIT
        return "large" if is_large else _MEDIA[suffix]
    if entry.lfs is not None:
        return "binary"
    kind = "text" if plain else _rendered(entry.path)
    limit = READ_LIMIT if kind in ("table", "notebook", "shards") else TEXT_LIMIT
    return kind if entry.size <= limit else "large"


def _rendered(path: str) -> FileKind:
    return "shards" if path.endswith(_SHARDS) else _READ.get(suffix_of(path), "text")


def has_source(path: str) -> bool:
    """Whether a file is shown otherwise than it was written."""
    return suffix_of(path) == "svg" or _rendered(path) != "text"


def word_for(path: str) -> str:
    """Return what a file that is not shown is, as far as its name tells."""
    return _WORDS.get(suffix_of(path), "A binary file")
