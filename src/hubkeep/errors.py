# SPDX-License-Identifier: Apache-2.0
"""Every error that the hub answers, each written once, and the one place that renders them.

Handlers and rooms raise; `asgi.py` catches and calls `render`. Engines raise their own exceptions,
which rooms translate. The header strings are matched literally by `huggingface_hub`
(`utils/_http.py: hf_raise_for_status`), so they are part of the wire contract.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.responses import Response

from hubkeep.kit.text import header_safe

# Without it git does not ask its user for a name and a password.
_ASK = {"WWW-Authenticate": 'Basic realm="Hubkeep", charset="UTF-8"'}


class HubError(Exception):
    """An answer other than success: status, text for people, and the client's code where it has
    one.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class Moved(Exception):
    """The repository has another name now: answered by 307 with a relative address.

    Relative, since clients up to 1.0 follow nothing else on HEAD; 307, since it keeps method and
    body.
    """

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"{old} is now {new}")
        self.old = old
        self.new = new


def render(error: HubError) -> Response:
    """Write an error as the clients read it: JSON body, and the same text in headers for HEAD."""
    headers = {"X-Error-Message": header_safe(error.message), **error.headers}
    if error.code:
        headers["X-Error-Code"] = error.code
    body = msgspec.json.encode({"error": error.message, **error.extra})
    return Response(body, error.status, headers, "application/json")


# --- who asks


def bad_credentials() -> HubError:
    """A token that is unknown, expired, revoked or malformed; 401 even on public repositories."""
    return HubError(401, "Invalid credentials in Authorization header", headers=_ASK)


def use_a_token() -> HubError:
    """A password where only tokens are taken."""
    return HubError(401, "Use an access token as the password", headers=_ASK)


def wrong_password() -> HubError:
    """A user name and a password that are not, or no longer, those of an account."""
    return HubError(
        401,
        "The user name or the password is wrong; an access token does as the password too",
        headers=_ASK,
    )


def too_many_wrong_passwords(seconds: int) -> HubError:
    """429 for a name that is closed to passwords for a while."""
    return HubError(
        429,
        f"Too many wrong passwords were given for this name: try again in {-(-seconds // 60)}"
        " minutes, or use an access token as the password",
        headers={"Retry-After": str(seconds)},
    )


def bad_cas_token(why: str) -> HubError:
    """A token for the chunk store that does not hold; clients do not ask for another one then."""
    return HubError(401, f"The token for the chunk store does not hold ({why})")


def sign_in_required() -> HubError:
    return HubError(
        401,
        "This needs a signed-in user: send 'Authorization: Bearer hf_...'",
        headers=_ASK,
    )


def forbidden(message: str) -> HubError:
    return HubError(403, message)


def read_only_token() -> HubError:
    return HubError(
        403, "This token has the role 'read'; writing needs a token with the role 'write'"
    )


# --- what is asked for


def nothing_at(path: str) -> HubError:
    """404 for an address that is none of the hub's; the path is as it was sent."""
    return not_found(f"Nothing is at {header_safe(unquote(path))[:200]}")


def repo_not_found(*, anonymous: bool) -> HubError:
    """Missing and private look alike: 401 to strangers (they may sign in), 404 to who has no
    right.

    The text is huggingface.co's: clients do not repeat it after their own, which is longer.
    """
    headers = _ASK if anonymous else None
    status = 401 if anonymous else 404
    return HubError(status, "Repository not found", code="RepoNotFound", headers=headers)


def repo_moved(old: str, new: str) -> HubError:
    """404 for a repository that a body names as it was called once: no address leads on."""
    message = f"Repository not found: {old}. It is {new} now"
    return HubError(404, message, code="RepoNotFound")


def revision_not_found(revision: str) -> HubError:
    return HubError(404, f"Invalid rev id: {revision}", code="RevisionNotFound")


def entry_not_found(path: str, commit: str | None) -> HubError:
    """With `X-Repo-Commit` the client remembers that this revision lacks the file."""
    headers = {"X-Repo-Commit": commit} if commit else None
    return HubError(404, f"Entry not found: {path}", code="EntryNotFound", headers=headers)


def file_missing(path: str) -> HubError:
    """404 for a file that a commit deletes or copies, in huggingface.co's words."""
    return HubError(404, f"A file with this name doesn't exist: {path}", code="EntryNotFound")


def not_found(what: str) -> HubError:
    return HubError(404, what)


def method_not_allowed(allowed: tuple[str, ...]) -> HubError:
    names = ", ".join(allowed)
    return HubError(405, f"Use one of: {names}", headers={"Allow": names})


def other_epoch() -> HubError:
    """The hub was restored since the client asked where its chunks are."""
    return HubError(404, "The hub was restored and its chunk store has another address; try again")


def xorb_not_found(text_hash: str) -> HubError:
    """400 for a shard that names a xorb which is not there, or not there for its sender.

    Most likely the client remembers it from another account or from before a clean-up.
    """
    return HubError(
        400,
        f"xorb {text_hash} not found: this client's memory of what the hub holds is out of date; "
        "remove the folder 'xet' of its cache (by default ~/.cache/huggingface/xet) and try again",
    )


def wrong_sha256(text_hash: str, claimed: str) -> HubError:
    """400 for a shard that gives a file another sha256 than the hub has computed."""
    return HubError(400, f"The sha256 of the file {text_hash} is not {claimed}")


def unchecked(oids: Sequence[str]) -> HubError:
    """503 for files whose claimed sha256 the hub has not computed yet; soon it will have."""
    named = ", ".join(oids)
    return HubError(
        503,
        f"{len(oids)} LFS file(s) are still being checked, try again in a moment: {named}",
        headers={"Retry-After": "5"},
    )


# --- what was sent


def bad_request(message: str) -> HubError:
    return HubError(400, message)


def unprocessable(message: str) -> HubError:
    return HubError(422, message)


def conflict(message: str, **extra: str) -> HubError:
    """409; `url` or `slug` in `extra` is what clients read with `exist_ok`."""
    return HubError(409, message, extra=extra)


def already_locked(path: str, owner: str, lock: object) -> HubError:
    """409 for a path that has a lock of git-lfs', which reads it from the body."""
    return HubError(409, f"{path} is locked by {owner} already", extra={"lock": lock})


def merge_conflicts(branch: str, conflicts: Sequence[Mapping[str, Any]]) -> HubError:
    """409 for what cannot be merged without a person; `conflicts` has paths, kind and message."""
    return HubError(
        409,
        f"{len(conflicts)} conflict(s) with {branch}: merge with git, and push",
        extra={"conflicts": conflicts},
    )


def branch_moved() -> HubError:
    """The text that huggingface.co gives and clients test for."""
    return HubError(
        412,
        "The branch was updated since you opened this page. Please refresh and try again.",
    )


def too_large(message: str) -> HubError:
    return HubError(413, message)


def head_too_large(limit: int) -> HubError:
    return HubError(431, f"The header fields may have at most {limit} bytes together")


def unsatisfiable_range(size: int) -> HubError:
    return HubError(
        416,
        f"The range lies outside the file, which has {size} bytes",
        headers={"Content-Range": f"bytes */{size}"},
    )


# --- what the hub cannot do


def not_implemented(what: str) -> HubError:
    """501 is the one 5xx that clients do not retry."""
    return HubError(501, f"{what} is not implemented by this hub", code="NotImplemented")


def internal(request_id: str) -> HubError:
    return HubError(500, f"Internal error; tell the administrator the request id {request_id}")


def damaged() -> HubError:
    """Stored bytes are not those that came; `hubkeep verify` says which."""
    return HubError(500, "The stored bytes of this file are damaged; tell the administrator")


def unavailable() -> HubError:
    return HubError(
        503,
        "The hub's storage is busy or not reachable; try again",
        headers={"Retry-After": "1"},
    )


def git_busy() -> HubError:
    """503 while others have all turns to run git."""
    return HubError(
        503,
        "The hub is busy with other fetches and pushes; try again in a moment",
        headers={"Retry-After": "10"},
    )


def picture_busy() -> HubError:
    """503 while others wait for pictures and texts that take long to make."""
    return HubError(
        503,
        "Others wait for what takes long to make. Ask again in a moment.",
        headers={"Retry-After": "5"},
    )


def no_space() -> HubError:
    return HubError(507, "The hub's disk is full; reading goes on, writing needs space")
