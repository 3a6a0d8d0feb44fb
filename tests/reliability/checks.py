# SPDX-License-Identifier: Apache-2.0
"""What must hold of a hub that was killed: everything acknowledged is there, whole and readable."""

import hashlib
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2 as httpx
from sqlalchemy import Connection, select, text

from hubkeep.db import Database
from hubkeep.db.tables import repos, xorb_chunks, xorbs
from hubkeep.git.bare import write_bare_repository
from hubkeep.xet.hashes import from_text, to_text
from hubkeep.xet.xorb import check_xorb
from tests.reliability.ledger import Acknowledged, File
from tests.reliability.writers import LFS, REPO, TOKEN
from tests.reliability.xet_client import Store

API = f"/api/models/{REPO}"
_BATCH = 500


class Auditor:
    """Reads a hub back over HTTP; each method is an AssertionError where something is missing."""

    def __init__(self, url: str) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def check(self, entries: Iterable[Acknowledged]) -> int:
        """Find each acknowledged write again; the number of files that were read and hashed."""
        entries = list(entries)
        self._commits(entries)
        self._refs(entries)
        self._uploads(entry.files[0] for entry in entries if entry.kind == "upload")
        self._by_xet([entry.files[0] for entry in entries if entry.kind == "xet"])
        files = [
            (entry.commit, file)
            for entry in entries
            if entry.kind == "commit"
            for file in entry.files
        ]
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(self._reads_back, files))
        return len(files)

    def check_heads(self, entries: Iterable[Acknowledged]) -> None:
        """Each branch still shows each file that was ever committed to it: no update was lost."""
        paths: dict[str, set[str]] = defaultdict(set)
        for entry in entries:
            if entry.kind == "commit":
                paths[entry.ref].update(file.path for file in entry.files)
        for branch, wanted in paths.items():
            listed = self._pages(f"{API}/tree/{branch}?recursive=true")
            assert not wanted - {str(item["path"]) for item in listed}, branch

    def check_listed(self) -> int:
        """Read all large files of `main`, those too whose commit was not acknowledged."""
        listed = self._pages(f"{API}/tree/main?recursive=true")
        large = [item for item in listed if "lfs" in item]
        for item in large:
            wanted = File(str(item["path"]), item["lfs"]["oid"], item["lfs"]["size"])  # ty: ignore
            self._reads_back(("main", wanted))
        return len(large)

    def _commits(self, entries: Iterable[Acknowledged]) -> None:
        wanted: dict[str, set[str]] = defaultdict(set)
        for entry in entries:
            if entry.kind == "commit":
                wanted[entry.ref].add(entry.commit)
        for branch, missing in wanted.items():
            for item in self._pages(f"{API}/commits/{branch}?limit=500"):
                missing.discard(str(item["id"]))
                if not missing:
                    break
            assert not missing, f"{len(missing)} acknowledged commits are not in {branch}"

    def _refs(self, entries: Iterable[Acknowledged]) -> None:
        answer = self._get(f"{API}/refs").json()
        listed = [*answer["branches"], *answer["tags"]]
        refs = {item["ref"]: item["targetCommit"] for item in listed}
        by_push = {name for name in refs if name.startswith("refs/heads/at-push-")}
        tagged = {name for name in refs if name.startswith("refs/tags/push-")}
        names = {name.removeprefix("refs/heads/at-") for name in by_push}
        assert names == {name.removeprefix("refs/tags/") for name in tagged}, "half a push is there"
        wanted = [entry for entry in entries if entry.kind == "ref"]
        for entry in wanted:
            assert entry.ref in refs, f"{entry.ref} is gone"
            if entry.commit:
                assert refs[entry.ref] == entry.commit
        for commit in {refs["refs/heads/main"], *(refs[entry.ref] for entry in wanted)}:
            assert self._get(f"{API}/revision/{commit}").json()["sha"] == commit
            assert self._get(f"{API}/tree/{commit}").json()

    def _uploads(self, files: Iterable[File]) -> None:
        """The hub wants none of the files again that it said it has."""
        objects = [{"oid": file.sha256, "size": file.size} for file in files]
        url = f"/{REPO}.git/info/lfs/objects/batch"
        for start in range(0, len(objects), _BATCH):
            body = {"operation": "upload", "objects": objects[start : start + _BATCH]}
            answer = self._http.post(url, json=body, headers={"Content-Type": LFS})
            again = [item for item in answer.json()["objects"] if "actions" in item]
            assert not again, f"{len(again)} acknowledged uploads are gone"

    def _by_xet(self, files: list[File]) -> None:
        """Each file that came by Xet is put together from its chunks again."""
        if not files:
            return
        store = Store(self._call, REPO, "read")
        for file in files:
            checked = hashlib.sha256()
            for piece in store.read(file.xet_hash):
                checked.update(piece)
            assert checked.hexdigest() == file.sha256, file

    def _reads_back(self, wanted: tuple[str, File]) -> None:
        commit, file = wanted
        digest = hashlib.sha256()
        size = 0
        with self._http.stream("GET", f"/{REPO}/resolve/{commit}/{file.path}") as answer:
            assert answer.status_code == 200, (file.path, answer.read())
            if file.xet_hash:
                assert answer.headers["x-xet-hash"] == file.xet_hash
            for piece in answer.iter_raw():
                digest.update(piece)
                size += len(piece)
        assert (size, digest.hexdigest()) == (file.size, file.sha256), file.path

    def _get(self, url: str) -> httpx.Response:
        return self._call("GET", url)

    def _call(self, method: str, url: str, expect: int = 200, **how: object) -> httpx.Response:
        answer = self._http.request(method, url, **how)  # ty: ignore
        assert answer.status_code == expect, (url, answer.text)
        return answer

    def _pages(self, url: str) -> Iterator[dict[str, object]]:
        while url:
            answer = self._get(url)
            yield from answer.json()
            url = answer.links.get("next", {}).get("url", "")


def check_blobs(folder: Path) -> int:
    """Hash every large file and xorb again and compare it with its name; how many there are."""
    checked = 0
    for path in folder.rglob("*"):
        name = path.name
        if not path.is_file() or len(name) != 64 or set(name) - set("0123456789abcdef"):
            continue
        if "xorbs" in path.parts:
            check_xorb(path.read_bytes(), from_text(name))
        else:
            with path.open("rb") as content:
                assert hashlib.file_digest(content, "sha256").hexdigest() == name, path
        checked += 1
    return checked


def check_xorbs(database_url: str, folder: Path) -> int:
    """Compare what the database says of each xorb with its bytes; how many there are."""
    where = {path.name: path for path in folder.rglob("*") if "xorbs" in path.parts}
    wanted = select(xorbs.c.hash, xorb_chunks.c.hashes, xorb_chunks.c.ends).where(xorbs.c.ready)
    with closing(Database(database_url)) as database:
        known = database.read_now(lambda conn: conn.execute(wanted.join(xorb_chunks)).all())
    for name, hashes, ends in known:
        found = check_xorb(where[to_text(name)].read_bytes(), name)
        assert (found.hashes, found.ends) == (hashes, ends)
    return len(known)


def check_repository(database_url: str, bare: Path) -> int:
    """Have git check the repository, written out; how many commits its references lead to.

    On SQLite the database is checked as well.
    """
    with closing(Database(database_url)) as database:
        database.read_now(lambda conn: _write_out(conn, bare))
    assert _git(bare, "fsck", "--full", "--strict") == ""
    return int(_git(bare, "rev-list", "--all", "--count"))


def _write_out(conn: Connection, bare: Path) -> None:
    if conn.dialect.name == "sqlite":
        assert conn.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
    repo_id = conn.execute(select(repos.c.id).where(repos.c.path == REPO)).scalar_one()
    write_bare_repository(conn, repo_id, bare)


def _git(bare: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
