# SPDX-License-Identifier: Apache-2.0
"""When what an imported file tells was so."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from hubkeep.observatory.imports.reading import BadFile, must_be_there

_DAY = re.compile(r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?!\d)")
_METADATA = b"taken_at"


def taken_at(paths: Sequence[Path], given: str | None) -> str:
    """Return the moment as a manifest writes it: what is given, else what the files say.

    A file says so by `taken_at` in the metadata of Parquet, or by a day in its name
    (`models-2024-07-11.parquet`). Raises BadFile where none does, or two differ.
    """
    if given:
        return _written(_moment(given, "--taken-at"))
    for path in paths:
        must_be_there(path)
    told = {moment: path for path in paths if (moment := _of_file(path)) is not None}
    if not told:
        raise BadFile(
            f"{paths[0].name} does not say of which day it is: say it with --taken-at 2024-07-11, "
            "or put the day into its name"
        )
    if len(told) > 1:
        days = ", ".join(f"{path.name} is of {moment:%Y-%m-%d}" for moment, path in told.items())
        raise BadFile(f"the files are not of one day: {days}; say which with --taken-at")
    return _written(next(iter(told)))


def _of_file(path: Path) -> datetime | None:
    if said := _metadata(path):
        return _moment(said, path.name)
    match = _DAY.search(path.name)
    if match is None:
        return None
    return _moment("-".join(match.groups()), path.name)


def _metadata(path: Path) -> str | None:
    """What a Parquet file says; one that is broken says nothing here, and why when it is opened."""
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        said = (pq.read_metadata(path).metadata or {}).get(_METADATA)
        return said.decode() if said else None
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return None


def _moment(text: str, where: str) -> datetime:
    try:
        if len(text) == 10:
            moment = datetime.combine(date.fromisoformat(text), time(), UTC)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadFile(f"{where}: {text!r} is no day such as 2024-07-11") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if not datetime(2015, 1, 1, tzinfo=UTC) <= moment <= datetime.now(UTC) + timedelta(days=1):
        raise BadFile(f"{where}: {text} is in the future, or before 2015")
    return moment


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
