# SPDX-License-Identifier: Apache-2.0
"""What the page of the SQL console tells besides results: tables, examples, and how the SQL of a
figure is asked there.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from hubkeep.observatory.document import FigureDocument, FiltersOf
from hubkeep.observatory.figure import Value
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.schema import TABLES, Kind
from hubkeep.observatory.views import RULES
from hubkeep.observatory.workbench import quoted

PATH: Final = "/insights/console"

_LONGEST: Final = 7_500
"""Letters of an address that every server and proxy takes."""
# What figures read and the console does not have: other snapshots, and what Hubkeep knows besides.
_ELSEWHERE: Final = re.compile(r"\b(?:history|(?:reference|known|raw|universe)_\w+)\b")
_UNIVERSE: Final = re.compile(r"\buniverse\b")
_PARAMETER: Final = re.compile(r"\$([a-z_][a-z0-9_]*)")

_DERIVED: Final[Mapping[str, tuple[Kind, str]]] = {
    "namespace": (Kind.TEXT, "the present name of its author"),
    "entity": (Kind.TEXT, "the organisation that the namespace belongs to"),
    "org_type": (Kind.TEXT, "what type of organisation that is"),
    "org_type_from": (Kind.TEXT, "who says so: self_assigned, curated or none"),
    "region": (Kind.TEXT, "where it is"),
    "license_or_none": (Kind.TEXT, "its licence, or (none)"),
    "license_class": (Kind.TEXT, "what kind of licence that is"),
    "task_or_none": (Kind.TEXT, "its task, or (none)"),
    "modality": (Kind.TEXT, "what kind of task that is"),
    "is_flagged": (Kind.FLAG, "whether its counter stands out"),
    "is_censored": (Kind.FLAG, "whether its date is only a bound: made before March 2022"),
    "month": (Kind.DAY, "the first day of the month in which it was made"),
    "quarter": (Kind.DAY, "the first day of that quarter"),
}
"""What models have besides the columns of the snapshot."""

EXAMPLES: Final[Sequence[tuple[str, str]]] = (
    (
        "Who is downloaded, by type of organisation",
        """SELECT org_type, count(*) AS models,
  sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS downloads,
  round(100.0 * downloads / sum(downloads) OVER (), 1) AS per_cent
FROM models
GROUP BY org_type
ORDER BY downloads DESC NULLS LAST""",
    ),
    (
        "Kinds of licence among what was made in each quarter",
        """SELECT quarter, license_class, count(*) AS models
FROM models
WHERE NOT is_censored AND quarter IS NOT NULL
GROUP BY quarter, license_class
ORDER BY quarter DESC, models DESC""",
    ),
    (
        "What models are made from",
        """SELECT l.parent, count(*) AS children,
  count(*) FILTER (WHERE l.relation = 'quantized') AS quantized,
  sum(c.downloads_30d) AS downloads_of_children,
  any_value(p.downloads_30d) AS own_downloads
FROM lineage AS l
LEFT JOIN models AS c ON c.id = l.child
LEFT JOIN models AS p ON p.id = l.parent
GROUP BY l.parent
ORDER BY children DESC, l.parent
LIMIT 50""",
    ),
    (
        "Much used, with weights as pickle alone",
        """SELECT id, downloads_30d, likes, scan, license
FROM models
WHERE has_pickle AND NOT has_safetensors AND downloads_30d > 100
ORDER BY downloads_30d DESC, id
LIMIT 100""",
    ),
    (
        "Downloads by size",
        """SELECT CASE WHEN parameters IS NULL THEN 'not known'
    WHEN parameters < 1e9 THEN 'below 1B' WHEN parameters < 10e9 THEN '1B to 10B'
    WHEN parameters < 100e9 THEN '10B to 100B' ELSE '100B and more' END AS how_large,
  count(*) AS models, sum(downloads_30d) AS downloads, median(downloads_30d) AS median
FROM models
WHERE NOT is_flagged
GROUP BY how_large
ORDER BY min(parameters) NULLS FIRST""",
    ),
)


class ColumnTold(msgspec.Struct, rename="camel", kw_only=True):
    """A column of a table; `missing` where the source of the snapshot does not have it."""

    name: str
    kind: str
    meaning: str
    missing: bool = False


class TableTold(msgspec.Struct, rename="camel", kw_only=True):
    """A table that a query may read; `rows` are those of the snapshot as it was taken."""

    name: str
    meaning: str
    rows: int | None
    columns: Sequence[ColumnTold]


class ExampleTold(msgspec.Struct, rename="camel", kw_only=True):
    """A query to begin with."""

    name: str
    sql: str
    href: str


def tables_of(snapshot: Manifest) -> Sequence[TableTold]:
    """Return what a query over a snapshot may read."""
    derived = [
        ColumnTold(name=name, kind=kind.value, meaning=meaning)
        for name, (kind, meaning) in _DERIVED.items()
    ]
    found = []
    for name, table in TABLES.items():
        there = snapshot.tables.get(name)
        missing = there.missing if there else table.names
        columns = [
            ColumnTold(
                name=one.name, kind=one.kind.value, meaning=one.meaning, missing=one.name in missing
            )
            for one in table.columns
        ]
        columns += derived if name == "models" else []
        rows = there.rows if there else 0
        found.append(TableTold(name=name, meaning=table.meaning, rows=rows, columns=columns))
    return [*found, *_more()]


def examples(href: "Mapping[str, str]") -> Sequence[ExampleTold]:
    """Return the queries to begin with; `href` are parameters that links to them keep."""
    return [
        ExampleTold(name=name, sql=sql, href=f"{PATH}?{urlencode({**href, 'sql': sql})}")
        for name, sql in EXAMPLES
    ]


def console_href(figure: FigureDocument) -> str:
    """Return where the SQL of a figure is asked in the console; empty where the console cannot
    answer it as the figure does: it has one snapshot, all of its models, and the usual universe.
    """
    values = {one.name: one.value for one in figure.parameters}
    is_usual = values.get("k", 300) == 300 and values.get("rule", RULES[0]) == RULES[0]
    if _ELSEWHERE.search(_plain(figure.sql)) or figure.filters != FiltersOf():
        return ""
    if _UNIVERSE.search(_plain(figure.sql)) and not is_usual:
        return ""
    if any(name not in values for name in _PARAMETER.findall(figure.sql)):
        return ""
    sql = _PARAMETER.sub(lambda found: _literal(values[found[1]]), figure.sql)
    href = f"{PATH}?{urlencode({'snapshot': figure.snapshot.id, 'sql': sql.strip()})}"
    return href if len(href) <= _LONGEST else ""


def _plain(sql: str) -> str:
    """The SQL without its comments, which speak of anything."""
    return re.sub(r"--[^\n]*", "", sql)


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)


def _more() -> Sequence[TableTold]:
    return [
        TableTold(
            name="universe",
            meaning="the 300 most downloaded models, with all that models have",
            rows=None,
            columns=[ColumnTold(name="place", kind=Kind.WHOLE.value, meaning="1 has the most")],
        ),
        TableTold(
            name="snapshots",
            meaning="the snapshot itself",
            rows=1,
            columns=[
                ColumnTold(name="taken_at", kind=Kind.TIME.value, meaning="when it was taken"),
                ColumnTold(name="id", kind=Kind.TEXT.value, meaning="its id"),
            ],
        ),
    ]
