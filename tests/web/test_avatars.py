# SPDX-License-Identifier: Apache-2.0
"""Pictures of accounts: sent by a form, drawn anew, and what somebody else might send."""

import random
import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import httpx2 as httpx
import pytest
from PIL import Image

from hubkeep.identity import commands
from hubkeep.identity.actor import Role
from hubkeep.identity.pictures import MOST_BYTES, SIDE, NotAPicture, redraw
from tests.harness.hub import TestHub, on_sqlite
from tests.web.browser import Browser, Seen

More = Callable[[str], Browser]
OWN = "/settings/picture"
OF_ACME = "/organizations/acme/settings/picture"
BOUNDARY = "a-boundary-of-the-tests"


def encoded(image: Image.Image, kind: str = "PNG", **how: object) -> bytes:
    written = BytesIO()
    image.save(written, kind, **how)
    return written.getvalue()


def painted(width: int = 300, height: int = 200) -> Image.Image:
    """White, and red where a square of its middle has its upper left corner."""
    image = Image.new("RGB", (width, height), "white")
    left, top = (max(0, (side - min(width, height)) // 2) for side in (width, height))
    image.paste((255, 0, 0), (left, top, width // 2, height // 2))
    return image


def noise(side: int = 400) -> Image.Image:
    return Image.effect_noise((side, side), 90).convert("RGB")


def body_of(csrf: str | None, content: bytes | None, name: str = "me.png") -> bytes:
    parts = []
    if csrf is not None:
        parts.append(f'Content-Disposition: form-data; name="csrf"\r\n\r\n{csrf}'.encode())
    if content is not None:
        head = f'Content-Disposition: form-data; name="picture"; filename="{name}"\r\n'
        parts.append(head.encode() + b"Content-Type: image/png\r\n\r\n" + content)
    line = f"--{BOUNDARY}".encode()
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def send(browser: Browser, body: bytes, path: str = OWN) -> httpx.Response:
    """Send a form with a file, as a browser does."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {
        "Accept": "text/html",
        "Cookie": cookies,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    return browser.hub.request("POST", path, headers=headers, content=body)


def picture(hub: TestHub, name: str, **headers: str) -> httpx.Response:
    return hub.get(f"/avatars/{name}.svg", headers=headers)


def test_a_picture_is_shown_until_it_is_removed(alice: Browser):
    drawn = picture(alice.hub, "alice")
    assert drawn.headers["content-type"] == "image/svg+xml"
    answer = send(alice, body_of(alice.csrf, encoded(noise())))
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/profile?saved")
    own = picture(alice.hub, "ALICE")
    assert own.headers["content-type"] == "image/png"
    assert own.headers["content-security-policy"] == "default-src 'none'"
    assert own.headers["x-content-type-options"] == "nosniff"
    with Image.open(BytesIO(own.content)) as image:
        assert (image.format, image.size) == ("PNG", (SIDE, SIDE))
    assert len(own.content) < 110_000
    etag = own.headers["etag"]
    again = picture(alice.hub, "alice", **{"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert alice.json("/settings/profile")["picture"]["isOwn"] is True
    # Another one in its place, and back to the one that follows from the name.
    assert send(alice, body_of(alice.csrf, encoded(painted()))).status_code == 303
    assert picture(alice.hub, "alice").headers["etag"] != etag
    assert alice.post(f"{OWN}/remove").status_code == 303
    assert picture(alice.hub, "alice").content == drawn.content


def test_an_organisation_has_one_by_its_administrators(alice: Browser, another: More):
    bob = another("bob")
    alice.hub.write(
        lambda conn: commands.add_member(conn, "acme", "bob", Role.WRITE, alice.hub.clock())
    )
    content = encoded(painted())
    assert send(bob, body_of(bob.csrf, content), OF_ACME).status_code == 403
    assert picture(alice.hub, "acme").headers["content-type"] == "image/svg+xml"
    answer = send(alice, body_of(alice.csrf, content), OF_ACME)
    assert answer.headers["location"] == "/organizations/acme/settings?saved"
    assert picture(alice.hub, "acme").headers["content-type"] == "image/png"
    assert bob.post(f"{OF_ACME}/remove").status_code == 403
    answer = send(alice, body_of(alice.csrf, b"<svg/>"), OF_ACME)
    assert (answer.status_code, Seen(answer.text).describes("picture")) == (422, "picture-wrong")
    assert alice.post(f"{OF_ACME}/remove").status_code == 303
    assert picture(alice.hub, "acme").headers["content-type"] == "image/svg+xml"


def test_a_disabled_account_looks_as_one_that_is_not_there(alice: Browser):
    before = picture(alice.hub, "alice")
    send(alice, body_of(alice.csrf, encoded(painted())))
    alice.hub.write(lambda conn: commands.set_disabled(conn, "alice", True, alice.hub.clock()))
    after = picture(alice.hub, "alice")
    assert after.content == before.content
    names = ("etag", "cache-control", "content-type")
    assert [after.headers[name] for name in names] == [before.headers[name] for name in names]


@on_sqlite
def test_only_the_form_of_who_is_signed_in_counts(alice: Browser):
    content = encoded(painted())
    stranger = Browser(alice.hub)
    stranger.get("/login")
    for csrf in (None, "", stranger.csrf):
        assert send(alice, body_of(csrf, content)).status_code == 403
    answer = send(stranger, body_of(stranger.csrf, content))
    assert answer.headers["location"] == "/login?next=%2Fsettings%2Fpicture"
    assert picture(alice.hub, "alice").headers["content-type"] == "image/svg+xml"


def head_of_png(width: int, height: int) -> bytes:
    """A PNG that says that it is large, and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + content + chunk(b"IEND", b"")


HOSTILE = {
    "nothing": (b"", "Choose a file"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "cannot be read"),
    "html": (b"<!doctype html><script>alert(1)</script>", "cannot be read"),
    "pdf": (b"%PDF-1.7\n", "cannot be read"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "cannot be read"),
    "tiff": (encoded(painted(), "TIFF"), "cannot be read"),
    "bmp": (encoded(painted(), "BMP"), "cannot be read"),
    "ico": (encoded(painted(64, 64), "ICO"), "cannot be read"),
    "cut off": (encoded(noise())[:5000], "cannot be read"),
    "head alone": (encoded(painted())[:40], "cannot be read"),
    "bomb": (head_of_png(50_000, 50_000), "million pixels"),
    "small bomb": (head_of_png(4_000, 4_000), "At most 12 million pixels"),
    "long": (head_of_png(2**31 - 1, 1), "million pixels"),
    "passes": (b"\xff\xd8\xff\xe0" + b"\xff\xda\x00" * 200, "too many layers"),
    "too large": (bytes(MOST_BYTES + 1), "At most 5 MB"),
    "far too large": (bytes(2 * MOST_BYTES), "At most 5 MB"),
}


@on_sqlite
def test_what_is_no_picture_is_said_at_the_field(alice: Browser):
    for name, (content, says) in HOSTILE.items():
        answer = send(alice, body_of(alice.csrf, content, "<script>.png"))
        page = Seen(answer.text)
        assert (answer.status_code, page.describes("picture")) == (422, "picture-wrong"), name
        assert says in page.text, name
        assert page.value("fullname") == "Alice"
        assert "<script>.png" not in answer.text
    assert picture(alice.hub, "alice").headers["content-type"] == "image/svg+xml"


@on_sqlite
def test_a_form_that_cannot_be_read_changes_nothing(alice: Browser):
    line, good = f"--{BOUNDARY}".encode(), encoded(painted())
    for body in (
        b"",
        line,
        b"nothing of the kind",
        line + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + line + b"--",
        body_of(alice.csrf, good).removesuffix(line + b"--\r\n") + body_of(None, good),
        body_of(alice.csrf * 500, good),
        (line + b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n') * 50 + line + b"--",
    ):
        assert send(alice, body).status_code in (400, 403), body[:200]
    assert picture(alice.hub, "alice").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_middle_is_kept_and_nothing_else(kind: str):
    source = painted()
    for content in (
        encoded(source, kind),
        encoded(source.transpose(Image.Transpose.ROTATE_90), kind),
    ):
        with Image.open(BytesIO(redraw(content))) as image:
            assert (image.format, image.size, image.info) == ("PNG", (SIDE, SIDE), {})
            corners = [image.convert("RGB").getpixel(at) for at in ((9, 9), (246, 9), (9, 246))]
            assert sum(corner[1] < 60 for corner in corners) == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pictures_of_all_depths_are_taken(mode: str):
    source = Image.new("I;16", (50, 80), 30_000) if mode == "I;16" else painted().convert(mode)
    with Image.open(BytesIO(redraw(encoded(source)))) as image:
        assert image.size == (SIDE, SIDE)


def test_what_the_camera_noted_turns_it_and_is_gone():
    notes = Image.Exif()
    notes[0x0112] = 6  # turned to the right
    notes[0x010F] = "a maker"
    notes.get_ifd(0x8825)[2] = (52.0, 5.0, 1.0)
    made = redraw(encoded(painted(), "JPEG", exif=notes, comment=b"secret", icc_profile=b"colours"))
    with Image.open(BytesIO(made)) as image:
        red = [image.convert("RGB").getpixel(at)[1] < 60 for at in ((9, 9), (246, 9))]
        assert red == [False, True]
        assert not image.getexif()
    assert b"maker" not in made
    assert b"secret" not in made
    assert b"iCCP" not in made


def test_what_is_hidden_behind_a_picture_is_not_kept():
    made = redraw(encoded(painted()) + b"<script>alert(1)</script>PK\x03\x04")
    assert b"script" not in made
    assert b"PK" not in made


def test_a_picture_of_much_noise_stays_small():
    assert len(redraw(encoded(noise(900)))) < 110_000


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_broken_pictures_are_refused_in_one_way(kind: str):
    """Bytes of a good one are changed at random: it is drawn, or refused, and never anything else.

    Where the sums of a PNG are right again, what is behind them is reached.
    """
    chance = random.Random(kind)
    good = encoded(noise(40), kind)
    refused = 0
    for _ in range(60):
        content = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(min(len(content), chance.choice((40, 300, 10**6))))
            content[at] = chance.choice((0, 1, 127, 255, chance.randrange(256)))
        if chance.random() < 0.2:
            del content[chance.randrange(len(content)) :]
        try:
            made = redraw(summed(bytes(content)) if kind == "PNG" else bytes(content))
        except NotAPicture:
            refused += 1
        else:
            assert made.startswith(b"\x89PNG")
    assert refused > 0


def summed(content: bytes) -> bytes:
    """A PNG with the sums of its parts set right, as far as its parts can be told."""
    fixed, at = bytearray(content), 8
    while at + 12 <= len(fixed):
        end = at + 8 + int.from_bytes(fixed[at : at + 4])
        if end + 4 > len(fixed):
            break
        fixed[end : end + 4] = struct.pack(">I", zlib.crc32(fixed[at + 4 : end]))
        at = end + 4
    return bytes(fixed)
