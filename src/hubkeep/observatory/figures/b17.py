# SPDX-License-Identifier: Apache-2.0
"""B17: this hub beside another one, and what it depends on there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hubkeep.observatory.charts import PALETTE, TABLE, largest, number
from hubkeep.observatory.dimensions import LICENSE_CLASSES
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import FLAGGED_MEANS, Row, as_table, part
from hubkeep.observatory.figures.sizes import SIZE, SIZES
from hubkeep.observatory.shapes import dumbbells
from hubkeep.observatory.statistics import rate_interval

if TYPE_CHECKING:
    import pyarrow as pa

_Told = Mapping[str, Any]

_MONTHS: Final = Parameter(
    "months", 12, "a base that has not changed for more months is stale", least=1, most=1200
)
_TOP: Final = Parameter("top", 100, "how many models upstream are listed", least=1, most=100_000)
_DAYS: Final = 30.436875
"""In a month, on average."""
_GONE: Final = ("missing", "disabled", "stale")
_STATUS: Final = ("there", *_GONE, "former name")
_TERMS: Final = (
    "kept",
    "same class",
    "tightened",
    "conflict",
    "dropped",
    "upstream names none",
    "not comparable",
)
_FORMAT: Final = (
    "CASE WHEN has_safetensors THEN 'safetensors' WHEN has_safetensors IS NULL THEN 'unknown' "
    "WHEN has_pickle THEN 'pickle only' WHEN has_pickle IS NULL THEN 'unknown' "
    "WHEN has_gguf THEN 'gguf' WHEN has_gguf IS NULL THEN 'unknown' ELSE 'none' END"
)


@dataclass(frozen=True, slots=True)
class _Aspect:
    """By what both hubs are compared: SQL, the columns that it is of, and the names in order."""

    name: str
    sql: str
    columns: Collection[str]
    order: Sequence[str] = ()


_ASPECTS: Final = (
    _Aspect("licence class", "license_class", ("models.license",), LICENSE_CLASSES),
    _Aspect(
        "format",
        _FORMAT,
        ("models.has_safetensors", "models.has_pickle", "models.has_gguf"),
        ("safetensors", "pickle only", "gguf", "none", "unknown"),
    ),
    _Aspect("modality", "modality", ("models.task",)),
    _Aspect("size", SIZE, ("models.parameters",), SIZES),
)


def _finish(table: "pa.Table", context: Context) -> Finished:
    told = table.to_pylist()
    lacks = _lacks(context)
    ours = _sums(context, "models")
    theirs = _sums(context, "reference_models") if context.has_reference else []
    n, dl = sum(row["n"] for row in ours), sum(row["dl"] for row in ours)
    rows = [
        *(_upstream(row, n, dl, lacks) for row in told if row["part"] == "upstream"),
        *(_summary(row, n, dl) for row in _ordered(told, lacks)),
        *(row for aspect in _ASPECTS for row in _compared(aspect, ours, theirs, context)),
    ]
    dependent = next((row for row in told if row["part"] == "dependent"), None)
    return Finished(
        as_table(table, rows),
        _scalars(rows, n, dependent, lacks)
        | (_copies(context, lacks) if context.has_reference else {}),
        n=n,
        missing={
            column.partition(".")[2]: n for column in context.absent if column.startswith("models")
        },
    )


def _lacks(context: Context) -> set[str]:
    """What cannot be said of bases: how they are, their licences, or their files."""
    if not context.has_reference:
        return {"status", "terms", "files", "their licences"}
    found = set()
    if "models.license" in context.reference_absent:
        found |= {"terms", "their licences"}
    if "models.license" in context.absent:
        found.add("terms")
    if "models.has_pickle" in context.reference_absent:
        found.add("files")
    if "models.last_modified" in context.reference_absent:
        found.add("stale")
    if "models.disabled" in context.reference_absent:
        found.add("disabled")
    return found


def _blank(kind: str, name: str) -> Row:
    return {one.name: None for one in FIGURE.columns} | {"part": kind, "name": name}


def _counted(n: int, dl: int, whole: int, dl_whole: int) -> Row:
    rate = rate_interval(n, whole)
    return {
        "n": n,
        "share_n": part(n, whole),
        "ci_lo": rate.low if rate else None,
        "ci_hi": rate.high if rate else None,
        "dl": dl,
        "share_dl": part(dl, dl_whole),
    }


def _upstream(row: _Told, n: int, dl: int, lacks: Collection[str]) -> Row:
    days = row["days"]
    status = None if "status" in lacks else row["status"]
    is_there = status not in (None, "missing")
    found = _blank("upstream", row["name"]) | _counted(row["n"], row["dl"], n, dl)
    found |= {
        "n_upstream": 1,
        "n_direct": row["n_direct"],
        "status": status,
        "is_abandoned": None if status is None else status in _GONE,
        "months_unchanged": None if days is None else days / _DAYS,
        "n_former_name": row["n_former_name"],
        "dl_public": row["dl_upstream"],
        "is_flagged": row["is_flagged"] if is_there else None,
    }
    if "their licences" not in lacks and is_there:
        found |= {"licence": row["license"], "class": row["license_class"]}
    if "terms" not in lacks and is_there:
        found |= {name: row[name] for name in ("n_dropped", "n_tightened", "n_conflict")}
    if "files" not in lacks and is_there:
        found["is_pickle_only"] = row["is_pickle_only"]
    return found


def _ordered(told: Sequence[_Told], lacks: Collection[str]) -> list[_Told]:
    """What is said of all bases together, as far as it can be said."""
    order = {"dependent": ("all",), "status": _STATUS, "terms": _TERMS, "files": ()}
    return [
        row
        for kind, names in order.items()
        if kind not in lacks
        for row in sorted(
            (row for row in told if row["part"] == kind),
            key=lambda row, names=names: (
                names.index(row["name"]) if row["name"] in names else len(names)
            ),
        )
    ]


def _summary(row: _Told, n: int, dl: int) -> Row:
    counts = _counted(row["n"], row["dl"], n, dl)
    return _blank(row["part"], row["name"]) | counts | {"n_upstream": row["n_upstream"]}


def _sums(context: Context, view: str) -> list[_Told]:
    columns = ", ".join(f"{one.sql} AS a{at}" for at, one in enumerate(_ASPECTS))
    places = ", ".join(str(at + 1) for at in range(len(_ASPECTS)))
    return context.query(
        f"SELECT {columns}, count(*) AS n, CAST(coalesce(sum(downloads_30d) "
        f"FILTER (WHERE NOT is_flagged), 0) AS BIGINT) AS dl FROM {view} "
        f"GROUP BY {places} ORDER BY {places}"
    ).to_pylist()


def _compared(
    aspect: _Aspect, ours: Sequence[_Told], theirs: Sequence[_Told], context: Context
) -> list[Row]:
    """A row for each name, of this hub, of the other one or of both."""
    column = f"a{_ASPECTS.index(aspect)}"
    here = {} if set(aspect.columns) & set(context.absent) else _folded(ours, column)
    there = {} if set(aspect.columns) & set(context.reference_absent) else _folded(theirs, column)
    names = [name for name in aspect.order if name in here or name in there]
    names += sorted({*here, *there} - set(names))
    n, dl = _totals(here)
    n_public, dl_public = _totals(there)
    rows = []
    for name in names:
        row = _blank(aspect.name, name)
        if here:
            row |= _counted(*here.get(name, (0, 0)), n, dl)
        if there:
            public = _counted(*there.get(name, (0, 0)), n_public, dl_public)
            row |= {f"{key}_public": value for key, value in public.items()}
        rows.append(row)
    return rows


def _folded(rows: Sequence[_Told], column: str) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        n, dl = found.get(row[column], (0, 0))
        found[row[column]] = n + row["n"], dl + row["dl"]
    return found


def _totals(groups: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    return sum(n for n, _ in groups.values()), sum(dl for _, dl in groups.values())


def _copies(context: Context, lacks: Collection[str]) -> dict[str, Scalar]:
    """Models of this hub that have the id of one of the other."""
    row = context.query(
        "SELECT count(*) AS n, count(*) FILTER (WHERE coalesce(m.license, '') <> "
        "coalesce(r.license, '')) AS n_other FROM models AS m "
        "JOIN raw_reference_models AS r ON r.id = m.id"
    ).to_pylist()[0]
    return {
        "n_copies": row["n"],
        "n_copies_other_licence": None if "terms" in lacks else row["n_other"],
    }


def _scalars(
    rows: Sequence[Row], n: int, dependent: _Told | None, lacks: Collection[str]
) -> dict[str, Scalar]:
    by_name = {(row["part"], row["name"]): row["n"] for row in rows}
    kinds = {str(row["part"]) for row in rows}

    def on(kind: str, name: str) -> Scalar:
        return by_name.get((kind, name), 0) if kind in kinds and name not in lacks else None

    found: dict[str, Scalar] = {
        "n_models": n,
        "n_dependent": dependent["n"] if dependent else 0,
        "share_dependent": part(dependent["n"] if dependent else 0, n),
        "n_upstream": dependent["n_upstream"] if dependent else 0,
    }
    for name in (*_GONE, "former name"):
        found[f"n_on_{name.replace(' ', '_')}"] = on("status", name)
    for name in ("dropped", "tightened", "conflict"):
        found[f"n_{name}"] = on("terms", name)
    pickles = by_name.get(("files", "upstream is pickle alone"))
    return found | {
        "n_on_pickle_alone": pickles,
        "n_pickle_only": on("format", "pickle only"),
    }


def _chart(table: "pa.Table", _scalars: object) -> Chart:
    parts, names = table["part"].to_pylist(), table["name"].to_pylist()
    panels: list[Mapping[str, object]] = []
    if "upstream" in parts:
        panels.append(_bases())
    if {"status", "terms", "files"} & set(parts):
        panels.append(_risks())
    measures = {
        "this hub": ("share_n", "ci_lo", "ci_hi"),
        "the other hub": ("share_n_public", "ci_lo_public", "ci_hi_public"),
    }
    for aspect in _ASPECTS:
        order = [name for kind, name in zip(parts, names, strict=True) if kind == aspect.name]
        if order:
            where = f"datum.part == '{aspect.name}'"
            title = f"Share of models by {aspect.name}"
            panels.append(dumbbells("name", measures, title, order, where=where))
    return {
        "data": TABLE,
        "vconcat": panels,
        "resolve": {"scale": {"color": "independent"}},
    }


def _bases() -> Chart:
    return {
        "transform": [
            {"filter": "datum.part == 'upstream'"},
            *largest("n"),
            {"calculate": "datum.status || 'not compared'", "as": "found"},
        ],
        "width": 520,
        "height": {"step": 18},
        "mark": {"type": "bar"},
        "encoding": {
            "x": number("n", "Models of this hub that depend on it"),
            "y": {"field": "name", "type": "nominal", "sort": "-x", "title": None},
            "color": {
                "field": "found",
                "type": "nominal",
                "title": "upstream",
                "scale": {
                    "domain": ["there", *_GONE, "not compared"],
                    "range": [PALETTE[0], PALETTE[5], PALETTE[3], PALETTE[1], PALETTE[7]],
                },
            },
            "tooltip": [{"field": one} for one in ("name", "n", "n_direct", "status", "licence")],
        },
    }


def _risks() -> Chart:
    return {
        "transform": [
            {"filter": "indexof(['status', 'terms', 'files'], datum.part) >= 0"},
            {"calculate": "datum.part + ': ' + datum.name", "as": "what"},
        ],
        "width": 520,
        "height": {"step": 18},
        "mark": {"type": "bar"},
        "encoding": {
            "x": number("n", "Models of this hub"),
            "y": {"field": "what", "type": "nominal", "sort": None, "title": None},
            "tooltip": [{"field": one} for one in ("what", "n", "n_upstream", "dl")],
        },
    }


FIGURE = Figure(
    id="B17",
    title="This hub and another one",
    question="What do the models of this hub depend on elsewhere, and how do both hubs differ?",
    definitions=(
        (
            "This hub is the one that the snapshot is of; the other one is that of the newest "
            "snapshot of another hub that was given. Without one, bases are listed, and what is "
            "said of them and of the other hub is left empty."
        ),
        (
            "A model upstream is a base that a model names and that the other hub has, or that "
            "this hub does not have. A base that this hub alone has is a step on the way: what it "
            "is made from counts too, up to three steps. n_direct name it themselves."
        ),
        (
            "status: missing is not in the other hub's snapshot by any name that we know (gone, "
            "private, or never there); disabled is closed by that hub; stale has not changed for "
            "more than 12 months (months) before it was looked at; these are abandoned. A base "
            "that models call by a former name counts as what it is, and in n_former_name."
        ),
        (
            "terms: what a model declares beside what its base does. dropped: the base names a "
            "licence and the model none. tightened and conflict: the model's class asks for more, "
            "or less, than the base's, in the order permissive, copyleft, rail, model-custom, "
            "noncommercial; the classes `other` and `none` cannot be compared. A model with "
            "several bases may be in several rows. It is no legal advice."
        ),
        (
            "Pickle alone: weights as pickle, which can run code when they are loaded, and none as "
            "safetensors (nor, upstream, as GGUF)."
        ),
        (
            "Shares are of all models of each hub, with Wilson's 95% interval; those of downloads "
            "are of each hub's own count of 30 days, which two hubs may count differently."
        ),
        FLAGGED_MEANS,
    ),
    columns=(
        Answer("part", "text", "what the row is about: a model upstream, a summary, or a share"),
        Answer("name", "text", "the model upstream, or what is counted"),
        Answer("n", "whole", "models of this hub", "models"),
        Answer("share_n", "real", "of all its models", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share_n", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("dl", "whole", "their downloads in 30 days, without flagged counters", "downloads"),
        Answer("share_dl", "real", "of all its downloads", "share"),
        Answer("n_public", "whole", "models of the other hub", "models"),
        Answer("share_n_public", "real", "of all its models", "share"),
        Answer("ci_lo_public", "real", "lower end of the 95% interval of that", "share"),
        Answer("ci_hi_public", "real", "upper end of it", "share"),
        Answer("dl_public", "whole", "downloads there; of one upstream its own", "downloads"),
        Answer("share_dl_public", "real", "of all its downloads", "share"),
        Answer("n_upstream", "whole", "models upstream that it is about", "models"),
        Answer("n_direct", "whole", "models of this hub that name it themselves", "models"),
        Answer("status", "text", "there, missing, disabled or stale"),
        Answer("is_abandoned", "flag", "whether it is one of the last three"),
        Answer("months_unchanged", "real", "months since it changed, when looked at", "months"),
        Answer("n_former_name", "whole", "models that call it by a former name", "models"),
        Answer("licence", "text", "its licence; null where it names none"),
        Answer("class", "text", "the class of that"),
        Answer("n_dropped", "whole", "models that dropped its licence", "models"),
        Answer("n_tightened", "whole", "models whose licence asks for more", "models"),
        Answer("n_conflict", "whole", "models whose licence asks for less", "models"),
        Answer("is_pickle_only", "flag", "whether its weights are pickle alone"),
        Answer("is_flagged", "flag", "whether its counter stands out"),
    ),
    needs={"lineage": ("parent",)},
    wants={
        "models": (
            "downloads_30d",
            "license",
            "task",
            "parameters",
            "has_safetensors",
            "has_pickle",
            "has_gguf",
        )
    },
    reference={
        "models": (
            "downloads_30d",
            "license",
            "task",
            "parameters",
            "has_safetensors",
            "has_pickle",
            "has_gguf",
            "last_modified",
            "disabled",
        )
    },
    parameters=(_MONTHS, _TOP),
    chart=_chart,
    finish=_finish,
)
