# SPDX-License-Identifier: Apache-2.0
"""What transfers are measured on: a hub's data with one repository, files, and nginx before it."""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, insert

from bench.processes import free_port, running
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.migrate import prepare
from hubkeep.db.tables import repos
from hubkeep.identity import commands
from hubkeep.identity.actor import TokenRole
from hubkeep.kit.ids import new_id
from hubkeep.kit.time import now

TOKEN = "hf_token_of_the_benchmark"
_PIECE = 1 << 20
_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {hub}; proxy_set_header Host $http_host; }}
    location /_blobs/ {{
      internal; alias {blobs}/; etag off;
      add_header ETag $upstream_http_etag;
    }}
    location /plain/ {{ alias {blobs}/; }}
  }}
}}
"""


def make_repo(data: Path, path: str) -> None:
    """Make a hub's data folder with a public repository and a user who may write to it."""
    data.mkdir(parents=True)
    owner = path.partition("/")[0]

    def work(conn: Connection) -> None:
        commands.create_user(conn, owner, now())
        commands.create_token(conn, owner, TokenRole.WRITE, now(), name="bench", value=TOKEN)
        account = commands.find(conn, "user", owner)
        row = {"type": "model", "path": path, "path_key": path, "private": False}
        times = {"created_at": now(), "last_modified": now()}
        made = insert(repos).values(public_id=new_id(), owner_id=account.id, **row, **times)
        conn.execute(made)

    with closing(Database(Config(data=data).database)) as db:
        prepare(db)
        db.write_now(work)


def write_random(path: Path, size: int, seed: int, *, append: bool = False) -> None:
    """Write a file of bytes that no layer can compress or guess, or add them to one."""
    draw = random.Random(seed)
    with path.open("ab" if append else "wb") as file:
        for at in range(0, size, _PIECE):
            file.write(draw.randbytes(min(_PIECE, size - at)))


@contextmanager
def nginx_for(folder: Path, blobs: Path, hub: str) -> Iterator[str]:
    """Run nginx in front of a hub, set up as for deployment; gives its address."""
    port = free_port()
    config = folder / "nginx.conf"
    folder.chmod(0o755)
    config.write_text(_NGINX.format(folder=folder, port=port, hub=hub, blobs=blobs))
    command = ["nginx", "-c", str(config), "-e", "stderr", "-g", "user root;"]
    with running(command, port):
        yield f"http://127.0.0.1:{port}"
