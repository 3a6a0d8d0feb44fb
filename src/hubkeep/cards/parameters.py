# SPDX-License-Identifier: Apache-2.0
"""How many parameters a repository holds, from the headers of its files."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from hubkeep.cards.headers import FileHeader

_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")


class SafetensorsFacts(msgspec.Struct, frozen=True):
    """Elements by dtype over the files of one model, and their sum."""

    parameters: dict[str, int]
    total: int


class GgufFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The GGUF model of a repository; where it holds several, the first that can be read."""

    total: int
    architecture: str | None = None
    context_length: int | None = None
    file_type: str | None = None
    chat_template: str | None = None
    bos_token: str | None = None
    eos_token: str | None = None


def safetensors_facts(
    paths: Sequence[str], headers: Mapping[str, FileHeader]
) -> SafetensorsFacts | None:
    """The sum over `model.safetensors`, else over its shards, else over all files of the root.

    None where there is no such file, or where a part of the sum is missing or cannot be read: a
    wrong count is worse than none.
    """
    root = [path for path in paths if "/" not in path and path.endswith(".safetensors")]
    if "model.safetensors" in root:
        return _sum(["model.safetensors"], headers)
    sets = [_SHARD.fullmatch(path.removesuffix(".safetensors")) for path in root]
    first = [shard for shard in sets if shard is not None and shard["number"] == "00001"]
    if first:
        # `model-...` before others, which often hold the same weights once more.
        chosen = min(first, key=lambda shard: (shard["stem"] != "model", shard["stem"]))
        return _sum(_shard_names(chosen, ".safetensors", len(root)), headers)
    return _sum(root, headers)


def gguf_facts(paths: Sequence[str], headers: Mapping[str, FileHeader]) -> GgufFacts | None:
    """The first readable GGUF model by path; image projectors (`mmproj`) are no models."""
    found = sorted(path for path in paths if path.endswith(".gguf"))
    for path in found:
        header = headers.get(path)
        if header is None or header.error is not None or "mmproj" in path.lower():
            continue
        shard = _SHARD.fullmatch(path.removesuffix(".gguf"))
        parts = [path] if shard is None else _shard_names(shard, ".gguf", len(found))
        # The metadata is in the first shard; the others hold tensors alone.
        summed = _sum(parts, headers) if parts[:1] == [path] else None
        if summed is None:
            continue
        return GgufFacts(
            total=summed.total,
            architecture=header.architecture,
            context_length=header.context_length,
            file_type=header.file_type,
            chat_template=header.chat_template,
            bos_token=header.bos_token,
            eos_token=header.eos_token,
        )
    return None


def _shard_names(shard: re.Match[str], suffix: str, present: int) -> list[str]:
    """The names of a whole set of shards; none when fewer than that many files are present."""
    count = int(shard["count"])
    if count > present:
        return []
    return [f"{shard['stem']}-{n:05}-of-{count:05}{suffix}" for n in range(1, count + 1)]


def _sum(paths: Sequence[str], headers: Mapping[str, FileHeader]) -> SafetensorsFacts | None:
    if not paths:
        return None
    parameters: dict[str, int] = {}
    for path in paths:
        header = headers.get(path)
        if header is None or header.error is not None:
            return None
        for dtype, count in header.parameters.items():
            parameters[dtype] = parameters.get(dtype, 0) + count
    return SafetensorsFacts(parameters, sum(parameters.values()))
