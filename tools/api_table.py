# SPDX-License-Identifier: Apache-2.0
"""`docs/api.md`: the table of routes held against the list of what clients call."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum

from hubkeep.kit.routing import Match
from hubkeep.repos.types import RepoType
from hubkeep.route import Route
from hubkeep.routes import all_routes, build_router
from tools.contract import Area, Endpoint, read_contract

_HEAD = """\
<!-- Written by `make docs` from src/hubkeep/routes.py and tools/contract.txt; not by hand. -->
# API coverage

What the clients of Hugging Face call, area by area, and what this hub does about it.
P0 is what no push or pull works without; P3 is what few will miss.

- **served**: the address does what the clients expect.
- **501**: the hub knows the address and says that it cannot do this yet, with
  `X-Error-Code: NotImplemented`.
- **404**: the hub does not know the address.
- **no address**: not something that a client asks of a hub.

`{T}` stands for `models`, `datasets`, `spaces` and `kernels`; `{web}` for nothing, `datasets/`,
`spaces/` and `kernels/`; `{repo}` for `namespace/name`. `{rev}` is one path segment: slashes in it
are written `%2F`. HEAD is answered wherever GET is.
"""

_NAME = re.compile(r"\{\w+(\*?)\}")
_METHOD_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class State(StrEnum):
    """What the hub does at an address."""

    SERVED = "served"
    LATER = "501"
    UNKNOWN = "404"


class Table:
    """What the hub's router says of each endpoint, and which routes it led to."""

    def __init__(self) -> None:
        self._router = build_router()
        self._used: set[str] = set()

    def state(self, endpoint: Endpoint) -> State:
        """The least that the hub does at any address of the endpoint."""
        return _least(self._one(endpoint.method, pattern) for pattern in endpoint.patterns)

    def _one(self, method: str, pattern: str) -> State:
        # Of the kinds of repositories one is enough: some endpoints are for models alone.
        return _most(self._at(method, filled) for filled in _by_kind(pattern))

    def _at(self, method: str, pattern: str) -> State:
        found = self._router.match(method, _NAME.sub("x", pattern))
        if not isinstance(found, Match):
            return State.UNKNOWN
        route = found.target
        if not route.is_implemented:
            self._used.add(_key(route))
            return State.LATER
        # A repository called `x` answers where `/api/models/{name}` is routed, but means no `x`.
        if _shape(pattern) not in map(_shape, _by_kind(route.pattern)):
            return State.UNKNOWN
        self._used.add(_key(route))
        return State.SERVED

    def others(self) -> list[Route]:
        """The routes that no endpoint led to so far, by pattern."""
        left = [route for route in all_routes() if _key(route) not in self._used]
        return sorted(left, key=lambda r: (r.pattern, _METHOD_ORDER.index(r.method)))


def api_page() -> str:
    """Return the page as Markdown."""
    table = Table()
    areas = read_contract()
    states = {area.number: [table.state(one) for one in area.endpoints] for area in areas}
    lines = [_HEAD, "## Areas", "", "| | area | priority | endpoints | served | 501 | 404 |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    lines += [_summary(area, Counter(states[area.number])) for area in areas]
    known = Counter(state for found in states.values() for state in found)
    total = sum(area.size for area in areas)
    lines += [f"| | **all** | | **{total}** | {_counts(known)} |", ""]
    for area in areas:
        lines += _section(area, states[area.number])
    lines += _own(table.others())
    return "\n".join(lines).rstrip("\n") + "\n"


def _summary(area: Area, known: Counter[State]) -> str:
    name = f"[{area.name}](#{_anchor(_title(area))})"
    return f"| {area.number} | {name} | {area.priority} | {area.size} | {_counts(known)} |"


def _counts(known: Counter[State]) -> str:
    return " | ".join(str(known[state] or "") for state in State)


def _section(area: Area, states: list[State]) -> Iterator[str]:
    yield from (f"## {_title(area)}", "")
    if area.endpoints:
        yield from ("| method | address | |", "| --- | --- | --- |")
        for endpoint, state in zip(area.endpoints, states, strict=True):
            where = ", ".join(f"`{pattern}`" for pattern in endpoint.patterns)
            yield f"| {endpoint.method} | {where} | {state} |"
        yield ""
    for count, text in area.elsewhere:
        yield f"{text} ({count}, no address)." if count else f"{text}."
        yield ""


def _own(routes: list[Route]) -> Iterator[str]:
    yield from ("## Other addresses", "")
    yield from ("What the hub answers besides: its own, older spellings, what browsers call.", "")
    yield from ("| method | address | for | |", "| --- | --- | --- | --- |")
    for route in routes:
        state = State.SERVED if route.is_implemented else State.LATER
        yield f"| {route.method} | `{route.pattern}` | {route.area} | {state} |"


def _title(area: Area) -> str:
    return f"{area.number}. {area.name}"


def _anchor(title: str) -> str:
    """The name that renderers of Markdown give to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _key(route: Route) -> str:
    return f"{route.method} {route.pattern}"


def _by_kind(pattern: str) -> set[str]:
    """The pattern for each kind of repository, ids written out."""
    written_out = pattern.replace("{repo}", "{ns}/{name}")
    return {
        written_out.replace("{T}", kind.plural).replace("{web}", kind.web_prefix)
        for kind in RepoType
    }


def _shape(pattern: str) -> str:
    """The pattern without its names: `/api/models/{}/{}/refs`."""
    return _NAME.sub(r"{\1}", pattern)


def _least(states: Iterable[State]) -> State:
    return max(states, key=list(State).index)


def _most(states: Iterable[State]) -> State:
    return min(states, key=list(State).index)
