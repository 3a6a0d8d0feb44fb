# SPDX-License-Identifier: Apache-2.0
"""What a revision says of itself: its card, its configuration, its model files' headers, its paths.

Computed when a commit lands and never at reading. The work is bounded whatever the size of the
repository: of its paths the first 1,000 are looked at, and a handful of well-known files.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from hubkeep.cards.facts import Facts, FileAtHead, describe
from hubkeep.cards.front_matter import split_front_matter
from hubkeep.cards.headers import FileHeader
from hubkeep.git import store
from hubkeep.git.store import Entry
from hubkeep.transfer.queries import linked_files

MAX_PATHS = 1000
_README = "README.md"
_CONFIG = "config.json"
_TOKENIZER = "tokenizer_config.json"
_WELL_KNOWN = (_README, _CONFIG, _TOKENIZER)
_HEADED = (".safetensors", ".gguf")
_MAX_HEADED = 500
_README_LIMIT = 2 << 20
_JSON_LIMIT = 4 << 20


def changes_facts(modified: Iterable[str], added_or_deleted: Sequence[str]) -> bool:
    """Say whether a change of these paths can change what the revision says of itself."""
    return bool(added_or_deleted) or any(
        path in _WELL_KNOWN or path.endswith(_HEADED) for path in modified
    )


def describe_tree(
    conn: Connection, repo_id: int, repo_type: str, repo_path: str, tree: bytes
) -> Facts:
    """Return the facts of the revision with this tree. Never fails on what the files hold."""
    listed = store.walk(conn, repo_id, tree, "", recursive=True, after=None, limit=MAX_PATHS)
    files = {entry.path: entry for entry in listed if entry.kind == "file"}
    for entry in store.entries(conn, repo_id, tree, _WELL_KNOWN):
        if entry.kind == "file":
            files[entry.path] = entry
    card = split_front_matter(_read(conn, repo_id, files.get(_README), _README_LIMIT))
    return describe(
        repo_type,
        card.data,
        [FileAtHead(path, entry.shown_size) for path, entry in files.items()],
        _json(_read(conn, repo_id, files.get(_CONFIG), _JSON_LIMIT)),
        _headers(conn, repo_id, files),
        card.error,
        body=card.body,
        repo_id=repo_path,
        tokenizer_config=_json(_read(conn, repo_id, files.get(_TOKENIZER), _JSON_LIMIT)),
    )


def _read(conn: Connection, repo_id: int, entry: Entry | None, limit: int) -> bytes:
    if entry is None or entry.lfs is not None or entry.size > limit:
        return b""
    return store.blob(conn, repo_id, entry.oid, limit)


def _json(data: bytes) -> dict[str, object] | None:
    try:
        value = msgspec.json.decode(data) if data else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _headers(conn: Connection, repo_id: int, files: Mapping[str, Entry]) -> dict[str, FileHeader]:
    by_path = {
        path: entry.lfs.sha256
        for path, entry in files.items()
        if entry.lfs is not None and path.endswith(_HEADED)
    }
    wanted = list(dict.fromkeys(by_path.values()))[:_MAX_HEADED]
    held = linked_files(conn, repo_id, wanted)
    known = {oid: file.header for oid, file in held.items() if file.header is not None}
    return {
        path: msgspec.json.decode(known[oid], type=FileHeader)
        for path, oid in by_path.items()
        if oid in known
    }
