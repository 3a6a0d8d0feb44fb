# SPDX-License-Identifier: Apache-2.0
"""Figures are the same whether what is known of models was kept before or is looked up."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory import session as sessions
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.session import Places, Session
from tests.observatory.shelf import three


def test_getting_ready_changes_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [one.folder for one in three(tmp_path)]
    monkeypatch.setattr(sessions, "LARGE", 1)
    with Session(Places.of(folders)) as plain, Session(Places.of(folders)) as ready:
        ready.settle()
        for name in all_figures():
            before, after = plain.figure(name), ready.figure(name)
            assert after.table.equals(before.table), name
            assert after.scalars == before.scalars, name
            assert after.points == before.points, name
            assert (after.n, after.excluded, after.missing) == (
                before.n,
                before.excluded,
                before.missing,
            ), name


def test_models_are_the_same_column_by_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [one.folder for one in three(tmp_path)]
    monkeypatch.setattr(sessions, "LARGE", 1)
    asked = "SELECT * FROM models ORDER BY id"
    with Session(Places.of(folders)) as session:
        before = session.engine.query(asked, {})
        session.settle()
        after = session.engine.query(asked, {})
    assert after.column_names == before.column_names
    assert after.equals(before)
    assert len(after)
