# SPDX-License-Identifier: Apache-2.0
"""Repositories for tests of file pages, and reading those pages as browsers do."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote

from sqlalchemy import Connection, select

from hubkeep.db.tables import repos
from hubkeep.git import store
from hubkeep.git.changes import NewCommit
from hubkeep.git.commits import Signature
from hubkeep.git.folders import Trees
from hubkeep.git.objects import Kind, object_id, stage_blob
from hubkeep.git.queries_objects import insert_objects
from hubkeep.git.trees import TreeEntry, encode_tree
from hubkeep.git.writing import store_commit
from tests.content.shelf import Shelf
from tests.web.html import BROWSER, Element, read_html

JSON = {"Accept": "application/json"}
SCRIPT = "<script>alert(1)</script>"
TURN = "\u202e"


def page(shelf: Shelf, path: str, status: int = 200, token: str | None = None) -> Element:
    """Read a page of a repository as a browser does, and see that nothing of a user's can run."""
    seen = read_html(shelf.hub.get(shelf.web + path, headers=BROWSER, token=token), status)
    check_inert(seen)
    return seen


def data(shelf: Shelf, path: str) -> dict:
    """The same page as JSON."""
    answer = shelf.hub.get(shelf.web + path, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


def check_inert(seen: Element) -> None:
    """Only the hub's own script is there, no handler, no address that runs, no hidden turn."""
    assert [one.attributes["src"] for one in seen.all("script")] == [
        one.attributes["src"] for one in seen.all("script") if "/static/js/" in str(one.attributes)
    ]
    assert not seen.all("iframe") + seen.all("object") + seen.all("embed") + seen.all("style")
    for one in seen._below():
        for name, value in one.attributes.items():
            assert not name.startswith("on"), (one.tag, name)
            assert not value.strip().lower().startswith("javascript:"), (one.tag, value)
    assert TURN not in seen.text


def at(path: str) -> str:
    """A path as it stands in an address."""
    return quote(path)


def handmade(shelf: Shelf, branch: str, entries: Iterable[tuple[bytes, bytes, bytes]]) -> None:
    """Make a branch with a commit whose root folder has these (mode, name, content); the content of
    a submodule is its commit's id. For what no client can bring in.
    """

    def work(conn: Connection) -> None:
        repo = conn.execute(select(repos.c.id).where(repos.c.path == shelf.path)).scalar_one()
        inside: list[TreeEntry] = []
        for mode, name, content in entries:
            if mode == b"160000":
                inside.append(TreeEntry(mode, name, content))
                continue
            blob = stage_blob(content)
            row = (blob.oid, Kind.BLOB, blob.size, blob.data, blob.lfs)
            insert_objects(conn, repo, [row])
            inside.append(TreeEntry(mode, name, blob.oid))
        payload = encode_tree(inside)
        tree = object_id(Kind.TREE, payload)
        now = shelf.hub.clock()
        new = NewCommit("main", "by hand", "", Signature("Eve", "eve@example.org"), None, now)
        made = store_commit(Trees(conn, repo), replace(new), tree, [], {tree: payload})
        store.create_branch(conn, repo, branch, made.oid, now)

    shelf.hub.write(work)
