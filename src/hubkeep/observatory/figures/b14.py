# SPDX-License-Identifier: Apache-2.0
"""B14: whether what people like is what they download."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.charts import BLUE, GREY, ORANGE, PALETTE, VERMILION
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import DOWNLOADS_MEAN, Row, as_table, part
from hubkeep.observatory.shapes import cloud

if TYPE_CHECKING:
    import pyarrow as pa

_DEPTH: Final = 1000
_NAMED: Final = 2
_WHOLE: Final = """
SELECT count(*) AS n, count(*) FILTER (WHERE is_flagged) AS flagged,
  count(*) FILTER (WHERE likes IS NULL) AS no_likes,
  count(*) FILTER (WHERE downloads_30d IS NULL) AS no_downloads,
  CAST(sum(CASE WHEN NOT is_flagged AND likes IS NOT NULL THEN downloads_30d END) AS BIGINT)
    AS downloads,
  CAST(sum(CASE WHEN NOT is_flagged AND downloads_30d IS NOT NULL THEN likes END) AS BIGINT)
    AS likes
FROM models
"""
_BOTH, _LIKED, _LOADED, _FLAGGED = "both", "likes", "downloads", "flagged"


@dataclass(frozen=True, slots=True)
class _Lists:
    """Models from the first on, by likes and by downloads."""

    liked: Sequence[str]
    loaded: Sequence[str]

    def overlap(self, k: int, without: str = "") -> int:
        """How many the first k of both have in common, if one model is left out."""
        first, second = (
            set([one for one in ids[: k + 1] if one != without][:k])
            for ids in (self.liked, self.loaded)
        )
        return len(first & second)


def _finish(table: "pa.Table", context: Context) -> Finished:
    rows: list[Row] = table.to_pylist()
    top = int(context.parameters["top"])
    lists = _Lists(_placed(rows, "place_likes"), _placed(rows, "place_downloads"))
    claimed = _claimed(rows)
    k = min(top, len(lists.liked), len(lists.loaded))
    for row in rows:
        likes, loads = row["likes"], row["downloads"]
        known = isinstance(likes, int) and isinstance(loads, int) and likes > 0
        row["downloads_per_like"] = float(loads or 0) / float(likes or 1) if known else None
        row["list"] = _list_of(row, k, claimed)
    shown = [row for row in rows if row["list"] is not None]
    whole = context.query(_WHOLE).to_pylist()[0]
    return Finished(
        as_table(table.slice(0, 0), shown),
        {
            **_overlap(lists, k, claimed),
            "downloads_per_like_all": part(whole["downloads"] or 0, whole["likes"] or 0),
            "downloads_per_like_most_liked": _per_like(rows, "place_likes", k),
            "downloads_per_like_most_downloaded": _per_like(rows, "place_downloads", k),
        },
        n=whole["n"] - whole["flagged"],
        excluded={"flagged": whole["flagged"]},
        missing={"likes": whole["no_likes"], "downloads_30d": whole["no_downloads"]},
        notes=[] if k == top else [f"There are no {top} models to rank: lists have {k}."],
        points={"points": _points(shown), "overlaps": _overlaps(lists)},
    )


def _placed(rows: Sequence[Row], place: str) -> list[str]:
    known = [row for row in rows if row[place] is not None]
    return [str(row["model"]) for row in sorted(known, key=lambda row: int(row[place] or 0))]


def _claimed(rows: Sequence[Row]) -> list[str]:
    """Models by downloads as if no counter were flagged."""
    known = [row for row in rows if row["place_downloads"] is not None or row["is_flagged"]]
    told = [row for row in known if row["downloads"] is not None]
    ordered = sorted(told, key=lambda row: (-int(row["downloads"] or 0), str(row["model"])))
    return [str(row["model"]) for row in ordered[:_DEPTH]]


def _list_of(row: Row, k: int, claimed: Sequence[str]) -> str | None:
    """Which of the lists a model is in; None is none of them."""
    liked, loaded = (0 < int(row[one] or 0) <= k for one in ("place_likes", "place_downloads"))
    if row["is_flagged"] and (liked or row["model"] in claimed[:k]):
        return _FLAGGED
    if liked and loaded:
        return _BOTH
    return _LIKED if liked else _LOADED if loaded else None


def _overlap(lists: _Lists, k: int, claimed: Sequence[str]) -> dict[str, Scalar]:
    overlap = lists.overlap(k)
    alone = [lists.overlap(k, one) for one in {*lists.liked[:k], *lists.loaded[:k]}]
    return {
        "k": k,
        "overlap": overlap,
        "overlap_share": part(overlap, k),
        "overlap_loo_min": min([overlap, *alone]),
        "overlap_loo_max": max([overlap, *alone]),
        "overlap_with_flagged": _Lists(lists.liked, claimed).overlap(k),
    }


def _per_like(rows: Sequence[Row], place: str, k: int) -> float | None:
    """Downloads for each like of the first k that have both numbers."""
    told = [
        row
        for row in rows
        if 0 < int(row[place] or 0) <= k
        and not row["is_flagged"]
        and row["likes"] is not None
        and row["downloads"] is not None
    ]
    loads, likes = (sum(int(row[one] or 0) for row in told) for one in ("downloads", "likes"))
    return part(loads, likes)


def _points(shown: Sequence[Row]) -> "pa.Table":
    """What the chart draws; the first of each list by name."""
    import pyarrow as pa

    rows = [
        {
            "id": row["model"],
            "likes": row["likes"],
            "downloads": row["downloads"],
            "list": row["list"],
            "name": str(row["model"]).rpartition("/")[2] if _is_named(row) else None,
        }
        for row in shown
        if row["likes"] is not None and row["downloads"] is not None
    ]
    kinds = [(one, pa.string()) for one in ("id", "list", "name")]
    kinds += [(one, pa.int64()) for one in ("likes", "downloads")]
    return pa.Table.from_pylist(rows, schema=pa.schema(kinds))


def _is_named(row: Row) -> bool:
    places = [int(row[one] or 0) for one in ("place_likes", "place_downloads")]
    return bool(row["is_flagged"]) or any(0 < one <= _NAMED for one in places)


def _overlaps(lists: _Lists) -> "pa.Table":
    """The overlap of the first k, as k grows."""
    import pyarrow as pa

    most = min(_DEPTH, len(lists.liked), len(lists.loaded))
    seen: dict[str, int] = {}
    rows, overlap = [], 0
    for k in range(1, most + 1):
        for one in (lists.liked[k - 1], lists.loaded[k - 1]):
            seen[one] = seen.get(one, 0) + 1
            overlap += seen[one] == 2
        rows.append({"k": k, "overlap": overlap, "share": overlap / k})
    kinds = [("k", pa.int64()), ("overlap", pa.int64()), ("share", pa.float64())]
    return pa.Table.from_pylist(rows, schema=pa.schema(kinds))


def _chart(_table: "pa.Table", scalars: Mapping[str, Scalar]) -> Chart:
    lists = {_LIKED: ORANGE, _LOADED: BLUE, _BOTH: PALETTE[2], _FLAGGED: VERMILION}
    colour = {
        "field": "list",
        "type": "nominal",
        "title": "first by",
        "scale": {"domain": list(lists), "range": list(lists.values())},
    }
    points = cloud(
        "points",
        "likes",
        "downloads",
        "Likes",
        "Downloads in 30 days",
        "name",
        colour=colour,
        named="isValid(datum.name)",
        line=None,
    )
    k: dict[str, object] = {
        "field": "k",
        "type": "quantitative",
        "title": "k, models in each list (log scale)",
        "scale": {"type": "log", "base": 10, "nice": False},
    }
    curve = {
        "data": {"name": "overlaps"},
        "width": 520,
        "height": 120,
        "layer": [
            {
                "mark": {"type": "line", "interpolate": "step-after"},
                "encoding": {
                    "x": k,
                    "y": {
                        "field": "share",
                        "type": "quantitative",
                        "title": "In both lists",
                        "axis": {"format": "~%"},
                    },
                },
            },
            {
                "data": {"values": [{"k": scalars.get("k")}]},
                "mark": {"type": "rule", "color": GREY, "strokeDash": [4, 4]},
                "encoding": {"x": k},
            },
        ],
    }
    return {"vconcat": [points, curve]}


FIGURE = Figure(
    id="B14",
    title="Attention and use",
    question="Are the models that people like those that they download?",
    definitions=(
        (
            "Two lists: the first k models (25 unless said otherwise) by likes, and by downloads "
            "in 30 days; who ties at their end is in by id. The overlap is how many are in both."
        ),
        (
            "A rank is one more than how many models have more, so that models with the same "
            "number share it."
        ),
        "downloads_per_like is null for a model without likes.",
        (
            "Flagged counters are in no list and have no rank by downloads; those that would be "
            "in the list are shown, and overlap_with_flagged is the overlap with them."
        ),
        (
            "overlap_loo_min and overlap_loo_max are the least and the most that the overlap is if "
            "none or any one model of the lists is left out, and the next one moves up."
        ),
        DOWNLOADS_MEAN,
    ),
    columns=(
        Answer("model", "text", "the model"),
        Answer("list", "text", "likes, downloads, both, or flagged"),
        Answer("rank_likes", "whole", "its rank by likes"),
        Answer("rank_downloads", "whole", "its rank by downloads; null of flagged ones"),
        Answer("likes", "whole", "its likes", "likes"),
        Answer("downloads", "whole", "its downloads in 30 days", "downloads"),
        Answer("downloads_per_like", "real", "downloads for each like"),
        Answer("is_flagged", "flag", "whether its counter stands out"),
    ),
    needs={"models": ("likes", "downloads_30d")},
    parameters=(Parameter("top", 25, "how many models a list has", least=1, most=_DEPTH - 1),),
    chart=_chart,
    finish=_finish,
)
