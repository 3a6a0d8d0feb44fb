# SPDX-License-Identifier: Apache-2.0
"""Bad input through the real server: refused with a clear text, never a 500, and nothing stays."""

import base64
import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi

from tests.clients import stock
from tests.clients.wire import ndjson, request_bytes, send_raw
from tests.harness.hub import LiveHub

pytestmark = stock
MiB = 1 << 20
HEADER = b'{"key": "header", "value": {"summary": "x"}}\n'
BAD_PATHS = [
    "",
    ".",
    "..",
    "../up.txt",
    "a/../../up.txt",
    "./a.txt",
    "a//b.txt",
    "a/",
    "/etc/passwd",
    "..\\up.txt",
    "C:\\up.txt",
    ".git",
    ".git/config",
    ".GIT/config",
    "deep/.Git/hooks/post-checkout",
    "git~1/config",
    "GIT~1",
    ".g\u200cit/config",
    ".git /config",
    ".git./config",
    ".git::$INDEX_ALLOCATION/config",
    ".gitmodules",
    ".GitModules ",
    "nul\0.txt",
    "line\nbreak.txt",
    "bell\x07.txt",
    "x" * 256,
    "/".join("x" * 100),
    "x" * 5000,
]
BAD_NAMES = [
    "",
    "a..b",
    "a--b",
    ".a",
    "-a",
    "a.",
    "a.git",
    "a b",
    "\u00e4",
    "a/b",
    "..",
    "x" * 97,
    "nul\0",
    "a\nb",
    "%2e%2e",
]
BAD_REVISIONS = ["..", "../x", "a..b", "-x", "x.lock", "a b", "x^", "x~1", "nul\0", "@{0}", "HEAD"]


class Caller:
    """Sends requests as alice and demands that errors have the form that clients read."""

    def __init__(self, hub: LiveHub) -> None:
        headers = {"Authorization": f"Bearer {hub.token}"}
        self._http = httpx.Client(base_url=hub.url, headers=headers, timeout=60, trust_env=False)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def __call__(self, method: str, path: str, **how) -> httpx.Response:
        answer = self._http.request(method, path, **how)
        if answer.status_code >= 400:
            assert answer.status_code < 500 or answer.status_code in (501, 507), answer.text
            assert answer.json()["error"]
            assert answer.headers["x-error-message"].isascii()
        return answer

    def commit(self, repo: str, *operations, revision: str = "main") -> httpx.Response:
        """Commit `(key, value)` operations."""
        path = f"/api/models/{repo}/commit/{revision}"
        return self("POST", path, content=ndjson(*operations))


@pytest.fixture
def call(live_hub: LiveHub) -> Iterator[Caller]:
    with Caller(live_hub) as caller:
        yield caller


@pytest.fixture
def untouched(api: HfApi, repo: str) -> Iterator[str]:
    """A repository that must be as it was at the end of the test."""
    api.upload_file(path_or_fileobj=b"kept", path_in_repo="dir/kept.txt", repo_id=repo)
    before = api.list_repo_commits(repo)[0].commit_id
    yield repo
    assert api.list_repo_commits(repo)[0].commit_id == before
    assert set(api.list_repo_files(repo)) == {".gitattributes", "dir/kept.txt"}


def file(path: str, content: bytes = b"x") -> tuple[str, dict[str, object]]:
    value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    return "file", value


@pytest.mark.parametrize("path", BAD_PATHS, ids=range(len(BAD_PATHS)))
def test_paths_that_lead_elsewhere(call: Caller, untouched: str, path: str) -> None:
    zeros = "0" * 64
    for operation in (
        file(path),
        ("lfsFile", {"path": path, "algo": "sha256", "oid": zeros, "size": 1}),
        ("copyFile", {"path": path, "srcPath": "dir/kept.txt"}),
    ):
        answer = call.commit(untouched, file("good.txt"), operation)
        assert answer.status_code in (400, 422), (path, operation[0])
    assert call.commit(untouched, ("deletedFile", {"path": path})).status_code in (400, 404, 422)
    call(
        "POST",
        f"/api/models/{untouched}/preupload/main",
        json={"files": [{"path": path, "size": 1}]},
    )
    info = call("POST", f"/api/models/{untouched}/paths-info/main", json={"paths": [path]})
    assert info.status_code in (400, 422) or info.json() == [] or not path


@pytest.mark.parametrize(
    "encoded",
    [
        "..%2f..%2fdir/kept.txt",
        "%2e%2e/dir/kept.txt",
        "%00",
        "dir%00/kept.txt",
        "%ff%fe",
        "dir/%2e",
        "%c0%ae%c0%ae/x",
        "dir//kept.txt",
        "%252e%252e/x",
        "dir/kept.txt/below",
    ],
)
def test_addresses_that_lead_elsewhere(call: Caller, untouched: str, encoded: str) -> None:
    for where in (f"/{untouched}/resolve/main", f"/api/models/{untouched}/tree/main"):
        assert call("GET", f"{where}/{encoded}").status_code in (400, 404, 422)
    for where in (f"/{untouched}/resolve", f"/api/models/{untouched}/tree"):
        assert call("GET", f"{where}/{encoded}/dir/kept.txt").status_code in (400, 404, 422)


def test_paths_that_collide(call: Caller, untouched: str) -> None:
    for operations in (
        [file("Dir/other.txt")],
        [file("dir/KEPT.txt")],
        [file("caf\u00e9.txt"), file("cafe\u0301.txt")],
        [file("a"), file("a/b")],
        [file("a/b"), file("a")],
        [file("dir/kept.txt/below")],
        [file("dir")],
    ):
        assert call.commit(untouched, *operations).status_code in (400, 409, 422), operations


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_names_that_no_repository_may_have(call: Caller, name: str) -> None:
    body = {"name": name, "organization": "alice", "type": "model"}
    assert call("POST", "/api/repos/create", json=body).status_code in (400, 422)
    move = {"fromRepo": "alice/nothing", "toRepo": f"alice/{name}", "type": "model"}
    assert call("POST", "/api/repos/move", json=move).status_code in (400, 404, 422)


@pytest.mark.parametrize("name", BAD_REVISIONS)
def test_names_that_no_branch_may_have(call: Caller, untouched: str, name: str) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in name.encode())
    repo = f"/api/models/{untouched}"
    assert call("POST", f"{repo}/branch/{quoted}", json={}).status_code in (400, 422)
    assert call("POST", f"{repo}/tag/main", json={"tag": name}).status_code in (400, 422)
    if name != "HEAD":
        assert call("GET", f"{repo}/tree/{quoted}").status_code in (400, 404)
        answer = call("POST", f"{repo}/commit/{quoted}", content=ndjson(file("a")))
        assert answer.status_code in (400, 404)


def test_large_files_that_are_not_what_is_said(call: Caller, untouched: str) -> None:
    content = os.urandom(50_000)
    oid = hashlib.sha256(content).hexdigest()

    def offer(oid: str, size: int) -> httpx.Response:
        body = {"operation": "upload", "objects": [{"oid": oid, "size": size}]}
        return call("POST", f"/{untouched}.git/info/lfs/objects/batch", json=body)

    href = offer(oid, len(content)).json()["objects"][0]["actions"]["upload"]["href"]
    for wrong in (content[:-1] + b"\0", content[:-1], content + b"x", b""):
        assert call("PUT", href, content=wrong).status_code in (400, 422)
        assert call("PUT", href, content=iter([wrong])).status_code in (400, 422)
    assert "actions" in offer(oid, len(content)).json()["objects"][0]
    large = ("lfsFile", {"path": "w.bin", "algo": "sha256", "oid": oid, "size": len(content)})
    assert call.commit(untouched, file("first.txt"), large).status_code == 400
    call("PUT", href, content=content).raise_for_status()
    lying = ("lfsFile", {**large[1], "size": 7})
    assert call.commit(untouched, lying).status_code == 400
    for bad in ("0" * 63, "G" * 64, "../" + "0" * 61, oid.upper()):
        assert "error" in offer(bad, 1).json()["objects"][0] or offer(bad, 1).status_code >= 400
        named = ("lfsFile", {**large[1], "oid": bad})
        assert call.commit(untouched, named).status_code in (400, 422)
    assert "error" in offer("0" * 64, -1).json()["objects"][0]
    tampered = href[:-3] + ("AAA" if not href.endswith("AAA") else "BBB")
    assert call("PUT", tampered, content=content).status_code in (401, 403, 404)


def test_a_hash_alone_opens_nothing(
    call: Caller, api: HfApi, repo_id: str, live_hub: LiveHub
) -> None:
    secret = os.urandom(30_000)
    api.create_repo(repo_id, private=True)
    api.upload_file(path_or_fileobj=secret, path_in_repo="w.bin", repo_id=repo_id)
    spec = {"oid": hashlib.sha256(secret).hexdigest(), "size": len(secret)}
    bob = {"Authorization": f"Bearer {live_hub.tokens.bob}"}
    name = repo_id.partition("/")[2]
    call("POST", "/api/repos/create", json={"name": name}, headers=bob).raise_for_status()

    def ask(operation: str) -> dict[str, object]:
        path = f"/bob/{name}.git/info/lfs/objects/batch"
        body = {"operation": operation, "objects": [spec]}
        return call("POST", path, json=body, headers=bob).json()["objects"][0]

    assert "upload" in ask("upload")["actions"]
    assert ask("download")["error"]["code"] == 404
    large = ndjson(("lfsFile", {"path": "w.bin", "algo": "sha256", **spec}))
    taken = call("POST", f"/api/models/bob/{name}/commit/main", content=large, headers=bob)
    assert taken.status_code == 400


def test_bodies_that_are_too_large(call: Caller, untouched: str) -> None:
    big = {"fromRepo": "x" * (3 * MiB), "toRepo": "alice/x", "type": "model"}
    assert call("POST", "/api/repos/move", json=big).status_code == 413
    commit = f"/api/models/{untouched}/commit/main"
    line = ndjson(file("large.txt", b"x" * (11 * MiB)))
    assert call("POST", commit, content=line).status_code in (400, 413)
    endless = (b"x" * MiB for _ in range(40))
    assert call("POST", commit, content=endless).status_code == 413
    many = ndjson(*([("deletedFile", {"path": "dir/kept.txt"})] * 100_001))
    assert call("POST", commit, content=many).status_code == 413
    paths = {"paths": ["a"] * 1001}
    assert call("POST", f"/api/models/{untouched}/paths-info/main", json=paths).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b"{}",
        b"null",
        b'{"key": "header"}',
        HEADER + b'{"key": "nonsense", "value": {}}',
        HEADER + b'{"key": "file", "value": {}}',
        HEADER + b'{"key": "file", "value": {"path": "a", "content": "!", "encoding": "base64"}}',
        HEADER + HEADER,
        b'{"key": "header", "value": {"summary": "x", "parentCommit": "zz"}}',
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"key": "header", "value": ' + b'{"a": ' * 100_000,
    ],
    ids=range(13),
)
def test_commits_that_make_no_sense(call: Caller, untouched: str, body: bytes) -> None:
    answer = call("POST", f"/api/models/{untouched}/commit/main", content=body)
    assert answer.status_code in (400, 422)


def test_requests_that_are_not_http(live_hub: LiveHub) -> None:
    authorized = {"Authorization": f"Bearer {live_hub.token}"}
    for data in (
        b"\0" * 1000,
        b"GET /\r\n\r\n",
        b"GET " + b"/x" * 200_000 + b" HTTP/1.1\r\n\r\n",
        request_bytes("GET", "/api/models", b"", {"X-Long": "x" * 300_000}),
        request_bytes("GET", "/api/models", b"", {f"X-{n}": "x" for n in range(5000)}),
        request_bytes("POST", "/api/repos/create", b"{}", {**authorized, "Content-Length": "-1"}),
        request_bytes("GET", "/\xe4", b"", {}),
    ):
        answer = send_raw(live_hub.url, data)
        assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 500"))
    assert httpx.get(f"{live_hub.url}/readyz", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer hf_unknown",
        "Bearer",
        "Bearer a b",
        "Basic !!",
        "Basic YWxpY2U6d3Jvbmc=",
        "Digest x",
        pytest.param("Bearer " + "x" * 10_000, id="long"),
    ],
)
def test_bad_tokens_are_refused_on_public_repositories_too(
    call: Caller, repo: str, authorization: str
) -> None:
    headers = {"Authorization": authorization}
    for path in (f"/api/models/{repo}", f"/{repo}/resolve/main/.gitattributes", "/api/whoami-v2"):
        answer = call("GET", path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["x-error-message"] == "Invalid credentials in Authorization header"


def test_eight_writers_on_one_branch_lose_nothing(
    call: Caller, api: HfApi, repo: str, live_hub: LiveHub
) -> None:
    together = threading.Barrier(8)

    def write(writer: int) -> list[str]:
        with Caller(live_hub) as caller:
            together.wait(30)
            return [
                caller.commit(repo, file(f"{writer}/{number}.txt")).json()["commitOid"]
                for number in range(5)
            ]

    with ThreadPoolExecutor(8) as threads:
        oids = [oid for found in threads.map(write, range(8)) for oid in found]
    assert set(oids) <= {commit.commit_id for commit in api.list_repo_commits(repo)}
    assert len(set(oids)) == 40
    assert len(api.list_repo_files(repo)) == 41


def test_of_writers_with_one_parent_one_wins(
    call: Caller, api: HfApi, repo: str, live_hub: LiveHub
) -> None:
    parent = api.repo_info(repo).sha
    together = threading.Barrier(6)

    def write(writer: int) -> int:
        header = {"summary": "race", "parentCommit": parent}
        body = ndjson(("header", header), file(f"{writer}.txt")).partition(b"\n")[2]
        with Caller(live_hub) as caller:
            together.wait(30)
            return caller("POST", f"/api/models/{repo}/commit/main", content=body).status_code

    with ThreadPoolExecutor(6) as threads:
        statuses = sorted(threads.map(write, range(6)))
    assert statuses == [200, 412, 412, 412, 412, 412]
    assert len(api.list_repo_commits(repo)) == 2
