# SPDX-License-Identifier: Apache-2.0
"""B8: classes of size, of a few models at the ends of all classes."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.running import Result
from tests.observatory.tiny import Row, model, tiny

B = 1_000_000_000
LLM = "text-generation"


def of(size: float | None, downloads: int = 10, source: str | None = "name", **more: object) -> Row:
    count = None if size is None else round(size * B)
    name = str(more.pop("name", f"a/{size}-{source}-{len(more)}"))
    given = {"task": LLM, "parameters_from": source if count else None, "parameters": count}
    return model(name, **{**given, "downloads_30d": downloads, **more})


def classes(result: Result, among: str, source: str) -> dict[str, tuple[int, int]]:
    return {
        row["size_class"]: (row["n"], row["dl"])
        for row in result.table.to_pylist()
        if (row["among"], row["source"]) == (among, source)
    }


# From the lowest to the highest of each class, of numbers of parameters in billions.
ENDS = {
    "<0.1 B": (0.000000001, 0.099999999),
    "0.1-0.5 B": (0.1, 0.499999999),
    "0.5-1 B": (0.5, 0.999999999),
    "1-3 B": (1, 2.999999999),
    "3-7 B": (3, 6.999999999),
    "7-9 B": (7, 9.5, 9.999999999),
    "10-15 B": (10, 15.7, 15.999999999),
    "16-40 B": (16, 40.5, 40.999999999),
    "41-80 B": (41, 80),
    ">80 B": (80.000000001, 1800),
    "unknown": (0,),
}


def test_no_size_falls_between_two_classes(tmp_path: Path) -> None:
    rows = [of(size, 10 * at) for at, sizes in enumerate(ENDS.values(), 1) for size in sizes]
    result = tiny(tmp_path, models=rows).figure("B8")
    assert classes(result, "all", "any") == {
        name: (len(sizes), 10 * at * len(sizes)) for at, (name, sizes) in enumerate(ENDS.items(), 1)
    }


def test_classes_by_source_and_task(tmp_path: Path) -> None:
    models = [
        of(7, 100),
        of(8, 50, "safetensors"),
        of(13, 30, "gguf", task=None),
        of(0.3, 20, "declared", task="fill-mask"),
        of(None, 300),
        of(None, 200, task="fill-mask"),
    ]
    result = tiny(tmp_path, models=models).figure("B8")
    assert classes(result, "all", "any") == {
        "0.1-0.5 B": (1, 20),
        "7-9 B": (2, 150),
        "10-15 B": (1, 30),
        "unknown": (2, 500),
    }
    assert classes(result, "all", "gguf") == {"10-15 B": (1, 30)}
    assert classes(result, LLM, "any") == {"7-9 B": (2, 150), "unknown": (1, 300)}
    assert classes(result, LLM, "name") == {"7-9 B": (1, 100)}
    rows = {
        row["size_class"]: row
        for row in result.table.to_pylist()
        if (row["among"], row["source"]) == ("all", "any")
    }
    seven, unknown = rows["7-9 B"], rows["unknown"]
    assert (seven["share_all"], seven["share_declared"]) == (2 / 6, 2 / 4)
    assert seven["dl_share_declared"] == pytest.approx(150 / 200)
    assert (seven["loo_min"], seven["loo_max"]) == pytest.approx((50 / 100, 150 / 170))
    assert seven["ci_lo"] < 2 / 4 < seven["ci_hi"]
    assert unknown["dl_share_all"] == pytest.approx(500 / 700)
    assert unknown["dl_share_declared"] is unknown["ci_lo"] is unknown["loo_min"] is None
    assert result.missing == {"parameters": 2}
    assert result.scalars["dl_share_below_1b_all"] == pytest.approx(20 / 200)
    assert result.scalars["dl_share_7_9b_of_named_llm"] == 1


def test_packed_weights_are_of_no_known_size(tmp_path: Path) -> None:
    models = [
        of(1.1, source="safetensors", name="a/llm-GPTQ"),
        of(1.2, source="safetensors", name="a/packed"),
        of(7, source="name", name="a/llm-7b-gptq"),
        of(8, source="safetensors", name="a/whole"),
    ]
    edges = [{"child": "a/packed", "parent": "a/whole", "relation": "quantized"}]
    result = tiny(tmp_path, models=models, lineage=edges).figure("B8")
    assert classes(result, "all", "any") == {"7-9 B": (2, 20), "unknown": (2, 20)}
    assert result.missing == {"parameters, as packed tensors count too few": 2}


def test_without_parameters_there_is_no_answer(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=[model("a/x", downloads_30d=3)]).figure("B8")
    assert (result.n, result.missing_columns) == (0, ["models.parameters"])
