# SPDX-License-Identifier: Apache-2.0
"""A throw-away PostgreSQL cluster, run from the installed binaries and gone with this process.

It listens on a unix socket in a folder that only the server's user may enter, so it needs no
password and no free port, and it forgets to write to the disk, which is what makes it quick.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

START_SECONDS = 60
SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


class ClusterError(RuntimeError):
    """The cluster did not start; the text ends with what its log says."""


def find_binaries() -> Path | None:
    """The folder of the newest installed server's programs, or None where there is no server."""
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if debian:
        return max(debian, key=lambda folder: int(folder.parent.name))
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


class Cluster:
    """A running cluster. Databases are made and dropped by name; names are plain identifiers."""

    def __init__(self, folder: Path, admin: psycopg.Connection) -> None:
        self._folder = folder
        self._admin = admin

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database, with psycopg as the driver."""
        return _url(self._folder, database).replace("postgresql:", "postgresql+psycopg:", 1)

    def create(self, database: str, template: str = "template1") -> str:
        """Make a database as a copy of a template that nobody is connected to; return its URL."""
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(database), sql.Identifier(template)
            )
        )
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._admin.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
        )


@contextmanager
def running_cluster(binaries: Path, **settings: str) -> Generator[Cluster]:
    """Start a cluster with the programs in `binaries`; stop and remove it at the end.

    `settings` win over those of a cluster for tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="hk-pg-"))
    server = None
    try:
        become = _become_server_user(folder)
        data = folder / "data"
        initdb = [binaries / "initdb", "--pgdata", data, "--username", SUPERUSER]
        initdb += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run([*become, *initdb], cwd=folder, check=True, capture_output=True)
        log = folder / "log"
        server = _start(binaries, folder, log, become, {**SETTINGS, **settings})
        with _connect(folder, server, log) as admin:
            yield Cluster(folder, admin)
    finally:
        if server is not None:
            pg_ctl = [binaries / "pg_ctl", "stop", "--pgdata", folder / "data", "--mode=immediate"]
            subprocess.run([*become, *pg_ctl], cwd=folder, check=False, capture_output=True)
            server.wait()
        shutil.rmtree(folder)


def _become_server_user(folder: Path) -> list[str]:
    """Give the folder to the user who will run the server; the words that make a command his.

    PostgreSQL refuses to run as root. Debian's package makes a user for it.
    """
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(SUPERUSER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _start(
    binaries: Path, folder: Path, log: Path, become: list[str], settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = [binaries / "postgres", "-D", folder / "data", "-k", folder, *options]
    # The kernel stops the server when this process dies, however it dies: no run leaves one behind.
    if become:
        command = [*become, "--pdeathsig=INT", *command]
    elif shutil.which("setpriv"):
        command = ["setpriv", "--pdeathsig=INT", *command]
    with log.open("wb") as output:
        return subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


def _connect(folder: Path, server: subprocess.Popen[bytes], log: Path) -> psycopg.Connection:
    """Connect as soon as the server takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return psycopg.connect(_url(folder, "postgres"), autocommit=True)
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise ClusterError(log.read_text()[-2000:]) from error
        time.sleep(0.02)


def _url(folder: Path, database: str) -> str:
    return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(folder), safe='')}"
