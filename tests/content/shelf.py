# SPDX-License-Identifier: Apache-2.0
"""A repository to put things in, through the API as clients do."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

import httpx2 as httpx

from tests.harness.hub import TestHub


@dataclass
class Shelf:
    """One repository of alice's, and short ways to write and read it."""

    hub: TestHub
    path: str = "alice/shelf"
    plural: str = "models"

    @property
    def api(self) -> str:
        return f"/api/{self.plural}/{self.path}"

    @property
    def web(self) -> str:
        prefix = "" if self.plural == "models" else f"/{self.plural}"
        return f"{prefix}/{self.path}"

    @property
    def token(self) -> str:
        return self.hub.tokens.alice

    def create(self, **fields: object) -> "Shelf":
        organization, _, name = self.path.partition("/")
        body = {"name": name, "organization": organization, "type": self.plural[:-1], **fields}
        answer = self.hub.post("/api/repos/create", token=self.token, json=body)
        assert answer.status_code == 200, answer.text
        return self

    def commit(
        self,
        files: dict[str, bytes] | None = None,
        *,
        delete: Iterable[str] = (),
        lines: Iterable[tuple[str, dict[str, object]]] = (),
        rev: str = "main",
        token: str | None = None,
        **header: object,
    ) -> httpx.Response:
        """Commit regular files, deletions and any further lines."""
        all_lines = [("header", {"summary": "a change", "description": "", **header})]
        all_lines += [
            (
                "file",
                {
                    "path": path,
                    "content": base64.b64encode(content).decode(),
                    "encoding": "base64",
                },
            )
            for path, content in (files or {}).items()
        ]
        all_lines += [("deletedFile", {"path": path}) for path in delete]
        return self.send([*all_lines, *lines], rev=rev, token=token)

    def send(
        self,
        lines: Iterable[tuple[str, dict[str, object]]],
        *,
        rev: str = "main",
        token: str | None = None,
    ) -> httpx.Response:
        body = "\n".join(json.dumps({"key": key, "value": value}) for key, value in lines)
        return self.hub.post(
            f"{self.api}/commit/{rev}",
            token=token or self.token,
            content=body.encode(),
            headers={"Content-Type": "application/x-ndjson"},
        )

    def upload(self, content: bytes) -> dict[str, object]:
        """Upload an LFS file and return the value of its commit line, without the path."""
        oid = hashlib.sha256(content).hexdigest()
        batch = self.hub.post(
            f"{self.web}.git/info/lfs/objects/batch",
            token=self.token,
            json={
                "operation": "upload",
                "transfers": ["basic"],
                "hash_algo": "sha256",
                "objects": [{"oid": oid, "size": len(content)}],
            },
        )
        actions = batch.json()["objects"][0].get("actions")
        if actions:
            path = actions["upload"]["href"].partition("8080")[2]
            assert self.hub.put(path, content=content).status_code == 200
        return {"algo": "sha256", "oid": oid, "size": len(content)}

    def paths(self, rev: str = "main") -> list[str]:
        """All paths of a revision."""
        listed = self.hub.get(f"{self.api}/tree/{rev}?recursive=true", token=self.token)
        assert listed.status_code == 200, listed.text
        return [entry["path"] for entry in listed.json()]

    def file(self, path: str, rev: str = "main", **how: object) -> httpx.Response:
        return self.hub.get(f"{self.web}/resolve/{rev}/{path}", token=self.token, **how)

    def head(self, rev: str = "main") -> str:
        """The commit that a revision leads to."""
        commits = self.hub.get(f"{self.api}/commits/{rev}?limit=1", token=self.token)
        assert commits.status_code == 200, commits.text
        return commits.json()[0]["id"]
