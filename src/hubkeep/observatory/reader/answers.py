# SPDX-License-Identifier: Apache-2.0
"""Answers to the questions of `wire`, from snapshots that stay open for a while."""

import logging
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

import duckdb
import msgspec

from hubkeep.observatory.dimensions import BadTable, Dimensions
from hubkeep.observatory.document import ParameterOf, documented
from hubkeep.observatory.duck import Duck
from hubkeep.observatory.figure import BadParameter
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.reader.courses import courses
from hubkeep.observatory.reader.movers import movers
from hubkeep.observatory.reader.numbers import numbers_of
from hubkeep.observatory.reader.places import places_of
from hubkeep.observatory.reader.wire import (
    AskCourse,
    AskFigure,
    AskFigures,
    AskMovers,
    AskNumbers,
    FigureOf,
    Question,
    Shelf,
)
from hubkeep.observatory.report.tables import parquet_of
from hubkeep.observatory.running import Result, chosen, lacking
from hubkeep.observatory.session import NoSuchFigure, Session
from hubkeep.observatory.store import BrokenSnapshot

log = logging.getLogger("hubkeep.observatory")

OPEN: Final = 3
"""So many sets of snapshots stay open."""

_LOST: Final = "The snapshot cannot be read; `hubkeep snapshot verify` says why."
_FAILED: Final = "This could not be computed from the snapshot; the hub's log says why."


class Refused(Exception):
    """There is no answer; the text says why, in words for who asked."""

    def __init__(self, status: Literal[400, 404, 501, 503], text: str) -> None:
        super().__init__(text)
        self.status: Literal[400, 404, 501, 503] = status


class Answers:
    """What has been opened, and answers from it."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._duck: Duck | None = None

    def __enter__(self) -> "Answers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def answer(self, question: Question) -> bytes:
        """Return the answer, as JSON unless the question says otherwise. Refused."""
        try:
            match question:
                case AskFigures():
                    return msgspec.json.encode(_figures(question.shelf))
                case AskNumbers():
                    session = self._session(question.shelf)
                    return msgspec.json.encode(numbers_of(session.engine, session.about))
                case AskCourse():
                    self._duck = self._duck or Duck()
                    return msgspec.json.encode(courses(self._duck, question))
                case AskMovers():
                    return msgspec.json.encode(movers(self._session(question.shelf), question))
                case AskFigure():
                    result = self._result(question)
                    document = documented(result)
                    if question.form == "parquet":
                        return parquet_of(result.table, document)
                    return msgspec.json.encode(document)
        except BadParameter as bad:
            raise Refused(400, str(bad)) from bad
        except NoSuchFigure as lost:
            raise Refused(404, str(lost)) from lost
        except BrokenSnapshot as lost:
            # It names a folder of the server, too.
            log.warning("%s", lost)
            raise Refused(404, _LOST) from lost
        except duckdb.Error as failed:
            # A file that is gone or cut off, a full disk, too little memory. Nothing that was open
            # is trusted any more, and it is opened anew for the next question.
            log.warning("a question could not be answered: %s", str(failed)[:1000])
            self._close()
            raise Refused(503, _FAILED) from failed
        except BadTable as bad:
            # What is wrong names a folder of the server: that is for who runs it.
            raise Refused(
                501, "The hub's own tables cannot be read; `hubkeep report` says why."
            ) from bad

    def rest(self) -> None:
        """Use the time between two questions: get ready for the next about the same snapshot."""
        if not self._sessions:
            return
        next(reversed(self._sessions.values())).settle()

    def _close(self) -> None:
        while self._sessions:
            self._sessions.popitem()[1].close()
        if self._duck is not None:
            self._duck.close()
            self._duck = None

    def _result(self, ask: AskFigure) -> Result:
        session = self._session(ask.shelf)
        session.ask_about(Filters(**msgspec.structs.asdict(ask.filters)))
        return session.figure(ask.figure, ask.parameters)

    def _session(self, shelf: Shelf) -> Session:
        """The session for a question: one that is open, or a new one in place of the oldest."""
        key = msgspec.json.encode(shelf)
        if key in self._sessions:
            self._sessions.move_to_end(key)
            return self._sessions[key]
        while len(self._sessions) >= OPEN:
            self._sessions.popitem(last=False)[1].close()
        known = Dimensions() if shelf.tables is None else Dimensions.with_own(Path(shelf.tables))
        session = Session(places_of(shelf), dimensions=known)
        self._sessions[key] = session
        return session


def _figures(shelf: Shelf | None) -> list[FigureOf]:
    history = [] if shelf is None else [one.manifest for one in places_of(shelf).history]
    return [
        FigureOf(
            id=known.figure.id,
            title=known.figure.title,
            question=known.figure.question,
            definitions=known.figure.definitions,
            parameters=[
                ParameterOf(
                    name=one.name,
                    value=one.default,
                    default=one.default,
                    meaning=one.meaning,
                    choices=one.choices,
                    least=one.least,
                    most=one.most,
                )
                for one in known.figure.parameters
            ],
            snapshots=known.figure.snapshots,
            missing=lacking(known.figure, history, chosen(known.figure, {})) if history else (),
        )
        for known in all_figures().values()
    ]
