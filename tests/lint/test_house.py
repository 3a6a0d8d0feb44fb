# SPDX-License-Identifier: Apache-2.0
"""The package keeps the rules of the house, and the rules catch what they are for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lint import house
from tests.lint.house import FILE_LINES, FUNCTION_LINES, RULES, SPDX, Source

SRC = Path(__file__).parents[2] / "src" / "hubkeep"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Callable[[Source], Iterator[int]]) -> None:
    sources = [Source.read(path, SRC) for path in sorted(SRC.rglob("*.py"))]
    broken = [f"src/hubkeep/{source.name}:{line}" for source in sources for line in rule(source)]
    assert not broken, rule.__doc__


LONG_FUNCTION = "def f():\n" + "    x = 1\n" * FUNCTION_LINES


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (house.long_file, "a.py", "\n" * (FILE_LINES + 1)),
        (house.long_function, "a.py", LONG_FUNCTION),
        (house.long_function, "a.py", f"async {LONG_FUNCTION}"),
        (house.no_licence, "a.py", '"""A docstring."""\n'),
        (house.environment, "repos/api.py", "import os\nx = os.environ['A']\n"),
        (house.environment, "repos/api.py", "import os\nx = os.getenv('A')\n"),
        (house.environment, "repos/config.py", "from os import environ\n"),
        (house.prints, "repos/api.py", "print(1)\n"),
        (house.swallowed, "a.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
        (house.swallowed, "a.py", "for _ in x:\n    try:\n        f()\n    except:\n        ...\n"),
        (house.swallowed, "a.py", "try:\n    f()\nexcept (OSError, Exception):\n    pass\n"),
        (house.statements, "repos/api.py", "from sqlalchemy import Connection, select\n"),
        (house.statements, "repos/rules.py", "from sqlalchemy.dialects.sqlite import insert\n"),
        (house.statements, "cli/user.py", "import sqlalchemy as sa\nx = sa.text('DROP')\n"),
        (house.sees_too_much, "git/objects.py", "from starlette.requests import Request\n"),
        (house.sees_too_much, "xet/shard.py", "import sqlalchemy\n"),
        (house.sees_too_much, "scan/pickles.py", "from hubkeep.db import Database\n"),
    ],
)
def test_a_breach_is_caught(rule: Callable[[Source], Iterator[int]], name: str, text: str) -> None:
    assert list(rule(Source(name, text)))


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (house.long_function, "a.py", LONG_FUNCTION.removesuffix("    x = 1\n")),
        (house.no_licence, "a.py", f"{SPDX}\n"),
        (house.environment, "config.py", "import os\nx = os.environ\n"),
        (house.environment, "cli/serve.py", "import os\nx = os.environ\n"),
        (house.prints, "cli/user.py", "print(1)\n"),
        (house.swallowed, "a.py", "try:\n    f()\nexcept OSError:\n    pass\n"),
        (house.swallowed, "a.py", "try:\n    f()\nexcept Exception as e:\n    report(e)\n"),
        (house.statements, "repos/queries_list.py", "from sqlalchemy import select\n"),
        (house.statements, "jobs/queue.py", "from sqlalchemy import select\n"),
        (house.statements, "repos/api.py", "from sqlalchemy import Connection\n"),
        (house.sees_too_much, "git/queries.py", "import sqlalchemy\n"),
        (house.sees_too_much, "repos/api.py", "from starlette.requests import Request\n"),
    ],
)
def test_what_is_allowed_passes(
    rule: Callable[[Source], Iterator[int]], name: str, text: str
) -> None:
    assert not list(rule(Source(name, text)))
