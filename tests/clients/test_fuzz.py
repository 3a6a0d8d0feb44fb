# SPDX-License-Identifier: Apache-2.0
"""Odd values at every address: an error is always one that a client can read, never a 500.

The examples are the same in each run, so that a failure is the change's own; raise MAX_EXAMPLES
and drop `derandomize` to go looking for new ones.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubkeep.config import Config
from hubkeep.repos.types import RepoType
from hubkeep.route import Route
from hubkeep.routes import all_routes
from tests.clients.wire import ndjson
from tests.harness.hub import TestHub, started_hub
from tests.harness.world import ALICE, ALICE_READ, BOB, ROOT, seed

MAX_EXAMPLES = 15
REPO = "alice/fuzzed"


def words(text: str) -> list[str]:
    """The words of a text, for lists that would else take a line a word."""
    return text.split()


odd_text = st.one_of(
    st.sampled_from(
        [
            *("", ".", "..", "-", "--", "~", "*", "%", "/", "//", "\\", " ", "null", "None", "NaN"),
            *("0", "-1", "1e400", "99999999999999999999999", "0x10", "true", "on"),
            *("main", "HEAD", "v1", "refs/heads/main", "refs/pr/1", "refs/convert/x", "0" * 40),
            *("alice", "acme", "fuzzed", REPO, "README.md", "w.bin", "dir", "dir/a.txt"),
            *(
                "a" * 300,
                "a/" * 300,
                "\0",
                "\n",
                "\x7f",
                "\u202e",
                "\u0130",
                "\U0001f917",
                "\ufeff",
            ),
            *("'", '"', "';--", "{{7*7}}", "${x}", "<b>", "a\r\nX-Evil: 1", "license:mit"),
        ]
    ),
    st.text(max_size=12),
)
quoted = st.one_of(
    odd_text.map(lambda text: quote(text, safe="")),
    st.sampled_from(["%", "%zz", "%00", "%ff", "%ed%a0%80", "%2e%2e", "%252f", "+", "main"]),
)
good_or_odd = {
    "repo": st.sampled_from([REPO, "alice/missing", "fuzzed"])
    | st.builds("{}/{}".format, quoted, quoted),
    "T": st.sampled_from(["models", "models", *(kind.plural for kind in RepoType)]),
    "web": st.sampled_from(["", "", *(kind.web_prefix for kind in RepoType)]),
    "rev": st.sampled_from(["main", "v1", "refs%2Fheads%2Fmain", "deadbeef"]) | quoted,
    "path*": st.sampled_from(["README.md", "w.bin", "dir/a.txt", "dir"])
    | st.lists(quoted, min_size=1, max_size=4).map("/".join),
}
PARAMETERS = words(
    """
    limit cursor p expand expand[] recursive search author filter sort direction full cardData blobs
    create_pr include_prs type gated raw download files_metadata securityStatus library x
    """
)
FIELDS = words(
    """
    name organization type visibility private sdk fromRepo toRepo gated files path size sample paths
    tag message startingPoint overwrite operation objects oid transfers parts content repoType
    repository deletions sha summary parentCommit encoding algo srcPath license
    """
)
HEADERS = words(
    """
    bytes=0-0 bytes=9-1 bytes=-0 bytes=a-b bytes=0-1,3-4 * "x" W/ text/plain evil.example
    application/x-www-form-urlencoded bytes=9999999999999999999999-
    """
)
parameters = st.lists(st.tuples(st.sampled_from(PARAMETERS), odd_text), max_size=3)
leaf = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), odd_text, st.just([]), st.just({})
)
fields = st.sampled_from(FIELDS)
values = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=4),
    max_leaves=8,
)
operations = st.lists(
    st.tuples(
        st.sampled_from(
            ["file", "lfsFile", "deletedFile", "deletedFolder", "copyFile", "header", "x"]
        ),
        st.dictionaries(fields, leaf, max_size=4),
    ),
    max_size=3,
)
bodies = st.one_of(
    st.just(b""),
    st.dictionaries(fields, values, max_size=5).map(lambda value: json.dumps(value).encode()),
    values.map(lambda value: json.dumps(value).encode()),
    operations.map(lambda found: ndjson(*found)),
    st.sampled_from([b"{", b"[" * 5000, b"\xff\xfe", b'{"a":1}{"a":2}', b"paths=a&paths=%ff&x"]),
    st.binary(max_size=20),
)
headers = st.dictionaries(
    st.sampled_from(["Range", "If-None-Match", "If-Range", "Accept", "Content-Type", "Host"]),
    st.sampled_from(HEADERS),
    max_size=2,
)
tokens = st.sampled_from([ALICE, ALICE_READ, BOB, ROOT, None, "hf_bad", "\u00e9"])


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    """A hub on SQLite with one filled repository."""
    data: Path = tmp_path_factory.mktemp("fuzzed")
    with started_hub(Config(data=data)) as hub:
        hub.write(lambda conn: seed(conn, hub.clock()))
        hub.post("/api/repos/create", token=ALICE, json={"name": "fuzzed"}).raise_for_status()
        contents = {"README.md": "---\nlicense: mit\n---\n", "dir/a.txt": "a"}
        body = ndjson(*(("file", {"path": p, "content": c}) for p, c in contents.items()))
        repo = f"/api/models/{REPO}"
        hub.post(f"{repo}/commit/main", token=ALICE, content=body).raise_for_status()
        hub.post(f"{repo}/tag/main", token=ALICE, json={"tag": "v1"}).raise_for_status()
        yield hub


def named(route: Route) -> str:
    return f"{route.method} {route.pattern}"


@pytest.mark.parametrize("route", all_routes(), ids=named)
@settings(
    max_examples=MAX_EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_errors_are_always_clear(fuzzed: TestHub, route: Route, data: st.DataObject) -> None:
    path = route.pattern
    while "{" in path:
        name = path[path.index("{") + 1 : path.index("}")]
        filling = data.draw(good_or_odd.get(name, quoted), name)
        path = path.replace(f"{{{name}}}", filling, 1)
    method = data.draw(st.sampled_from([*[route.method] * 4, "HEAD", "POST"]), "method")
    token = data.draw(tokens, "token")
    sent: dict[str, str | bytes] = {**data.draw(headers, "headers")}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}".encode("latin-1")
    pairs = data.draw(parameters, "query")
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    answer = fuzzed.client.request(
        method,
        f"{path}?{query}" if query else path,
        headers=sent,
        content=b"" if method in ("GET", "HEAD") else data.draw(bodies, "body"),
    )
    assert answer.status_code < 500 or answer.status_code in (501, 507), answer.text
    if answer.status_code >= 400:
        assert answer.headers["x-error-message"].isascii()
        is_for_git = route.area == "git over http" and "json" not in answer.headers["content-type"]
        assert method == "HEAD" or (answer.text if is_for_git else answer.json()["error"])
