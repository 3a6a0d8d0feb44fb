# SPDX-License-Identifier: Apache-2.0
"""What the chunk store says of a shard that is being registered."""

from typing import Literal, TypeAlias

import msgspec


class ShardAnswer(msgspec.Struct, frozen=True):
    """1 if the shard brought anything new, 0 if all of it was known."""

    result: Literal[0, 1]


class Validating(msgspec.Struct, frozen=True, tag="validating"):
    """So much of the shard has been checked, in no certain unit."""

    verified: int
    total: int


class Committing(msgspec.Struct, frozen=True, tag="committing"):
    """All was found to be right: its files are being registered."""

    stage: Literal["uploading", "syncing"]


class Result(msgspec.Struct, frozen=True, tag="result"):
    """The end; see `ShardAnswer`."""

    result: Literal[0, 1]


class Failed(msgspec.Struct, frozen=True, tag="error"):
    """The end: nothing new holds. Clients show the message, and send the shard again if told so."""

    message: str
    retryable: bool


Event: TypeAlias = Validating | Committing | Result | Failed
