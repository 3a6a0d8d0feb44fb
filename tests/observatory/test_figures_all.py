# SPDX-License-Identifier: Apache-2.0
"""What holds for each figure: its columns, its chart, the same bytes again, SQL for any engine."""

import importlib.util
import io
import json
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow.csv

from hubkeep.observatory import views
from hubkeep.observatory.dialects import spark
from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.document import documented
from hubkeep.observatory.duck import Duck
from hubkeep.observatory.engine import Selection, ViewEngine
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.report.pictures import svg_of
from hubkeep.observatory.running import Result, run
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.shelf import three

SPECIFIED = {
    "F1": "month n_new n_cum q05 q25 q50 q75 q95 n_missing_size",
    "F2": "org_type n_models n_orgs size_q25 size_q50 size_q75 dl_sum dl_q25 dl_q50 dl_q75 share_n "
    "share_dl",
    "F3": "org_type rank author n dl share_in_type top_model top_model_share",
    "F4": "quarter org_type n p50_b p90_b max_b source_mix",
    "F5": "org_type n_reporting rate kg_sum kg_median kg_p25 kg_p75 top1_share",
    "S1": "licence class n share_all share_declared ci_lo ci_hi",
    "S2": "licence class n dl dl_share_all dl_share_declared loo_min loo_max",
    "S3": "author entity n share",
    "S4": "author entity dl share loo top_model top_model_share",
    "S5": "task modality n dl share",
    "S6": "universe n method r2 slope ci_lo ci_hi",
    "S7": "model p_top1 p_top10 dl_median dl_80_lo dl_80_hi backtest_skill",
    "B1": "level measure top n_top n value value_with_flagged ci_lo ci_hi",
    "B2": "root descendants depth direct direct_finetune direct_adapter direct_quantized",
    "B3": "base_class child_class n share ci_lo ci_hi change",
    "B4": "check rank subject related n size members",
    "B5": "quarter region n share_all share_declared ci_lo ci_hi dl",
    "B6": "whole quarter is_censored modality n share_all share_declared ci_lo ci_hi dl",
    "B7": "part name n share_all share_declared ci_lo ci_hi dl",
    "B8": "size_class among source n share_all share_declared ci_lo ci_hi dl",
    "B9": "part name n n_known share ci_lo ci_hi dl dl_share",
    "B10": "repo_type region gated n share_all share_declared ci_lo ci_hi dl",
    "B11": "whole quarter is_censored format verdict n share_all share_declared",
    "B12": "part name day n_added n_deleted n_net is_incomplete",
    "B13": "from_day to_day k n_both overlap ci_lo ci_hi",
    "B14": "model list rank_likes rank_downloads likes downloads downloads_per_like is_flagged",
    "B15": "kind rank value n share_all share_declared ci_lo ci_hi dl",
    "B17": "part name n share_n ci_lo ci_hi dl share_dl n_public share_n_public",
    "B16": "part name n n_estimated n_tier1 n_tier2",
}

needs_sqlglot = pytest.mark.skipif(
    importlib.util.find_spec("sqlglot") is None, reason="sqlglot is not installed"
)


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> list[Snapshot]:
    return three(tmp_path_factory.mktemp("three"))


def answered(snapshots: list[Snapshot]) -> dict[str, Result]:
    """All figures on one engine."""
    dimensions, manifests = Dimensions(), [one.manifest for one in snapshots]
    with ViewEngine(Duck(), Selection([one.folder for one in snapshots]), dimensions) as engine:
        return {
            name: run(known.figure, known.sql, engine, manifests, dimensions.digest)
            for name, known in all_figures().items()
            if name in SPECIFIED
        }


def as_csv(result: Result) -> bytes:
    file = io.BytesIO()
    pyarrow.csv.write_csv(result.table, file)
    return file.getvalue()


@pytest.mark.parametrize("name", SPECIFIED)
def test_the_columns_are_those_of_the_specification(name: str) -> None:
    figure = all_figures()[name].figure
    columns = [one.name for one in figure.columns]
    wanted = SPECIFIED[name].split()
    assert columns[: len(wanted)] == wanted
    assert figure.title
    assert figure.question.endswith("?")
    assert all(text.endswith(".") for text in figure.definitions)


def test_the_same_snapshot_gives_the_same_bytes(snapshots: list[Snapshot]) -> None:
    first, again = answered(snapshots), answered(snapshots)
    for name, result in first.items():
        assert len(result.table) > 0, name
        assert as_csv(result) == as_csv(again[name]), name
        assert result.scalars == again[name].scalars, name
        for points, table in result.points.items():
            assert table.equals(again[name].points[points]), (name, points)


def test_charts_are_whole(snapshots: list[Snapshot]) -> None:
    """A chart is JSON, and every column that it draws is one of its data or made in it."""
    for name, result in answered(snapshots).items():
        chart = result.figure.chart(result.table, result.scalars)
        text = json.dumps(chart)
        made = {"table": result.table.column_names} | {
            points: table.column_names for points, table in result.points.items()
        }
        assert data_of(json.loads(text)) <= set(made), name
        known = {column for columns in made.values() for column in columns}
        asked = fields(json.loads(text))
        assert asked <= known | calculated(json.loads(text)), (name, asked - known)


def data_of(node: object) -> set[str]:
    """Names of all data that a chart draws."""
    if isinstance(node, list):
        return {name for one in node for name in data_of(one)}
    if not isinstance(node, dict):
        return set()
    here = {node["data"]["name"]} if "name" in node.get("data", {}) else set()
    return here.union(*(data_of(one) for one in node.values()), set())


def fields(node: object) -> set[str]:
    if isinstance(node, list):
        return {name for one in node for name in fields(one)}
    if not isinstance(node, dict):
        return set()
    here = {node["field"]} if isinstance(node.get("field"), str) else set()
    return here.union(*(fields(one) for one in node.values()), set())


def calculated(node: object) -> set[str]:
    if isinstance(node, list):
        return {name for one in node for name in calculated(one)}
    if not isinstance(node, dict):
        return set()
    names = node.get("as", [])
    here = {names} if isinstance(names, str) else set(names)
    return here.union(*(calculated(one) for one in node.values()), set())


def test_charts_can_be_drawn(snapshots: list[Snapshot]) -> None:
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    for name, result in answered(snapshots).items():
        svg = svg_of(documented(result)).decode()
        assert svg.startswith("<svg"), name
        assert "NaN" not in svg, name
        assert "e+308" not in svg, f"{name}: an axis without ends"


@needs_sqlglot
@pytest.mark.parametrize("name", SPECIFIED)
def test_sql_of_figures_is_sql_for_spark(name: str) -> None:
    sql = spark(all_figures()[name].sql)
    assert "PERCENTILE_APPROX" not in sql
    assert "PERCENTILE_CONT" not in sql


@needs_sqlglot
@pytest.mark.parametrize(
    "sql",
    [
        views.known_models(),
        views.known_models(views.REFERENCE),
        views.models(Filters(org_type="company", since="2024-01-01", until="2024-02-01")),
        views.models(Filters(flagged="keep")),
        views.flags(),
        views.flags(views.REFERENCE),
        views.lineage(),
        views.UNIVERSE,
        *(views.places(rule, 300) for rule in (*views.RULES, views.UNION)),
        views.HISTORY.format(parts="SELECT 0 AS number, id FROM raw_models"),
    ],
)
def test_views_are_sql_for_spark(sql: str) -> None:
    assert "REPLACE" not in spark(sql)


@needs_sqlglot
def test_what_duckdb_keeps_spark_may_compute_again() -> None:
    assert spark("WITH a AS MATERIALIZED (SELECT 1 AS x) SELECT x FROM a") == (
        "WITH a AS (SELECT 1 AS x) SELECT x FROM a"
    )


@needs_sqlglot
def test_quantiles_are_exact_on_spark_too() -> None:
    assert spark("SELECT quantile_cont(size, 0.5) FILTER (WHERE n > $k) AS q FROM m") == (
        "SELECT PERCENTILE(size, 0.5) FILTER(WHERE n > :k) AS q FROM m"
    )


@needs_sqlglot
def test_places_in_lists_count_from_zero_on_spark() -> None:
    sql = spark(
        "SELECT sizes[1] AS a FROM (SELECT quantile_cont(size, [0.25, 0.5]) AS sizes FROM m)"
    )
    assert sql.startswith("SELECT sizes[0] AS a")
    assert "PERCENTILE(size, ARRAY(0.25, 0.5))" in sql
    for name in SPECIFIED:
        assert ")[" not in spark(all_figures()[name].sql), name


def test_a_figure_has_both_its_files() -> None:
    folder = Path(views.__file__).parent / "figures"
    named = {path.stem for path in folder.glob("*.sql")}
    assert named == {path.stem for path in folder.glob("[fsb][0-9]*.py")}
    assert named == {name.lower() for name in all_figures()}
