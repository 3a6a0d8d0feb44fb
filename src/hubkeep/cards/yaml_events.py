# SPDX-License-Identifier: Apache-2.0
"""YAML to JSON-like values under a budget.

PyYAML's own constructors make Python objects (dates, sets, NaN), follow YAML 1.1 (`no` is false,
`1:30` is 90) and expand aliases without limit. This builds from the parser's events instead:

* plain scalars as the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), which
  is what huggingface.co's parser reads: `no`, `yes`, `on` and dates stay strings;
* NaN and infinities become null, integers past 64 bits keep their digits as a string;
* depth, nodes and characters are counted as they are after the expansion of aliases.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import yaml

from hubkeep.cards.values import encodable

MAX_DEPTH = 64
MAX_NODES = 50_000
MAX_CHARS = 2 * 1024 * 1024

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_MAX_DIGITS = 64
_INT = re.compile(r"[-+]?[0-9]+")
_BASED_INT = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class YamlProblem(ValueError):
    """The document is no YAML, or more than the budget allows; the message is for its author."""


class _Node(NamedTuple):
    value: object
    height: int


class _Anchor(NamedTuple):
    node: _Node
    nodes: int
    chars: int


def parse_yaml(text: str, first_line: int = 1) -> object:
    """The one document in `text` as JSON-like values; None when it is empty.

    `first_line` is the number that messages give to the first line of `text`.

    Raises `YamlProblem` for anything else: syntax errors, several documents, unknown tags,
    duplicate keys, keys that are no scalars, or a budget exceeded.
    """
    try:
        return _Builder(yaml.parse(text, Loader=_LOADER)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + first_line}, column {mark.column + 1}" if mark else ""
        raise YamlProblem(f"{error.problem or error.context}{where}") from None
    except yaml.YAMLError as error:
        raise YamlProblem(str(error).splitlines()[0]) from None


class _Builder:
    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, _Anchor] = {}
        self._nodes = 0
        self._chars = 0

    def document(self) -> object:
        value: object = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlProblem("expected a single document")
                value = self._node(next(self._events), 1).value
        return value

    def _node(self, event: yaml.Event, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise YamlProblem(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        nodes, chars = self._nodes, self._chars
        if isinstance(event, yaml.ScalarEvent):
            self._spend(1, len(event.value))
            node = _Node(_scalar(event), 1)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(event, depth)
        else:
            raise YamlProblem("expected a value")
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(node, self._nodes - nodes, self._chars - chars)
        return node

    def _alias(self, event: yaml.AliasEvent, depth: int) -> _Node:
        # An anchor is known once its node is complete, so an alias to its own parent ends here.
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            raise YamlProblem(f"found undefined alias {encodable(event.anchor)[:80]!r}")
        self._spend(anchor.nodes, anchor.chars)
        if depth + anchor.node.height - 1 > MAX_DEPTH:
            raise YamlProblem(f"nested deeper than {MAX_DEPTH} levels")
        return anchor.node

    def _sequence(self, start: yaml.SequenceStartEvent, depth: int) -> _Node:
        _check_tag(start.tag, "seq")
        self._spend(1, 0)
        items: list[object] = []
        height = 1
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            node = self._node(event, depth + 1)
            items.append(node.value)
            height = max(height, node.height + 1)
        return _Node(items, height)

    def _mapping(self, start: yaml.MappingStartEvent, depth: int) -> _Node:
        _check_tag(start.tag, "map")
        self._spend(1, 0)
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        height = 1
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key, is_merge = self._key(event)
            node = self._node(next(self._events), depth + 1)
            height = max(height, node.height + 1)
            if is_merge:
                _merge(merged, node.value)
            elif key in own:
                raise YamlProblem(f"duplicated mapping key {key[:80]!r}")
            else:
                own[key] = node.value
        return _Node({**merged, **own} if merged else own, height)

    def _key(self, event: yaml.Event) -> tuple[str, bool]:
        if isinstance(event, yaml.AliasEvent):
            anchor = self._anchors.get(event.anchor)
            if anchor is None or not isinstance(anchor.node.value, str):
                raise YamlProblem("a mapping key must be a string")
            self._spend(1, anchor.chars)
            return anchor.node.value, False
        if not isinstance(event, yaml.ScalarEvent):
            raise YamlProblem("a mapping key must be a string")
        key = encodable(event.value)
        self._spend(1, len(key))
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(_Node(key, 1), 1, len(key))
        # Keys keep their spelling (`1`, `yes`, `null`): JSON has string keys alone.
        return key, key == "<<" and event.implicit[0]

    def _spend(self, nodes: int, chars: int) -> None:
        self._nodes += nodes
        self._chars += chars
        if self._nodes > MAX_NODES:
            raise YamlProblem(f"more than {MAX_NODES} values once its aliases are expanded")
        if self._chars > MAX_CHARS:
            raise YamlProblem(f"more than {MAX_CHARS} characters once its aliases are expanded")


def _merge(into: dict[str, object], value: object) -> None:
    """`<<`: the first mapping that names a key wins (https://yaml.org/type/merge.html)."""
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, dict):
            raise YamlProblem("`<<` needs a mapping or a list of mappings")
        for key, item in part.items():
            into.setdefault(str(key), item)


def _check_tag(tag: str | None, expected: str) -> None:
    if tag not in (None, "!", _TAG + expected):
        raise YamlProblem(f"unknown tag {encodable(tag or '')[:80]!r}")


def _scalar(event: yaml.ScalarEvent) -> object:
    text = event.value
    tag = event.tag
    if tag is None or tag == "!":
        return _plain(text) if event.implicit[0] and tag is None else encodable(text)
    kind = tag.removeprefix(_TAG)
    if kind in ("str", "timestamp"):
        return encodable(text)
    value = _plain(text)
    fits = {
        "null": value is None,
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": value is None or (isinstance(value, int | float) and not isinstance(value, bool)),
    }
    if not fits.get(kind, False):
        raise YamlProblem(f"cannot read {encodable(text)[:80]!r} as {encodable(tag)[:80]!r}")
    return float(value) if kind == "float" and isinstance(value, int) else value


def _plain(text: str) -> object:
    """An untagged, unquoted scalar by the core schema of YAML 1.2."""
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text[0] not in "-+.0123456789":
        return encodable(text)
    if _INT.fullmatch(text):
        return _integer(text, 10)
    if _BASED_INT.fullmatch(text):
        return _integer(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if abs(number) != float("inf") else None
    if _NOT_FINITE.fullmatch(text):
        return None
    return encodable(text)


def _integer(text: str, base: int) -> int | str:
    # Conversion takes quadratic time, and Python refuses it past 4,300 digits.
    if len(text) > _MAX_DIGITS:
        return text
    number = int(text, base)
    return number if -(2**63) <= number < 2**63 else text
