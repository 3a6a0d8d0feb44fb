# SPDX-License-Identifier: Apache-2.0
"""Charts for notebooks, where they are drawn inline."""

from typing import TYPE_CHECKING

from hubkeep.observatory.document import documented
from hubkeep.observatory.report.pictures import picture_of

if TYPE_CHECKING:
    import altair as alt

    from hubkeep.observatory.running import Result


def chart_in_notebook(result: "Result") -> "alt.TopLevelMixin":
    """Return a result's chart for Altair: with its data, title, question and caption in it."""
    import altair as alt

    return alt.Chart.from_dict(picture_of(documented(result)))
