# SPDX-License-Identifier: Apache-2.0
"""The addresses of chunks: what they give, to whom, for how long, and nothing else."""

import os
import re
from email import message_from_bytes
from email.policy import HTTP
from urllib.parse import urlsplit

import httpx2 as httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from hubkeep.db.tables import accounts, repo_files
from hubkeep.transfer.cas.addresses import ADDRESS_SECONDS
from hubkeep.transfer.cas.queries_epoch import renew_epoch
from hubkeep.xet.chunks import Scheme
from tests.harness.hub import TestHub, on_sqlite
from tests.transfer.cas.following import runs, told
from tests.transfer.cas.shelf import Shelf, Xorb

pytestmark = on_sqlite

CHUNKS = [os.urandom(1000) for _ in range(6)]
STORED = 1008
"""Bytes of each chunk, with its header."""


@pytest.fixture
def xorb(shelf: Shelf) -> Xorb:
    return shelf.xorb(CHUNKS, Scheme.NONE)


@pytest.fixture
def whole(hub: TestHub, shelf: Shelf, xorb: Xorb) -> str:
    """An address that holds for all of the xorb."""
    return address(hub, shelf, xorb, (0, 6))


@pytest.fixture
def parts(hub: TestHub, shelf: Shelf, xorb: Xorb) -> str:
    """An address that holds for the second and the fourth chunk."""
    return address(hub, shelf, xorb, (1, 2), (3, 4))


def address(hub: TestHub, shelf: Shelf, xorb: Xorb, *chunks: tuple[int, int]) -> str:
    """The path of the address that the hub gives for a file of these chunks."""
    file = shelf.file("alice/m", [xorb.term(*some) for some in chunks])
    found = {url for _, url, _, _ in runs(told(hub, 2, file))}
    assert len(found) == 1
    return urlsplit(found.pop()).path


def at(chunk: int, until: int | None = None) -> tuple[int, int]:
    """Where chunks are stored: first byte and last."""
    return chunk * STORED, (until or chunk + 1) * STORED - 1


def asking(*spans: tuple[int, int]) -> dict[str, str]:
    return {"Range": "bytes=" + ", ".join(f"{first}-{last}" for first, last in spans)}


def get(hub: TestHub, path: str, *spans: tuple[int, int], method: str = "GET") -> httpx.Response:
    return hub.request(method, path, headers=asking(*spans) if spans else {})


def read_parts(answer: httpx.Response) -> list[tuple[str, str, bytes]]:
    """Content-Type, Content-Range and bytes of each part of a multipart answer."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n".encode()
    message = message_from_bytes(head + answer.content, policy=HTTP)
    assert message.get_content_type() == "multipart/byteranges"
    boundary = message.get_boundary()
    assert boundary is not None
    # The bytes are taken as they are: parsers of mail touch what looks like the end of a line.
    between = answer.content.split(f"\r\n--{boundary}".encode())
    assert (between[0], between[-1]) == (b"", b"--\r\n")
    found = []
    for part in between[1:-1]:
        fields, _, content = part.partition(b"\r\n\r\n")
        names = dict(line.decode().split(": ") for line in fields.strip().split(b"\r\n"))
        found.append((names["Content-Type"], names["Content-Range"], content))
    return found


def test_a_span_is_sent(hub: TestHub, parts: str, xorb: Xorb):
    for chunk in (1, 3):
        first, last = at(chunk)
        answer = get(hub, parts, (first, last))
        assert (answer.status_code, answer.content) == (206, xorb.body[first : last + 1])
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{6 * STORED}"
        assert answer.headers["content-length"] == str(STORED)
        assert answer.headers["cache-control"] == "private, no-store"
        inside = get(hub, parts, (first + 5, first + 9))
        assert (inside.status_code, inside.content) == (206, xorb.body[first + 5 : first + 10])


def test_several_spans_are_sent_as_parts(hub: TestHub, parts: str, xorb: Xorb):
    one, two = at(1), (at(3)[0] + 1, at(3)[1] - 1)
    answer = get(hub, parts, one, two)
    assert answer.status_code == 206
    assert "content-range" not in answer.headers
    assert answer.headers["content-length"] == str(len(answer.content))
    assert read_parts(answer) == [
        (
            "application/octet-stream",
            f"bytes {first}-{last}/{6 * STORED}",
            xorb.body[first : last + 1],
        )
        for first, last in (one, two)
    ]
    back = read_parts(get(hub, parts, two, one))
    assert [content for _, _, content in back] == [
        xorb.body[first : last + 1] for first, last in (two, one)
    ]


def test_the_whole_is_sent_where_all_of_it_is_allowed(hub: TestHub, whole: str, xorb: Xorb):
    answer = get(hub, whole)
    assert (answer.status_code, answer.content) == (200, xorb.body)
    for headers in (asking(at(0, 6)), {"Range": "bytes=0-"}, {"Range": "bytes=0-99999999"}):
        ranged = hub.get(whole, headers=headers)
        assert (ranged.status_code, ranged.content) == (206, xorb.body)
        assert ranged.headers["content-range"] == f"bytes 0-{6 * STORED - 1}/{6 * STORED}"
    end = hub.get(whole, headers={"Range": "bytes=-8"})
    assert (end.status_code, end.content) == (206, xorb.body[-8:])


def test_head_says_what_get_would(hub: TestHub, whole: str, parts: str):
    for path, spans in (
        (whole, ()),
        (whole, (at(0, 6),)),
        (parts, (at(1),)),
        (parts, (at(1), at(3))),
    ):
        got, head = get(hub, path, *spans), get(hub, path, *spans, method="HEAD")
        assert (head.status_code, head.content) == (got.status_code, b"")
        said = [
            {**one.headers, "content-type": one.headers["content-type"].split(";")[0]}
            for one in (got, head)
        ]
        for one in said:
            del one["x-request-id"]
        assert said[0] == said[1]
    assert get(hub, parts, at(2), method="HEAD").status_code == 403


@pytest.mark.parametrize(
    "spans",
    [
        [at(0)],
        [at(2)],
        [(at(1)[0] - 1, at(1)[1])],
        [(at(1)[0], at(1)[1] + 1)],
        [(at(1)[0], at(3)[1])],
        [at(1), at(2)],
        [at(1), at(5)],
        [(at(3)[0], 10**17)],
    ],
)
def test_what_was_not_signed_is_403(hub: TestHub, parts: str, spans: list[tuple[int, int]]):
    assert get(hub, parts, *spans).status_code == 403


def test_parts_have_to_be_asked_for(hub: TestHub, parts: str):
    first, last = at(1)
    assert hub.get(parts).status_code == 403
    assert hub.get(parts, headers={"Range": f"bytes={first}-"}).status_code == 403
    assert hub.get(parts, headers={"Range": "bytes=-1"}).status_code == 403
    # With a condition that does not hold, the whole would have to be sent.
    conditional = {"Range": f"bytes={first}-{last}", "If-Range": '"x"'}
    assert hub.get(parts, headers=conditional).status_code == 403


def test_past_the_end_is_416(hub: TestHub, whole: str, parts: str):
    for path in (whole, parts):
        answer = get(hub, path, (6 * STORED, 6 * STORED + 5))
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{6 * STORED}"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-5,3-9",
        "bytes=0-5,0-5",
        "bytes=0-,-5",
        "bytes=5-2",
        "bytes=",
        "bytes=0-1,",
        "bytes=,0-1",
        "bytes=0 - 1",
        "bytes=\u0661-\u0662",
        "items=0-5",
        "bytes=" + ",".join(f"{2 * k}-{2 * k}" for k in range(1001)),
        "bytes=" + "9" * 4000 + "-",
    ],
)
def test_ranges_that_no_client_asks_for_are_400(hub: TestHub, whole: str, asked: str):
    answer = hub.client.get(whole, headers=[("Range", asked.encode())])
    assert answer.status_code == 400, answer.text


def test_a_second_range_header_is_400(hub: TestHub, whole: str):
    twice = [("Range", "bytes=0-1"), ("Range", "bytes=0-5")]
    assert hub.client.get(whole, headers=twice).status_code == 400


def test_a_thousand_ranges_are_sent(hub: TestHub, whole: str, xorb: Xorb):
    spans = [(2 * k, 2 * k) for k in range(1000)]
    sent = read_parts(get(hub, whole, *spans))
    assert b"".join(content for _, _, content in sent) == xorb.body[:2000:2]


def test_altered_and_foreign_addresses_are_403(hub: TestHub, whole: str, parts: str):
    folder, _, token = whole.rpartition("/")
    body, _, mac = token.partition(".")
    other = parts.rpartition("/")[2].partition(".")[2]
    flipped = ("A" if body[30] != "A" else "B").join((body[:30], body[31:]))
    lfs = hub.app.signer.sign("lfs-get", msgspec.json.decode(b"{}", type=Nothing), seconds=60)
    for bad in (f"{flipped}.{mac}", f"{body}.{other}", body, "x", f".{mac}", lfs):
        answer = get(hub, f"{folder}/{bad}", at(1))
        assert answer.status_code == 403, bad
        assert "ask for a new one" in answer.json()["error"]


class Nothing(msgspec.Struct):
    """Claims of another kind."""


def test_addresses_expire(hub: TestHub, whole: str):
    hub.clock.move(seconds=ADDRESS_SECONDS - 1)
    assert get(hub, whole, at(1)).status_code == 206
    hub.clock.move(seconds=1)
    assert get(hub, whole, at(1)).status_code == 403


def test_addresses_of_another_epoch_are_404(hub: TestHub, whole: str):
    assert get(hub, whole.replace("/cas/0/", "/cas/1/"), at(1)).status_code == 404
    epoch = hub.write(renew_epoch)
    assert get(hub, whole, at(1)).status_code == 404
    assert get(hub, whole.replace("/cas/0/", f"/cas/{epoch}/"), at(1)).status_code == 404


def test_an_address_outlives_neither_account_nor_right(hub: TestHub, whole: str):
    hub.write(lambda c: c.execute(update(accounts).values(disabled=True)))
    assert get(hub, whole, at(1)).status_code == 403
    hub.write(lambda c: c.execute(update(accounts).values(disabled=False)))
    assert get(hub, whole, at(1)).status_code == 206
    gone = hub.delete("/api/repos/delete", token=hub.tokens.alice, json={"name": "m"})
    assert gone.status_code == 200
    assert get(hub, whole, at(1)).status_code == 404


def test_an_address_outlives_the_file(hub: TestHub, whole: str, xorb: Xorb):
    """The client may be in the midst of it; what is behind it is kept for weeks."""
    hub.write(lambda c: c.execute(delete(repo_files)))
    assert get(hub, whole).content == xorb.body


def test_damaged_xorbs_are_not_sent(hub: TestHub, shelf: Shelf, whole: str, xorb: Xorb):
    shelf.change_xorb(xorb, damaged_at=1)
    assert get(hub, whole, at(1)).status_code == 500
    shelf.change_xorb(xorb, damaged_at=None, ready=False)
    assert get(hub, whole, at(1)).status_code == 500


def test_bytes_that_are_not_there_are_404(hub: TestHub, shelf: Shelf, whole: str, xorb: Xorb):
    assert hub.client.portal is not None
    hub.client.portal.call(hub.app.blobs.delete, shelf.key(xorb))
    assert get(hub, whole, at(1)).status_code == 404
    assert get(hub, whole, at(1), at(3)).status_code == 404


def test_what_is_in_an_address_is_short(whole: str, parts: str):
    assert len(whole) < 280
    assert len(parts) < 310
    assert re.fullmatch(r"/cas/0/data/[\w-]+\.[\w-]+", whole)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_asked_for_nothing_unsigned_comes(
    hub: TestHub, shelf: Shelf, xorb: Xorb, data: st.DataObject
):
    signed = data.draw(st.sets(st.integers(0, 5), min_size=1))
    path = address(hub, shelf, xorb, *((chunk, chunk + 1) for chunk in sorted(signed)))
    number = st.integers(0, 6 * STORED + 9)
    asked = data.draw(st.lists(st.tuples(number, number), min_size=1, max_size=4))
    answer = get(hub, path, *asked)
    wanted = [range(first, min(last + 1, 6 * STORED)) for first, last in asked]
    places = [place for some in wanted for place in some]
    if any(last < first for first, last in asked) or len(places) != len(set(places)):
        assert answer.status_code in (400, 416)
    elif not all(wanted):
        assert answer.status_code == 416
    elif all(place // STORED in signed for place in places):
        got = [answer.content]
        if len(asked) > 1:
            got = [content for _, _, content in read_parts(answer)]
        assert answer.status_code == 206
        assert got == [xorb.body[some.start : some.stop] for some in wanted]
    else:
        assert answer.status_code == 403
        assert not answer.content.count(xorb.body[:50])


def test_nginx_is_told_only_of_what_is_allowed(hub: TestHub, shelf: Shelf, parts: str, xorb: Xorb):
    config = msgspec.structs.replace(hub.app.config, accel_prefix="/_blobs/")
    object.__setattr__(hub.app, "config", config)
    for spans in ([at(1)], [at(1), at(3)]):
        answer = get(hub, parts, *spans)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["x-accel-redirect"] == f"/_blobs/{shelf.key(xorb)}"
        head = get(hub, parts, *spans, method="HEAD")
        assert (head.status_code, "x-accel-redirect" in head.headers) == (206, False)
    for refused in (get(hub, parts), get(hub, parts, at(2)), get(hub, parts, at(1), at(2))):
        assert (refused.status_code, "x-accel-redirect" in refused.headers) == (403, False)
