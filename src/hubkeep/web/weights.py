# SPDX-License-Identifier: Apache-2.0
"""What is known of a file of weights: the summary of its header, made when it came."""

from collections.abc import Sequence

import msgspec

from hubkeep.cards.headers import FileHeader
from hubkeep.web.words import count


class WeightType(msgspec.Struct, rename="camel"):
    """Numbers of one type: how many, and the part of all of them, from 0 to 1."""

    name: str
    parameters: int
    share: float

    @property
    def percent(self) -> str:
        """The share as people read it."""
        return "<0.1 %" if self.share < 0.001 else f"{100 * self.share:.3g} %"


class Weights(msgspec.Struct, rename="camel"):
    """A header's summary; `error` says why there is none. Tensors are not listed one by one."""

    format: str
    total: int
    types: Sequence[WeightType]
    facts: Sequence[tuple[str, str]]
    metadata: Sequence[tuple[str, str]]
    chat_template: str | None
    error: str | None


def weights_of(stored: str | None) -> Weights | None:
    """Return what a stored header says, largest types first; None where none is stored."""
    if stored is None:
        return None
    header = msgspec.json.decode(stored, type=FileHeader)
    facts = (
        ("Architecture", header.architecture),
        ("Quantisation", header.file_type),
        ("Context", f"{count(header.context_length)} tokens" if header.context_length else None),
        ("First token", header.bos_token),
        ("Last token", header.eos_token),
    )
    by_size = sorted(header.parameters.items(), key=lambda each: -each[1])
    return Weights(
        format=header.format,
        total=header.total,
        types=[WeightType(name, n, n / header.total if n else 0.0) for name, n in by_size],
        facts=[(name, value) for name, value in facts if value],
        metadata=list(header.metadata.items()),
        chat_template=header.chat_template,
        error=header.error,
    )
