# SPDX-License-Identifier: Apache-2.0
"""Settings: one struct, from `HUBKEEP_*` variables and the command line; read nowhere else."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

PREFIX = "HUBKEEP_"
_LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
_DATABASES = ("", "sqlite", "postgresql", "postgres")
_DEDUP = ("readable", "hub")
_SIGN_UP = ("closed", "invitation", "open")
_SNAPSHOTS = ("daily", "off")
LEAST_XET_GRACE = 22
LOOPBACK = ("localhost", "127.0.0.1", "[::1]", ".localhost")


class ConfigError(ValueError):
    """A setting that cannot be used; the text says which and why."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All settings; each is `HUBKEEP_<NAME>` in the environment (`docs/configuration.md`)."""

    data: Path
    """Folder for everything that is not put elsewhere."""
    database_url: str = ""
    """SQLAlchemy URL; by default SQLite in the data folder."""
    blobs_url: str = ""
    """`file:///...` or `s3://bucket/prefix?endpoint=...`; by default a folder in the data
    folder.
    """
    s3_access_key: str = ""
    s3_secret_key: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    """How clients call the hub; by default absolute addresses follow the request's Host."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names believed without `public_url`, besides loopback names; `.example.org` for all
    under it.
    """
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose `X-Forwarded-*` headers are believed."""
    content_url: str = ""
    """Another origin of this hub, for what users wrote that runs in browsers: static Spaces and
    diagrams. By default `content.localhost` where the hub is called by a loopback name, else none.
    """
    accel_prefix: str = ""
    """nginx location for `X-Accel-Redirect` to the blob folder; empty: the hub sends files
    itself.
    """
    workers: int = 1
    """Server processes; more than one shares the database and the blob store."""
    job_worker: bool = True
    """Whether `serve` starts a job worker beside the server."""
    metrics_token: str = ""
    """Where set, `GET /metrics` wants it as a bearer token; else loopback callers alone are
    answered.
    """
    log_level: str = "info"
    xet_dedup: str = "readable"
    """Which stored chunks an upload may build on: those that its sender can read (`readable`), or
    all of the hub (`hub`), which tells its users which data others hold.
    """
    xet_grace_days: int = 30
    """How long chunks stay after the last file with them is gone; clients count on 21 days."""
    xet_convert: bool = False
    """Whether files that came by git-lfs are turned into chunks in the background."""
    scrub_days: int = 30
    """In how many days all stored chunks are read and hashed once; 0: never by itself."""
    git_cache: str = ""
    """Folder for what `git fetch` is served from, made anew at will; by default in the data
    folder. Each machine has one of its own.
    """
    git_cache_gb: int = 20
    """Size that this folder is kept under."""
    git_processes: int = 4
    """How many fetches and pushes a server process serves at once; others wait for their turn."""
    git_passwords: bool = False
    """Whether git and git-lfs may sign in with the account's password instead of a token."""
    sign_up: str = "closed"
    """Who may make an account in the browser: nobody (`closed`), who has an invitation
    (`invitation`), or everybody (`open`).
    """
    push_mb: int = 2048
    """Bytes of git objects that a push may bring, without its large files."""
    push_objects: int = 250_000
    """Objects that a push may bring."""
    snapshots: str = "daily"
    """Whether the hub takes a snapshot of itself every day (`daily`) or only when told to (`off`).
    """

    def __post_init__(self) -> None:
        for name in ("public_url", "content_url"):
            _check_origin(name, getattr(self, name))
        content_host = urlsplit(self.content_url).hostname
        if content_host and content_host == urlsplit(self.public_url).hostname:
            raise ConfigError(
                "content_url must have another host name than public_url, whatever the port: "
                "cookies do not look at ports"
            )
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port must be 0 to 65535, got {self.port}")
        if self.database_url.partition(":")[0].partition("+")[0] not in _DATABASES:
            raise ConfigError(
                "database_url must be sqlite:///path or postgresql://user@host/name, "
                f"got {self.database_url.partition('://')[0]!r}"
            )
        if self.log_level not in _LOG_LEVELS:
            raise ConfigError(
                f"log_level must be one of {', '.join(_LOG_LEVELS)}, got {self.log_level!r}"
            )
        if self.xet_dedup not in _DEDUP:
            raise ConfigError(
                f"xet_dedup must be one of {', '.join(_DEDUP)}, got {self.xet_dedup!r}"
            )
        if self.xet_grace_days < LEAST_XET_GRACE:
            raise ConfigError(
                f"xet_grace_days must be at least {LEAST_XET_GRACE}, got {self.xet_grace_days}: "
                "clients refer to chunks that they sent up to 21 days ago"
            )
        if self.sign_up not in _SIGN_UP:
            raise ConfigError(f"sign_up must be one of {', '.join(_SIGN_UP)}, got {self.sign_up!r}")
        if self.snapshots not in _SNAPSHOTS:
            raise ConfigError(
                f"snapshots must be one of {', '.join(_SNAPSHOTS)}, got {self.snapshots!r}"
            )
        if self.scrub_days < 0:
            raise ConfigError(f"scrub_days must be at least 0, got {self.scrub_days}")
        for name in ("workers", "git_cache_gb", "git_processes", "push_mb", "push_objects"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")

    @property
    def database(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data.absolute()}/hubkeep.db"

    @property
    def blobs(self) -> str:
        """The blob store's URL, with the default filled in."""
        return self.blobs_url or f"file://{self.data.absolute()}/blobs"

    @property
    def git_cache_folder(self) -> Path:
        """Where the cache for fetches lies, with the default filled in."""
        return Path(self.git_cache) if self.git_cache else self.data / "git-cache"

    @property
    def base_url(self) -> str:
        """`public_url` without a trailing slash; empty where it is not set."""
        return self.public_url.rstrip("/")


def _check_origin(name: str, url: str) -> None:
    parts = urlsplit(url)
    if url and (
        parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/")
    ):
        raise ConfigError(
            f"{name} must be http(s)://host[:port] without a path, got {url!r}: "
            "hub clients address the root"
        )


def load(env: Mapping[str, str] | None = None, **given: object) -> Config:
    """Build the settings from `HUBKEEP_*` in `env` (the process's by default); `given` wins.

    Raises ConfigError that names the setting.
    """
    env = os.environ if env is None else env
    known = {field.name: field for field in msgspec.structs.fields(Config)}
    raw: dict[str, object] = {}
    for name, field in known.items():
        value = env.get(PREFIX + name.upper())
        if value:
            many = field.type == tuple[str, ...]
            raw[name] = (
                [part.strip() for part in value.split(",") if part.strip()] if many else value
            )
    raw.update({name: value for name, value in given.items() if value is not None})
    if "data" not in raw:
        raise ConfigError("say where the data lies: --data DIR or HUBKEEP_DATA")
    raw["data"] = Path(str(raw["data"]))
    try:
        return msgspec.convert(raw, Config, strict=False, dec_hook=_convert)
    except msgspec.ValidationError as bad:
        raise ConfigError(str(bad)) from bad


def dump(config: Config) -> dict[str, str]:
    """Return the settings as `HUBKEEP_*` variables, for a child process."""
    env: dict[str, str] = {}
    for name, value in msgspec.structs.asdict(config).items():
        if isinstance(value, tuple):
            env[PREFIX + name.upper()] = ",".join(value)
        else:
            env[PREFIX + name.upper()] = (
                str(value).lower() if isinstance(value, bool) else str(value)
            )
    return env


def environment_of(config: Config) -> dict[str, str]:
    """Return this process's environment with these settings in it, for a child process."""
    return {**os.environ, **dump(config)}


def _convert(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
