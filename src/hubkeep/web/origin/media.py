# SPDX-License-Identifier: Apache-2.0
"""What a file of a Space is to a browser, by the end of its name: the same on every machine."""

from hubkeep.content.opening import OpenFile
from hubkeep.content.upload_mode import SAMPLE, is_binary
from hubkeep.web.media_types import MEDIA

_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"

_TYPES = {
    # pages
    "html": "text/html; charset=utf-8",
    "htm": "text/html; charset=utf-8",
    "xhtml": "application/xhtml+xml; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "map": "application/json; charset=utf-8",
    "webmanifest": "application/manifest+json; charset=utf-8",
    "wasm": "application/wasm",
    "xml": "application/xml; charset=utf-8",
    "pdf": "application/pdf",
    # texts
    "txt": _TEXT,
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    **MEDIA,
    # fonts
    "woff2": "font/woff2",
    "woff": "font/woff",
    "ttf": "font/ttf",
    "otf": "font/otf",
    # scenes
    "glb": "model/gltf-binary",
    "gltf": "model/gltf+json",
}


def media_type(opened: OpenFile) -> str:
    """Return the `Content-Type` of a file; text is plain and the rest bytes where nobody knows."""
    suffix = opened.entry.path.rpartition("/")[2].rpartition(".")[2].lower()
    known = _TYPES.get(suffix)
    if known is not None:
        return known
    is_text = opened.content is not None and not is_binary(opened.content[:SAMPLE])
    return _TEXT if is_text else _BYTES
