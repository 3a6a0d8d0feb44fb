# SPDX-License-Identifier: Apache-2.0
"""Take pictures of the pages for the documentation: `python -m tools.screenshots`.

The hub is the demonstration's, at a moment that stands still, so the same source gives the same
pictures.
"""

import asyncio
import io
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from PIL import Image
from sqlalchemy import Connection

from hubkeep.app import App
from hubkeep.asgi import Hub
from hubkeep.cli.demo_gallery import fill
from hubkeep.cli.listener import Listener, listen
from hubkeep.config import Config
from hubkeep.identity import commands
from hubkeep.identity.actor import Role, TokenRole
from hubkeep.identity.passwords import hash_password
from hubkeep.job_kinds import worker_of
from hubkeep.kit.time import DAY, unwire
from tests.browser.chromium import MISSING, find_chromium, running_chromium
from tests.browser.site import signed_in
from tests.observatory.whole import whole
from tools.report_shots import REPORT_SHOTS, take_report, write_report
from tools.shots import SHOTS, Shot

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DOCS = Path(__file__).parents[1] / "docs"
FOLDER = DOCS / "screenshots"
NOW = unwire("2026-11-20T16:00:00.000Z")
USER, PASSWORD = "ida-brandt", "an example of a password"
QUALITY = 62
# What is told of them in figures is made up, and so are they.
INVENTED = ("harbourlight", "openfield", "kestrel-lab", "nordlys", "ida-brandt", "quarry", "tarn")
# Addresses of the hub stand in its pages, so the port is always the same.
PORT = 8642


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    name: str
    theme: str
    width: int
    height: int


LOOKS = (
    Look("light", "light", 1280, 860),
    Look("dark", "dark", 1280, 860),
    Look("phone", "light", 390, 780),
)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--to", type=click.Path(path_type=Path), default=FOLDER, help="The folder of them.")
@click.option("--whole", is_flag=True, help="Whole pages instead of what fits into a window.")
def main(names: tuple[str, ...], to: Path, whole: bool) -> None:
    """Take the pictures of these pages, by default of all, and write the page that shows them."""
    path = find_chromium()
    if path is None:
        raise click.ClickException(MISSING)
    wanted = [shot for shot in SHOTS if not names or shot.name in names]
    to.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="hubkeep-pictures-") as data,
        serving(Path(data)) as url,
        running_chromium(path) as browser,
    ):
        for look in LOOKS:
            take(browser, url, wanted, look, to, whole=whole)
        reported = [name for name in REPORT_SHOTS if not names or name in names]
        if reported:
            take_reported(browser, write_report(Path(data)), reported, to)
    if to == FOLDER:
        (DOCS / "screenshots.md").write_text(page_of(SHOTS), "utf-8")
    size = sum(each.stat().st_size for each in to.glob("*.webp"))
    taken = sum(len(shot.looks) for shot in wanted) + len(reported) * len(LOOKS)
    click.echo(f"{taken} pictures taken; the folder has {size / 1e6:.1f} MB")


@contextmanager
def serving(data: Path) -> Iterator[str]:
    """Serve the filled hub in a thread of its own, and give its address."""
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        sock = listen("127.0.0.1", PORT)
        config = Config(data=data, port=PORT, sign_up="open", snapshots="off")
        hub, stopping = Hub(config, lambda: NOW), asyncio.Event()
        app = await hub.start()
        await furnish(app)
        serving = asyncio.create_task(Listener(hub, sock).run(stopping, asyncio.Event()))
        ready.set_result((f"http://127.0.0.1:{PORT}", asyncio.get_running_loop(), stopping))
        await serving
        await hub.stop()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        url, loop, stopping = ready.result()
        try:
            yield url
        finally:
            loop.call_soon_threadsafe(stopping.set)
    finally:
        thread.join()


async def furnish(app: App) -> None:
    """Fill the hub, and let somebody sign in who sees all of its pages."""
    await fill(app, NOW)
    whole(app.config.data / "snapshots", authors=INVENTED)
    stored = hash_password(PASSWORD)

    def work(conn: Connection) -> None:
        commands.set_password(conn, USER, stored)
        commands.set_admin(conn, USER, True)
        laptop, train = NOW - 40 * DAY, NOW - 9 * DAY
        for role, at, name in (
            (TokenRole.WRITE, laptop, "laptop"),
            (TokenRole.READ, train, "training machine"),
        ):
            value = f"hf_of_the_pictures_{name.replace(' ', '_')}"
            commands.create_token(conn, USER, role, at, name=name, value=value)
        commands.add_member(conn, "openfield", USER, Role.READ, laptop)

    await app.db.write(work)
    await worker_of(app).run_due()


def take(
    browser: "Browser", url: str, shots: list[Shot], look: Look, to: Path, *, whole: bool
) -> None:
    """Take one picture of each page."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.theme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    mine = list(signed_in(url, USER, PASSWORD))
    page = context.new_page()
    for shot in shots:
        if look.name not in shot.looks:
            continue
        context.clear_cookies()
        if shot.is_mine:
            context.add_cookies(mine)
        answer = page.goto(shot.path, wait_until="networkidle")
        if answer is None or answer.status != shot.status:
            raise click.ClickException(f"{shot.path} is not as it should be")
        page.evaluate("document.fonts.ready")
        picture = Image.open(io.BytesIO(page.screenshot(full_page=whole)))
        keep(picture, to / f"{shot.name}-{look.name}.webp")
    context.close()


def take_reported(browser: "Browser", report: Path, wanted: list[str], to: Path) -> None:
    """Take the pictures of the report."""
    for look in LOOKS:
        for name, picture in take_report(browser, report, (look.width, look.height), look.theme):
            if name in wanted:
                keep(picture, to / f"{name}-{look.name}.webp")


def keep(picture: Image.Image, target: Path) -> None:
    """Write a picture."""
    picture.convert("RGB").save(target, "WEBP", quality=QUALITY, method=6)


def page_of(shots: tuple[Shot, ...]) -> str:
    """The page of the documentation that shows the pictures."""
    lines = [
        "<!-- Written by `make screenshots`; change tools/shots.py instead. -->",
        "",
        "# Pictures of the pages",
        "",
        "Taken of the demonstration's hub (`make demo`): in light, in dark, and on a phone.",
    ]
    said = {shot.name: shot.says for shot in shots}
    looks = {shot.name: shot.looks for shot in shots}
    said |= {name: says for name, (_, says) in REPORT_SHOTS.items()}
    for name, says in said.items():
        lines += ["", f"## {says}", ""]
        names = looks.get(name, [look.name for look in LOOKS])
        lines += [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
        cells = [f"![{says}, {look}](screenshots/{name}-{look}.webp)" for look in names]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
