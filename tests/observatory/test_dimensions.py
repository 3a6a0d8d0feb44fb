# SPDX-License-Identifier: Apache-2.0
"""The tables of what Hubkeep knows: each row has a source, and nothing stands twice."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from hubkeep.cards.comparisons import comparisons
from hubkeep.cards.tasks import TASKS
from hubkeep.cli import main
from hubkeep.observatory.dimensions import (
    FOLDER,
    LICENSE_CLASSES,
    ORG_TYPES,
    REGIONS,
    BadTable,
    Dimensions,
)
from hubkeep.observatory.library import Library
from hubkeep.observatory.reader.answers import Answers, Refused
from hubkeep.observatory.reader.wire import AskFigure
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.real import data
from tests.observatory.tiny import model, tiny

KEYS = {
    "aliases": "old",
    "comparisons": "id",
    "entities": "namespace",
    "licences": "pattern",
    "modalities": "task",
    "org_types": "namespace",
    "training": "model",
}
ABSURD = "MIT/ast-finetuned-audioset-10-10-0.4593"


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def written(folder: Path, name: str, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_there_is_no_other_table() -> None:
    assert {path.stem for path in FOLDER.glob("*")} == KEYS.keys()


@pytest.mark.parametrize("name", KEYS)
def test_every_row_has_a_source_and_no_cell_too_many(name: str) -> None:
    for row in rows(name):
        assert None not in row, row
        assert row["source"].strip(), row
        assert all(cell == cell.strip() for cell in row.values()), row
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values()), row


@pytest.mark.parametrize("name", KEYS)
def test_nothing_stands_twice_in_a_table(name: str) -> None:
    keys = [row[KEYS[name]].lower() for row in rows(name)]
    assert sorted(keys) == sorted(set(keys))


def test_what_is_said_of_organisations_is_one_of_what_can_be_said() -> None:
    for row in rows("org_types"):
        assert row["org_type"] in ORG_TYPES, row
        assert row["region"] in REGIONS, row
        assert row["checked"] in ("read", "known"), row
    # No row is a guess at what nobody knows: it would be none.
    assert not [row for row in rows("org_types") if row["org_type"] == "other"]


def test_a_row_that_cites_epoch_says_what_epoch_says() -> None:
    said = {"company": "Industry", "university": "Academia", "government": "Government"}
    for row in rows("org_types"):
        if row["source"].startswith("Epoch AI (CC BY)"):
            told = row["source"].split(";")[0].rpartition(" is ")[2]
            assert said[row["org_type"]] in told.split(","), row
            assert row["checked"] == "read", row


def test_no_alias_leads_to_another_one() -> None:
    moves = {row["old"]: row["new"] for row in rows("aliases")}
    assert not [new for new in moves.values() if new in moves]
    for old, new in moves.items():
        assert old != new
        assert new.count("/") <= 1
        # An id without a namespace gets one; a name that has one keeps the form that it has.
        assert "/" not in old or old.split("/")[1] == new.split("/")[1]
        if "/" in new:
            assert new.partition("/")[0] not in moves


def test_every_id_that_had_no_namespace_has_one_that_is_known() -> None:
    known = Dimensions()
    bare = [new for old, new in known.aliases.items() if "/" not in old]
    assert len(bare) == 68
    assert {new.partition("/")[0].lower() for new in bare} <= known.namespaces.keys()


def test_entities_are_of_namespaces_that_have_a_type() -> None:
    known = Dimensions()
    assert known.entities.keys() <= known.namespaces.keys()
    spelled = {entity.lower(): entity for entity in known.entities.values()}
    assert set(spelled.values()) == set(known.entities.values())


def test_licence_classes_are_known_and_patterns_can_fit() -> None:
    for row in rows("licences"):
        assert row["class"] in LICENSE_CLASSES, row
        assert row["pattern"] == row["pattern"].lower(), row
        assert ("%" in row["pattern"]) == (row["match"] == "like"), row
    assert rows("licences")[-1]["pattern"] == "%"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Apache-2.0", "permissive"),
        ("bigscience-openrail-m", "rail"),
        ("bigscience-bloom-rail-1.0", "rail"),
        ("cc-by-nc-sa-4.0", "noncommercial"),
        ("cc-by-nd-4.0", "other"),
        ("cc-by-sa-2.0", "copyleft"),
        ("agpl-3.0-only", "copyleft"),
        ("llama3.3", "model-custom"),
        ("cc", "other"),
        ("unknown", "other"),
        ("my own licence", "other"),
        (None, "none"),
    ],
)
def test_licences_are_of_the_class_that_their_text_has(name: str | None, kind: str) -> None:
    assert Dimensions().license_class(name) == kind


def test_tasks_are_of_the_kind_that_cards_have() -> None:
    kinds = {"nlp": "text", "cv": "vision", "rl": "reinforcement learning"}
    known = Dimensions().modalities
    # Cards call some tasks of text `other`, because models cannot be filtered by them.
    told = {task: kinds.get(kind, kind) for task, kind in TASKS.items() if kind != "other"}
    assert {task: known.get(task) for task in told} == told
    assert TASKS.keys() <= known.keys()


def test_comparisons_are_from_small_to_large() -> None:
    found = comparisons()
    assert [one.grams for one in found] == sorted(one.grams for one in found)
    assert found[0].grams > 0
    assert {"streaming-hour", "car-km", "person-year-world"} <= {one.id for one in found}


def test_of_a_mixture_of_experts_those_count_that_are_active() -> None:
    known = Dimensions().training
    assert known["deepseek-ai/DeepSeek-V3-Base"].parameters == 37_000_000_000
    assert known["meta-llama/Llama-2-7b-hf"].tokens == 2_000_000_000_000
    for name, one in known.items():
        assert name.count("/") == 1
        assert 1 < one.tokens / one.parameters < 50_000, name


@pytest.mark.parametrize("name", KEYS)
def test_the_digest_tells_of_any_change(name: str, tmp_path: Path) -> None:
    for path in FOLDER.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = Dimensions(tmp_path).digest
    assert before == Dimensions().digest
    with (tmp_path / f"{name}.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert Dimensions(tmp_path).digest != before


def namespaces(snapshot: Snapshot) -> dict[str, str]:
    table = snapshot.figure("S3", k=100).table
    return {row["author"]: row["entity"] for row in table.to_pylist()}


def test_an_account_that_is_called_like_a_model_is_not_its_author(tmp_path: Path) -> None:
    snapshot = tiny(
        tmp_path,
        models=[
            model("gpt2", downloads_30d=5, likes=1),
            model("gpt2/mine", downloads_30d=4, likes=1),
            model("cl-tohoku/bert", downloads_30d=3, likes=1),
            model("nobody-knows", downloads_30d=2, likes=1),
        ],
    )
    assert namespaces(snapshot) == {
        "openai-community": "OpenAI",
        "gpt2": "gpt2",
        "tohoku-nlp": "Tohoku University",
        "(none)": "(none)",
    }


def test_rows_of_a_hubs_own_win(tmp_path: Path) -> None:
    ours = Dimensions()
    own = written(tmp_path / "tables", "org_types", "namespace,org_type,region", "GOOGLE,other,eu")
    written(own, "licences", "pattern,match,class", "acme-%,like,model-custom", "mit,exact,rail")
    known = Dimensions.with_own(own)
    assert known.namespaces["google"].org_type == "other"
    assert known.namespaces["microsoft"] == ours.namespaces["microsoft"]
    assert known.license_class("acme-1.0") == "model-custom"
    assert known.license_class("mit") == "rail"
    assert known.license_class("apache-2.0") == "permissive"
    assert known.digest != ours.digest


def test_without_tables_of_its_own_a_hub_has_ours(tmp_path: Path) -> None:
    assert Dimensions.with_own(tmp_path / "tables").digest == Dimensions().digest
    (tmp_path / "tables").mkdir()
    assert Dimensions.with_own(tmp_path / "tables").digest == Dimensions().digest


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["namespace,org_type", "acme,company"], "has no column region"),
        (["namespace,org_type,region", "acme,firm,us"], "line 2: org_type is 'firm'"),
        (["namespace,org_type,region", "acme,company,mars"], "must be one of us, china"),
        (["namespace,org_type,region", ",company,us"], "namespace is empty"),
        (["namespace,org_type,region", "acme,company"], "region is empty"),
        (["namespace,org_type,region", '"acme,company,us'], "is no CSV in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_read_says_where_and_why(
    lines: list[str], says: str, tmp_path: Path
) -> None:
    own = written(tmp_path / "tables", "org_types", *lines)
    with pytest.raises(BadTable, match=says):
        _ = Dimensions.with_own(own).namespaces


@pytest.mark.parametrize(
    "cells", ["m/x,7e9,,none", "m/x,-1,,5", "m/x,7e9,few,5", "m/x,7e9,,inf", "m/x,0,,5"]
)
def test_a_training_is_told_in_numbers(cells: str, tmp_path: Path) -> None:
    own = written(tmp_path / "tables", "training", "model,parameters,active,tokens", cells)
    with pytest.raises(BadTable, match="number above zero"):
        _ = Dimensions.with_own(own).training


def test_most_downloads_of_the_census_are_of_namespaces_that_are_known() -> None:
    import duckdb

    known = Dimensions().namespaces
    with duckdb.connect() as source:
        counted = source.execute(
            "SELECT lower(split_part(id, '/', 1)), sum(downloads) FILTER (WHERE id <> $absurd) "
            "FROM read_parquet($path) GROUP BY 1",
            {"absurd": ABSURD, "path": str(data("hub_models_2024-07-11.parquet"))},
        ).fetchall()
    total = sum(downloads or 0 for _, downloads in counted)
    mapped = sum(downloads or 0 for name, downloads in counted if name in known)
    assert 0.93 < mapped / total < 0.95


def test_pages_and_reports_ask_the_hubs_own_tables(tmp_path: Path) -> None:
    snapshot = tiny(tmp_path / "snapshots", models=[model("acme/m", downloads_30d=5, likes=1)])
    written(tmp_path / "tables", "entities", "namespace,entity", "acme,Acme Corporation")
    library = Library(tmp_path / "snapshots", tmp_path / "tables")
    shelf = library.shelf(library.series(snapshot.manifest.id), [])
    asked = AskFigure(shelf=shelf, figure="S3")
    with Answers() as answers:
        assert b"Acme Corporation" in answers.answer(asked)
    folder = tmp_path / "report"
    asked_for = ["--figure", "S3", "--format", "csv", "-o", str(folder), "--data", str(tmp_path)]
    ran = CliRunner().invoke(main, ["report", "latest", *asked_for])
    assert ran.exit_code == 0, ran.output
    assert "Acme Corporation" in (folder / "S3.csv").read_text(encoding="utf-8")


def test_pages_do_not_guess_where_the_hubs_own_tables_are_broken(tmp_path: Path) -> None:
    snapshot = tiny(tmp_path / "snapshots", models=[model("acme/m", downloads_30d=5, likes=1)])
    written(tmp_path / "tables", "entities", "namespace,entity", "acme,")
    library = Library(tmp_path / "snapshots", tmp_path / "tables")
    shelf = library.shelf(library.series(snapshot.manifest.id), [])
    with Answers() as answers, pytest.raises(Refused, match="hubkeep report") as refused:
        answers.answer(AskFigure(shelf=shelf, figure="S3"))
    assert refused.value.status == 501
    assert str(tmp_path) not in str(refused.value)
    ran = CliRunner().invoke(
        main, ["report", "latest", "-o", str(tmp_path / "r"), "--data", str(tmp_path)]
    )
    assert ran.exit_code == 1
    assert "entities.csv, line 2: entity is empty" in ran.output


def test_the_page_counts_the_rows_as_they_are() -> None:
    page = (Path(__file__).parents[2] / "docs/observatory/tables.md").read_text(encoding="utf-8")
    for name in KEYS:
        line = next(line for line in page.splitlines() if line.startswith(f"| `{name}.csv` |"))
        told = [cell.strip() for cell in line.split("|")][2:4]
        assert told[0].split()[0] == str(len(rows(name)))
        assert told[1] == ", ".join(f"`{column}`" for column in rows(name)[0])
