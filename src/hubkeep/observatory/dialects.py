# SPDX-License-Identifier: Apache-2.0
"""The SQL of figures and views, as other engines write it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp


def spark(sql: str) -> str:
    """Return SQL that is written for DuckDB as Spark has it.

    Raises sqlglot.errors.UnsupportedError for what Spark cannot do, and ParseError. Parameters
    `$k` become `:k`.
    """
    import sqlglot
    from sqlglot import ErrorLevel, exp

    tree = sqlglot.parse_one(sql, read="duckdb")

    def changed(node: "exp.Expression") -> "exp.Expression":
        # Spark's `percentile` interpolates as quantile_cont does; what sqlglot would write is
        # either approximate or no function of Spark.
        if isinstance(node, exp.PercentileCont):
            return exp.Anonymous(this="percentile", expressions=[node.this, node.expression])
        # A hint to DuckDB, which Spark does not know.
        if isinstance(node, exp.CTE):
            node.set("materialized", None)
        return node

    return tree.transform(changed).sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)
