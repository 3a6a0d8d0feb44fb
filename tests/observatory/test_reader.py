# SPDX-License-Identifier: Apache-2.0
"""The process that reads snapshots for pages: the same answers, and the server goes on."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.document import FigureDocument, FiltersOf, documented
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.reader.process import NoAnswer, Reader
from hubkeep.observatory.reader.wire import AskFigure, AskFigures, FigureOf, Shelf
from tests.observatory.shelf import ecosystem, three

pytestmark = pytest.mark.anyio

Ask = Callable[..., AskFigure]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    snapshots = three(tmp_path_factory.mktemp("shelf"))
    shelf = Shelf(history=[str(one.folder) for one in snapshots])

    def question(figure: str, flagged: str = "mark", **parameters: str) -> AskFigure:
        filters = msgspec.convert({"flagged": flagged}, FiltersOf)
        return AskFigure(shelf=shelf, figure=figure, parameters=parameters, filters=filters)

    return question


@asynccontextmanager
async def reading(patience: float = 30, idle: float = 300) -> AsyncGenerator[Reader]:
    reader = Reader(patience, idle)
    try:
        yield reader
    finally:
        await reader.close()
        gc.collect()


def child_of(reader: Reader) -> int | None:
    return None if reader._child is None else reader._child.process.pid


async def test_it_says_what_figures_say(tmp_path: Path) -> None:
    snapshot = ecosystem(tmp_path)
    wanted = documented(snapshot.figure("S2", filters=Filters(flagged="drop"), k=5))
    question = AskFigure(
        shelf=Shelf(history=[str(snapshot.folder)]),
        figure="s2",
        parameters={"k": "5"},
        filters=FiltersOf(flagged="drop"),
    )
    async with reading() as reader:
        said = await reader.ask(question)
    assert said == msgspec.json.encode(wanted)


async def test_it_tells_which_figures_there_are() -> None:
    async with reading() as reader:
        found = msgspec.json.decode(await reader.ask(AskFigures()), type=list[FigureOf])
    assert [one.id for one in found][:5] == ["F1", "F2", "F3", "F4", "F5"]
    by_id = {one.id: one for one in found}
    assert [one.name for one in by_id["S1"].parameters] == ["k", "rule"]


async def test_what_cannot_be_answered_is_refused_and_the_next_is_answered(ask: Ask) -> None:
    async with reading() as reader:
        for question, status, words in (
            (ask("S2", k="many"), 400, "k must be like 300"),
            (ask("S2", colour="red"), 400, "no parameter 'colour'"),
            (ask("Z9"), 404, "there is no figure 'Z9'"),
            (AskFigure(shelf=Shelf(history=["/nowhere"]), figure="S2"), 404, "verify"),
        ):
            with pytest.raises(NoAnswer, match=words) as refused:
                await reader.ask(question)
            assert refused.value.status == status
        assert await reader.ask(ask("S1"))


async def test_who_asks_the_same_waits_for_the_same_and_later_it_is_remembered(ask: Ask) -> None:
    async with reading() as reader:
        first, second = await asyncio.gather(reader.ask(ask("S4")), reader.ask(ask("S4")))
        assert first is second
        os.kill(child_of(reader) or 0, signal.SIGKILL)
        assert await reader.ask(ask("S4")) is first


async def test_a_process_that_is_killed_is_started_anew(ask: Ask) -> None:
    async with reading() as reader:
        await reader.ask(ask("S1"))
        killed = child_of(reader)
        os.kill(killed or 0, signal.SIGKILL)
        with pytest.raises(NoAnswer) as refused:
            await reader.ask(ask("S3"))
        assert refused.value.status == 503
        assert await reader.ask(ask("S3"))
        assert child_of(reader) != killed


async def test_what_takes_too_long_is_ended(ask: Ask) -> None:
    async with reading(patience=0.05) as reader:
        with pytest.raises(NoAnswer) as refused:
            await reader.ask(ask("S7"))
        assert refused.value.status == 503


async def test_who_goes_away_leaves_an_answer_for_the_next(ask: Ask) -> None:
    async with reading() as reader:
        waiting = asyncio.create_task(reader.ask(ask("S5")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        document = msgspec.json.decode(await reader.ask(ask("S6")), type=FigureDocument)
        assert document.id == "S6"
        assert msgspec.json.decode(await reader.ask(ask("S5")), type=FigureDocument).id == "S5"


async def test_more_questions_than_can_wait_are_not_taken(ask: Ask) -> None:
    async with reading() as reader:
        many = [asyncio.create_task(reader.ask(ask("S1", k=str(k)))) for k in range(1, 30)]
        found = await asyncio.gather(*many, return_exceptions=True)
        refused = [one for one in found if isinstance(one, NoAnswer)]
        assert refused
        assert all(one.status == 503 for one in refused)
        assert sum(isinstance(one, bytes) for one in found) == len(found) - len(refused)


async def test_it_gives_its_memory_back_when_it_has_nothing_to_do(ask: Ask) -> None:
    async with reading(idle=0.01) as reader:
        await reader.ask(ask("S1"))
        process = reader._child
        assert process is not None
        await asyncio.wait_for(process.process.wait(), 10)
        assert await reader.ask(ask("S3"))


def test_the_server_does_not_load_what_computes() -> None:
    program = (
        "import sys\n"
        "import hubkeep.observatory.reader.process, hubkeep.observatory.library\n"
        "print([name for name in ('duckdb', 'numpy', 'pyarrow') if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert said.stdout.strip() == "[]"


async def test_a_snapshot_that_is_broken_ends_nothing_and_tells_no_folder(tmp_path: Path) -> None:
    folder = ecosystem(tmp_path).folder
    folder.chmod(0o755)
    whole, shelf = (folder / "models.parquet").read_bytes(), Shelf(history=[str(folder)])
    async with reading() as reader:
        await reader.ask(AskFigures())
        child = child_of(reader)
        (folder / "models.parquet").unlink()
        for broken in (None, b"PAR1" + bytes(100) + b"PAR1", whole[:-1000]):
            if broken is not None:
                (folder / "models.parquet").write_bytes(broken)
            with pytest.raises(NoAnswer, match="log says why") as refused:
                await reader.ask(AskFigure(shelf=shelf, figure="S2"))
            assert refused.value.status == 503
        (folder / "models.parquet").write_bytes(whole)
        assert await reader.ask(AskFigure(shelf=shelf, figure="S2"))
        (folder / "manifest.json").unlink()
        with pytest.raises(NoAnswer) as lost:
            await reader.ask(AskFigures(shelf=shelf))
        assert str(folder) not in str(lost.value)
        assert child_of(reader) == child


async def test_what_is_remembered_of_a_long_question_is_short(tmp_path: Path) -> None:
    names = [f"bots/build-{number:06}" for number in range(5_000)]
    shelf = Shelf(
        history=[str(ecosystem(tmp_path).folder)],
        hidden={"models": names},
        hides=[{"models": len(names)}],
    )
    async with reading() as reader:
        said = await reader.ask(AskFigures(shelf=shelf))
        assert await reader.ask(AskFigures(shelf=shelf)) is said
        assert max(len(key) for key in reader._kept._entries if isinstance(key, bytes)) < 100


async def test_nobody_takes_all_turns(ask: Ask) -> None:
    async with reading() as reader:
        greedy = [
            asyncio.create_task(reader.ask(ask("S1", k=str(k)), "192.0.2.7")) for k in range(1, 20)
        ]
        await asyncio.sleep(0)
        assert await reader.ask(ask("S3"), "192.0.2.8")
        found = await asyncio.gather(*greedy, return_exceptions=True)
        refused = [one for one in found if isinstance(one, NoAnswer)]
        assert len(refused) == len(greedy) - 3
        assert "of your questions" in str(refused[0])
        assert await reader.ask(ask("S5"), "192.0.2.7")
