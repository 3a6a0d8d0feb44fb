# SPDX-License-Identifier: Apache-2.0
"""The settings in force, for administrators; of secrets only whether they are set."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.config import PREFIX, Config
from hubkeep.identity.access import administrator
from hubkeep.web.admin_secrets import SECRET, without_secrets
from hubkeep.web.pages_admin import AdminPage, admin_tabs, for_administrators
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

DOCS = "docs/configuration.md"

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Where things lie": {
        "data": "The hub's folder, for everything that is not put elsewhere.",
        "database_url": "Where accounts, repositories and git objects are.",
        "blobs_url": "Where large files are.",
        "s3_access_key": "The name of the key to S3.",
        "s3_secret_key": "The secret of the key to S3.",
    },
    "How the hub is reached": {
        "host": "The address to listen on.",
        "port": "The port to listen on.",
        "public_url": "How clients call the hub; it stands in all absolute addresses.",
        "content_url": "Where what users wrote runs in browsers: static Spaces and diagrams.",
        "allowed_hosts": "Names that Host may have where there is no public URL.",
        "trusted_proxies": "Addresses whose X-Forwarded-* headers are believed.",
        "accel_prefix": "The nginx location that large files are sent by.",
    },
    "Accounts": {
        "sign_up": "Who may make an account in the browser: nobody, the invited, or everybody.",
        "git_passwords": "Whether git may sign in with the account's password.",
    },
    "Processes": {
        "workers": "Server processes.",
        "job_worker": "Whether 'serve' runs a job worker beside the server.",
        "metrics_token": "What /metrics asks for; without it, callers of this machine alone.",
        "log_level": "From which level on the log says something.",
    },
    "Large files": {
        "xet_dedup": "Which stored chunks an upload may build on.",
        "xet_grace_days": "How many days chunks stay that no file needs any more.",
        "xet_convert": "Whether files that came by git-lfs are turned into chunks.",
        "scrub_days": "In how many days all that is stored is read again once; 0: never.",
    },
    "Git": {
        "git_cache": "The folder that fetches are served from.",
        "git_cache_gb": "The size that this folder is kept under, in gigabytes.",
        "git_processes": "How many fetches and pushes a process serves at once.",
        "push_mb": "Megabytes of git objects that one push may bring.",
        "push_objects": "Objects that one push may bring.",
    },
    "Snapshots": {
        "snapshots": "Whether the hub takes snapshots of itself every day, or none.",
    },
}
"""What each setting is, in the order of the page."""


class Setting(msgspec.Struct, rename="camel"):
    """A setting as it is in force. A secret has no value: `isSet` says all that is said of it."""

    name: str
    about: str
    value: str
    default: str
    is_required: bool
    is_changed: bool
    is_secret: bool
    is_set: bool
    docs: str


class Group(msgspec.Struct, rename="camel"):
    """Settings that belong together."""

    name: str
    settings: Sequence[Setting]


class SettingsPage(AdminPage, kw_only=True):
    """The settings of the process that answers."""

    template: ClassVar[str] = "admin_settings.html"
    groups: Sequence[Group]
    docs: str = DOCS


@for_administrators
async def settings(app: "App", request: Request) -> Response:
    """Show the settings; they are changed where the hub is started."""
    actor, _ = await app.db.read(lambda conn: administrator(conn, request, app.clock()))
    page = SettingsPage(
        title="Settings in force",
        tabs=admin_tabs("settings"),
        groups=[
            Group(name, [_setting(app.config, field, about) for field, about in of_group.items()])
            for name, of_group in GROUPS.items()
        ],
    )
    return shown(app, request, page, shell_for(app, request, actor))


def _setting(config: Config, name: str, about: str) -> Setting:
    written = getattr(config, name)
    default = _defaults()[name]
    is_secret = name in SECRET
    return Setting(
        name=PREFIX + name.upper(),
        about=about,
        value="" if is_secret else _text(_in_force(config, name, written)),
        default="" if default is None else _text(default),
        is_required=default is None,
        is_changed=default is not None and written != default,
        is_secret=is_secret,
        is_set=written != "",
        docs=f"{DOCS}#{PREFIX.lower()}{name}",
    )


def _in_force(config: Config, name: str, written: object) -> object:
    """What an empty setting stands for, where the hub fills it in."""
    filled: Mapping[str, object] = {
        "data": config.data.absolute(),
        "database_url": config.database,
        "blobs_url": config.blobs,
        "git_cache": config.git_cache_folder,
    }
    return filled.get(name, written)


def _defaults() -> Mapping[str, object]:
    """Defaults by name; None for what must be given."""
    fields = msgspec.structs.fields(Config)
    return {one.name: None if one.default is msgspec.NODEFAULT else one.default for one in fields}


def _text(value: object) -> str:
    """Return a value as it would stand in the environment, without secrets that are inside."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, Path):
        return str(value)
    text = str(value)
    return without_secrets(text) if "://" in text else text
