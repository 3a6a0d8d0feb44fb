# SPDX-License-Identifier: Apache-2.0
"""How a file is shown, by its name and its size."""

from typing import Literal

from hubkeep.git.store import Entry

FileKind = Literal[
    "text",
    "markdown",
    "table",
    "notebook",
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

# What the hub sends as a file of unknown type, and browsers know from its first bytes: not SVG.
_MEDIA: dict[str, FileKind] = {
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "ico"), "image"),
    **dict.fromkeys(("mp3", "wav", "flac", "ogg", "oga", "m4a", "opus", "aac"), "audio"),
    **dict.fromkeys(("mp4", "webm", "mov", "ogv", "m4v"), "video"),
}
_READ: dict[str, FileKind] = {
    **dict.fromkeys(("md", "markdown"), "markdown"),
    **dict.fromkeys(("csv", "tsv"), "table"),
    "ipynb": "notebook",
}
_WEIGHTS = ("safetensors", "gguf")
_WORDS = {
    **dict.fromkeys(("pkl", "pickle", "pt", "pth", "ckpt", "joblib"), "A file of pickled objects"),
    **dict.fromkeys(("bin", "h5", "onnx", "npz", "npy", "msgpack", "tflite", "pb"), "Numbers"),
    **dict.fromkeys(("zip", "tar", "gz", "tgz", "bz2", "xz", "zst", "7z"), "An archive"),
    **dict.fromkeys(("parquet", "arrow", "feather"), "A table in columns"),
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
    if suffix in _MEDIA:
        return _MEDIA[suffix]
    if entry.lfs is not None:
        return "weights" if suffix in _WEIGHTS else "binary"
    kind = "text" if plain else _READ.get(suffix, "text")
    limit = READ_LIMIT if kind in ("table", "notebook") else TEXT_LIMIT
    return kind if entry.size <= limit else "large"


def has_source(path: str) -> bool:
    """Whether a file is shown otherwise than it was written."""
    return suffix_of(path) in _READ


def word_for(path: str) -> str:
    """Return what a file that is not shown is, as far as its name tells."""
    return _WORDS.get(suffix_of(path), "A binary file")
