# SPDX-License-Identifier: Apache-2.0
"""What a client that pushes says before its pack: capabilities, and a command for each ref.

https://git-scm.com/docs/gitprotocol-pack#_reference_update_request_and_packfile_transfer
"""

import re
from dataclasses import dataclass
from importlib.metadata import version

from hubkeep.git.pktline import BadPacket, PacketReader
from hubkeep.transfer.smart.push_rules import Command

_MAX_COMMANDS = 20_000
_MAX_SHALLOW = 100_000
_MAX_LINE = 1000  # bytes; the longest name of a ref has half of it
_NO_OBJECT = b"0" * 40
_OID = rb"[0-9a-f]{40}"
_COMMAND = re.compile(rb"(%b) (%b) ([^\0\n]+)\n?" % (_OID, _OID))
_SHALLOW = re.compile(rb"shallow (%b)\n?" % _OID)

# `no-thin`: a pack comes with all that its deltas build on, so it can be read without the database.
CAPABILITIES = (
    "report-status delete-refs side-band-64k quiet atomic ofs-delta no-thin object-format=sha1 "
    f"agent=hubkeep/{version('hubkeep')}"
)
_FLAGS = frozenset(CAPABILITIES.split()[:-1])
# What git says of itself, for logs alone.
_TOLD = ("agent=", "session-id=")


class BadPush(ValueError):
    """A request that no client of ours sends; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class PushRequest:
    """The commands of a push, each for another ref, and the capabilities that it chose."""

    commands: list[Command]
    flags: frozenset[str]

    @property
    def is_atomic(self) -> bool:
        return "atomic" in self.flags

    @property
    def in_bands(self) -> bool:
        """Whether the answer goes over several channels: without, only the report is sent."""
        return "side-band-64k" in self.flags

    @property
    def wants_report(self) -> bool:
        return "report-status" in self.flags

    @property
    def is_quiet(self) -> bool:
        """Whether its user wants to read of troubles alone."""
        return "quiet" in self.flags


async def read_request(packets: PacketReader) -> PushRequest:
    """Read up to the pack. No commands at all: git asks so whether it may send more. BadPush."""
    commands: dict[str, Command] = {}
    flags: frozenset[str] = frozenset()
    shallow = 0
    is_first = True
    while (line := await _line(packets)) is not None:
        if _SHALLOW.fullmatch(line):
            # A clone with a cut history says where; what its commits need is looked for anyway.
            shallow += 1
            if shallow > _MAX_SHALLOW:
                raise BadPush(f"A push may name at most {_MAX_SHALLOW} shallow commits")
            continue
        line, separator, capabilities = line.partition(b"\0")
        if line.startswith(b"push-cert"):
            raise BadPush("Signed pushes are not taken here: push without --signed")
        if is_first:
            flags = _flags(capabilities)
        elif separator:
            raise BadPush("Only the first command of a push has capabilities")
        is_first = False
        command = _command(line)
        if command.name in commands:
            raise BadPush(f"The push names {command.name[:200]!r} twice")
        commands[command.name] = command
        if len(commands) > _MAX_COMMANDS:
            raise BadPush(f"A push may name at most {_MAX_COMMANDS} refs")
    return PushRequest(list(commands.values()), flags)


async def _line(packets: PacketReader) -> bytes | None:
    try:
        return await packets.line()
    except BadPacket as bad:
        raise BadPush(f"This is no push: {bad}") from bad


def _flags(capabilities: bytes) -> frozenset[str]:
    words = capabilities.decode("utf-8", "replace").split()
    flags = frozenset(word for word in words if not word.startswith(_TOLD))
    unknown = flags - _FLAGS
    if unknown:
        raise BadPush(f"Not offered here, and asked for by the push: {min(unknown)[:100]!r}")
    return flags


def _command(line: bytes) -> Command:
    found = _COMMAND.fullmatch(line)
    if found is None or len(line) > _MAX_LINE:
        raise BadPush(f"{line[:200]!r} is no command of a push")
    old, new, name = found.groups()
    return Command(name.decode("utf-8", "surrogateescape"), _oid(old), _oid(new))


def _oid(digits: bytes) -> bytes | None:
    return None if digits == _NO_OBJECT else bytes.fromhex(digits.decode())
