# SPDX-License-Identifier: Apache-2.0
"""Write the pages of the documentation that follow from the source: `python -m tools.docs`."""

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from tools.api_table import api_page
from tools.cli_page import cli_page
from tools.schema_page import schema_page

DOCS = Path(__file__).parents[1] / "docs"

PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api_page,
    "cli.md": cli_page,
    "observatory/schema.md": schema_page,
}


def main() -> None:
    """Write each page that is not as it should be, and say which."""
    for name, page in PAGES.items():
        path = DOCS / name
        text = page()
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            click.echo(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
