# SPDX-License-Identifier: Apache-2.0
"""Charts for notebooks, where they are drawn inline."""

from typing import TYPE_CHECKING, Any

from hubkeep.observatory.document import documented, filled
from hubkeep.observatory.report.pictures import heading

if TYPE_CHECKING:
    import altair as alt

    from hubkeep.observatory.running import Result


def chart_in_notebook(result: "Result") -> "alt.TopLevelMixin":
    """Return a result's chart for Altair: with its data, title, question and caption in it."""
    import altair as alt

    document = documented(result)
    whole: dict[str, Any] = filled(document.chart, document.table, document.points)
    return alt.Chart.from_dict({**whole, "title": heading(document)})
