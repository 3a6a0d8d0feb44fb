# SPDX-License-Identifier: Apache-2.0
"""The process that reads snapshots: `python -m hubkeep.observatory.reader.child`.

It answers one question after the other until its standard input ends. What it has opened stays open
for the next question about the same.
"""

import os
import resource
import sys
from collections.abc import Callable
from typing import BinaryIO, Final

import msgspec

from hubkeep.observatory.reader.answers import Answers, Refused
from hubkeep.observatory.reader.wire import ANSWERED, HEAD, REFUSED, Question, Refusal

DATA_BYTES: Final = 2 << 30
"""What the process may allocate in all: DuckDB's own limit is far below."""


def serve(
    given: BinaryIO,
    said: BinaryIO,
    answer: Callable[[Question], bytes],
    rest: Callable[[], None],
) -> None:
    """Answer the questions of a stream until it ends, and rest after each."""
    while head := given.read(HEAD.size):
        question = msgspec.json.decode(given.read(HEAD.unpack(head)[0]), type=Question)
        try:
            kind, text = ANSWERED, answer(question)
        except Refused as refused:
            refusal = Refusal(status=refused.status, text=str(refused))
            kind, text = REFUSED, msgspec.json.encode(refusal)
        said.write(kind + HEAD.pack(len(text)) + text)
        said.flush()
        rest()


def main() -> None:
    """Serve on standard input and output; what libraries print goes to the error stream."""
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
    os.nice(5)
    with os.fdopen(os.dup(1), "wb") as said:
        os.dup2(2, 1)
        with Answers() as answers:
            serve(sys.stdin.buffer, said, answers.answer, answers.rest)


if __name__ == "__main__":
    main()
