# SPDX-License-Identifier: Apache-2.0
"""How clients learn, where they ask for a file, that it can be had in chunks."""

from typing import TYPE_CHECKING

from starlette.requests import Request

from hubkeep.repos.types import Repo
from hubkeep.xet.hashes import to_text

if TYPE_CHECKING:
    from hubkeep.app import App

FILE_INFO = "application/vnd.xet-fileinfo+json"
"""What @huggingface/hub accepts where it wants to know of a file, and not its bytes."""


def xet_headers(
    app: "App", request: Request, repo: Repo, commit: str, xet_hash: bytes, epoch: str
) -> dict[str, str]:
    """Return the headers that promise a file of a commit in chunks.

    Clients of Xet rely on them: they fetch the file in this way and in no other.
    """
    base, name = app.base_url(request), to_text(xet_hash)
    token = f"{base}/api/{repo.type.plural}/{repo.path}/xet-read-token/{commit}"
    info = f"{base}/cas/{epoch}/v2/reconstructions/{name}"
    links = f'<{token}>; rel="xet-auth", <{info}>; rel="xet-reconstruction-info"'
    # A cache must not take what is told to FILE_INFO for the file.
    return {"X-Xet-Hash": name, "Link": links, "Vary": "Accept"}


def wants_info(request: Request) -> bool:
    """Whether the request asks what is known of a file, should that be in chunks."""
    return FILE_INFO in request.headers.get("accept", "")
