# SPDX-License-Identifier: Apache-2.0
"""Decisions of the room that need no database: names, visibility, what is not built."""

import json
from collections.abc import Iterable

import msgspec

from hubkeep import errors
from hubkeep.cards.spaces import SDKS
from hubkeep.identity.names import BadName, check_name
from hubkeep.repos.types import RepoType
from hubkeep.repos.wire import CreateRepo, DuplicateRepo, Visibility

# Fields that huggingface.co knows and this hub does nothing with.
_NOT_BUILT = (
    "template",
    "resource_group_id",
    "region",
    "hardware",
    "sleep_time_seconds",
    "secrets",
    "variables",
    "volumes",
)


def kind_named(name: str | None) -> RepoType:
    """Return the type that a body names, model by default; 501 for buckets, 400 for no type."""
    if name == "bucket":
        raise errors.not_implemented("The repository type 'bucket'")
    try:
        return RepoType(name or "model")
    except ValueError:
        known = ", ".join(RepoType)
        raise errors.bad_request(f'"type" must be one of [{known}]') from None


def refuse_what_is_not_built(body: CreateRepo | DuplicateRepo) -> None:
    """501 that names the first field of the body which this hub does nothing with."""
    wire_names = {field.name: field.encode_name for field in msgspec.structs.fields(body)}
    for name in _NOT_BUILT:
        if getattr(body, name, None) is not None:
            raise errors.not_implemented(f"The field {wire_names[name]!r}")


def wants_private(visibility: Visibility | None, private: bool | None) -> bool | None:
    """Return whether a body asks for a private repository; None where it leaves that open.

    501 for `protected` (a Space that is listed while its files are not); 400 if the two disagree.
    """
    if visibility == "protected":
        raise errors.not_implemented("The visibility 'protected'")
    asked = None if visibility is None else visibility == "private"
    if asked is not None and private is not None and asked is not private:
        raise errors.bad_request('"visibility" and "private" contradict each other')
    return private if asked is None else asked


def checked_name(name: str) -> str:
    """Return the name of a repository, without its namespace, if it is allowed; 400 if not."""
    try:
        check_name(name, "repository name")
    except BadName as bad:
        raise errors.bad_request(str(bad)) from bad
    return name


def name_fault(name: str) -> str:
    """Say why no repository may be called so; empty where one may."""
    if not name:
        return "Choose a name."
    try:
        check_name(name, "repository name")
    except BadName as bad:
        return str(bad)
    return ""


def split_path(path: str) -> tuple[str, str]:
    """Return namespace and name of `namespace/name`; 400 for anything else."""
    namespace, slash, name = path.partition("/")
    if not slash or not namespace:
        raise errors.bad_request(f"{path[:200]!r} is not of the form 'namespace/name'")
    return namespace, checked_name(name)


def checked_sdk(kind: RepoType, sdk: str | None) -> str | None:
    """Return the SDK of a new Space; None for other types. 400 as huggingface.co words it."""
    if kind is not RepoType.SPACE:
        if sdk is not None:
            raise errors.bad_request('"sdk" is for Spaces alone')
        return None
    if sdk not in SDKS:
        raise errors.bad_request(f'"sdk" must be one of [{", ".join(SDKS)}]')
    return sdk


def first_readme(name: str, sdk: str | None, license_name: str | None) -> bytes | None:
    """Return the README that a new repository begins with; None where there is nothing to say.

    A Space says its SDK in its card, since that is where it is read from.
    """
    lines: list[str] = []
    if sdk is not None:
        lines += [f"title: {_yaml(name)}", f"sdk: {sdk}"]
    if license_name is not None:
        lines.append(f"license: {_yaml(license_name)}")
    return _front_matter(lines) if lines else None


def _front_matter(lines: Iterable[str]) -> bytes:
    return "\n".join(["---", *lines, "---", ""]).encode()


def _yaml(text: str) -> str:
    # A JSON string is a YAML string, whatever is in it.
    return json.dumps(text)
