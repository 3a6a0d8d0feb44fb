# SPDX-License-Identifier: Apache-2.0
"""The rules of the house, each a function from a source file to the lines that break it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FILE_LINES = 600
FUNCTION_LINES = 70
SPDX = "# SPDX-License-Identifier: Apache-2.0"
PACKAGE = "hubkeep"

STATEMENTS = {"select", "insert", "update", "delete", "text", "union", "union_all"}
STATEMENTS_IN = ("db/", "git/", "jobs/")
ENVIRONMENT_IN = ("config.py", "cli/")
PRINT_IN = ("cli/",)
# What an engine may not know of: that there is a web, or that there is a database.
HTTP = ("starlette", "granian", "jinja2")
SQL = ("sqlalchemy", "alembic", "psycopg", "sqlite3", f"{PACKAGE}.db")
BLIND = {
    "kit/": (*HTTP[1:], *SQL),
    "db/": HTTP,
    "jobs/": HTTP,
    "blobs/": HTTP,
    "git/": HTTP,
    "xet/": (*HTTP, *SQL),
    "scan/": (*HTTP, *SQL),
    "cards/": (*HTTP, *SQL),
}


@dataclass(frozen=True)
class Source:
    """A Python file of the package; `name` is its path inside it, as `git/objects.py`."""

    name: str
    text: str

    @classmethod
    def read(cls, path: Path, package: Path) -> "Source":
        """Read a file below the package's folder."""
        return cls(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8"))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of its syntax tree."""
        return tuple(ast.walk(ast.parse(self.text, self.name)))

    def is_in(self, places: tuple[str, ...]) -> bool:
        """Whether it is one of these files or in one of these folders, which end in a slash."""
        return any(self.name == p or (p.endswith("/") and self.name.startswith(p)) for p in places)


def long_file(source: Source) -> Iterator[int]:
    """A file past 600 lines is two files."""
    if source.text.count("\n") > FILE_LINES:
        yield FILE_LINES


def long_function(source: Source) -> Iterator[int]:
    """A function past 70 lines does not fit a screen."""
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            last = node.end_lineno or node.lineno
            if last - node.lineno + 1 > FUNCTION_LINES:
                yield node.lineno


def no_licence(source: Source) -> Iterator[int]:
    """Each file says its licence in its first line."""
    if not source.text.startswith(SPDX):
        yield 1


def environment(source: Source) -> Iterator[int]:
    """Only config.py and cli/ read the environment; everything else is told."""
    if source.is_in(ENVIRONMENT_IN):
        return
    readers = {"environ", "environb", "getenv"}
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in readers and _is_name(node.value, "os"):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for alias in node.names if alias.name in readers)


def prints(source: Source) -> Iterator[int]:
    """Only commands print; everything else logs or answers."""
    if source.is_in(PRINT_IN):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and _is_name(node.func, "print"):
            yield node.lineno


def swallowed(source: Source) -> Iterator[int]:
    """An exception of any kind is never dropped in silence."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and _catches_all(node) and _does_nothing(node.body):
            yield node.lineno


def statements(source: Source) -> Iterator[int]:
    """A room's SQL is in its queries*.py, so that who reads what can be seen in one place."""
    if source.is_in(STATEMENTS_IN) or source.name.rsplit("/", 1)[-1].startswith("queries"):
        return
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and _is_of(node.module, ("sqlalchemy",)):
            yield from (node.lineno for alias in node.names if alias.name in STATEMENTS)
        if (
            isinstance(node, ast.Attribute)
            and node.attr in STATEMENTS
            and (_is_name(node.value, "sqlalchemy") or _is_name(node.value, "sa"))
        ):
            yield node.lineno


def sees_too_much(source: Source) -> Iterator[int]:
    """An engine knows neither HTTP nor HTML, and a pure one no database."""
    banned = next((names for place, names in BLIND.items() if source.is_in((place,))), ())
    for node in source.nodes:
        if isinstance(node, ast.Import) and any(_is_of(a.name, banned) for a in node.names):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and not node.level and _is_of(node.module, banned):
            yield node.lineno


RULES = (
    long_file,
    long_function,
    no_licence,
    environment,
    prints,
    swallowed,
    statements,
    sees_too_much,
)


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_of(module: str | None, packages: tuple[str, ...]) -> bool:
    return module is not None and any(
        module == package or module.startswith(f"{package}.") for package in packages
    )


def _catches_all(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    broad = ("Exception", "BaseException")
    return any(each is None or any(_is_name(each, name) for name in broad) for each in caught)


def _does_nothing(body: list[ast.stmt]) -> bool:
    return all(
        isinstance(line, ast.Pass | ast.Continue)
        or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in body
    )
