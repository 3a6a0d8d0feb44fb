# SPDX-License-Identifier: Apache-2.0
"""The blobs of one commit on their way into the database, on disk once they are many."""

import tempfile
from collections.abc import Iterator
from types import TracebackType

from hubkeep.git.objects import StagedBlob

_IN_MEMORY = 8 << 20


class Spool:
    """Takes deflated blobs one by one and gives them back in order, as often as asked.

    Used by one thread at a time. Closing it frees the disk space.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 (closed below)
        self._kept: list[tuple[StagedBlob, int]] = []
        self._seen: set[bytes] = set()

    def add(self, blob: StagedBlob) -> None:
        """Keep a blob; one that is there already is dropped."""
        if blob.oid in self._seen:
            return
        self._seen.add(blob.oid)
        self._file.write(blob.data)
        self._kept.append((blob.without_data(), len(blob.data)))

    def __iter__(self) -> Iterator[StagedBlob]:
        self._file.seek(0)
        for blob, length in self._kept:
            yield blob.with_data(self._file.read(length))

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
