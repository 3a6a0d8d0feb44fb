# SPDX-License-Identifier: Apache-2.0
"""Hubs that are busy, broken or hostile: waited for, asked again, or refused."""

import gzip
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from hubkeep.observatory.crawling.calling import ATTEMPTS, Caller
from hubkeep.observatory.crawling.crawl import Wanted, crawl
from hubkeep.observatory.crawling.endpoint import Endpoint
from hubkeep.observatory.crawling.failure import CrawlFailed
from tests.observatory.crawls import Crawls, Quick
from tests.observatory.fakehub import Asked, FakeHub, Fault, Said, models, served, serving

ALONE = {"lists": ["models"], "accounts": 0}


@pytest.fixture
def crawls(tmp_path) -> Crawls:
    return Crawls(tmp_path)


def once(said: Callable[[Asked], Said] | Said, at: int = 3, times: int = 1) -> Fault:
    """The page of models that begins at `at` is answered so, some times."""
    left = Counter({"left": times})

    def fault(asked: Asked) -> Said | None:
        if asked.path != "/api/models" or asked.cursor != at or not left["left"]:
            return None
        left["left"] -= 1
        return said if isinstance(said, Said) else said(asked)

    return fault


def always(said: Said, at: int = 3) -> Fault:
    return once(said, at, times=1_000_000)


def failed(crawls: Crawls, hub: FakeHub, words: str, **how: object) -> str:
    """Crawl a hub that does not let itself be crawled: nothing looks like a snapshot."""
    with pytest.raises(CrawlFailed, match=words) as error:
        crawls(hub.url, **{**ALONE, **how})
    assert crawls.made() == []
    return str(error.value)


IN_TEN_MINUTES = "in ten minutes"
"""What stands for a date that is told when the test runs, which may be long after it was read."""


def told_now(headers: Mapping[str, str]) -> dict[str, str]:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    return {name: later if value == IN_TEN_MINUTES else value for name, value in headers.items()}


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "40"}, 40, 42),
        ({"Retry-After": IN_TEN_MINUTES}, 300, 602),
        ({"RateLimit": '"api";r=0;t=55', "RateLimit-Policy": '"fixed window";"api";q=5'}, 55, 57),
        ({"RateLimit": '"pages";r=9;t=700, "api";r=0;t=20, "files";r=0;t=30'}, 30, 32),
        ({"Retry-After": "soon", "RateLimit": '"api";r=0;t=55'}, 55, 57),
        ({"RateLimit": '"api"; t = 30 ;q=5; r=0, "files";r=3, ;;;t=,'}, 30, 32),
        ({"Retry-After": "Mon, 99999999999 Jan 99999999999 00:00:00 GMT"}, 0, 1),
        ({}, 0, 1),
    ],
    ids=["seconds", "date", "window", "windows", "nonsense", "turned round", "no date", "nothing"],
)
def test_a_hub_that_has_had_enough_is_left_alone_for_as_long_as_it_says(
    crawls: Crawls, headers, least, most
):
    busy = Said(429, {"error": "Too many requests"}, told_now(headers))
    with served(FakeHub(models=models(8), fault=once(busy))) as hub:
        assert len(crawls(hub.url, **ALONE).ids()) == 8
    assert hub.cursors() == [0, 3, 3, 6]
    assert least <= sum(crawls.time.waits) <= most


def test_a_window_that_is_used_up_is_waited_for_before_it_is_refused(crawls: Crawls):
    def fault(asked: Asked) -> Said | None:
        told = (
            {"RateLimit": '"api";r=0;t=30'} if asked.number == 2 else {"RateLimit": '"api";r=5;t=9'}
        )
        said = hub.plain(asked)
        return Said(said.status, said.value, {**said.headers, **told})

    with served(FakeHub(models=models(8), fault=fault)) as hub:
        assert len(crawls(hub.url, **ALONE).ids()) == 8
    assert crawls.time.waits == [30.0]


@pytest.mark.parametrize("wait", ["86400", "999999999"])
def test_a_hub_that_asks_to_wait_for_hours_is_asked_another_time(crawls: Crawls, wait):
    with served(
        FakeHub(models=models(8), fault=always(Said(429, None, {"Retry-After": wait})))
    ) as hub:
        said = failed(crawls, hub, "asks to wait")
    assert "the same command goes on from there" in said
    assert crawls.time.waits == []


BROKEN = [
    Said(500, {"error": "oops"}),
    Said(502, body=b"<html>Bad gateway"),
    Said(503, None),
    Said(504, None),
    Said(value=[], cut=0, headers={"Content-Length": 50}),
    Said(body=b'[{"id": "a/b"}]', cut=9),
    Said(body=b'[{"id": "a/b"'),
    Said(body=b"[NaN]"),
    Said(body=b"<html>Welcome"),
    Said(body=b""),
    Said(body=b"[" * 100_000 + b"]" * 100_000),
    Said(body=b"\xff\xfe"),
    Said(body=b"[]", headers={"Content-Encoding": "gzip"}),
    Said(body=gzip.compress(b"[]")[:-6], headers={"Content-Encoding": "gzip"}),
    Said(body=b"[]", headers={"Content-Encoding": "br"}),
    Said(
        body=b"ffff\r\n[]", headers={"Transfer-Encoding": "chunked", "Content-Length": None}, cut=8
    ),
    Said(body=b"zz\r\n[]", headers={"Transfer-Encoding": "chunked", "Content-Length": None}, cut=6),
]


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_what_breaks_is_asked_for_again_and_again_and_not_for_ever(broken):
    quick = Quick()
    with served(FakeHub(models=models(8), fault=once(broken, times=3))) as hub:
        caller = Caller(Endpoint.parse(hub.url), quick.pace())
        assert caller.get("/api/models?cursor=0").value
        assert caller.get("/api/models?cursor=3").value
        assert hub.cursors() == [0, 3, 3, 3, 3]
        # Each time a little later.
        assert quick.waits == sorted(quick.waits)
        hub.fault = always(broken)
        with pytest.raises(CrawlFailed, match="does not answer /api/models: "):
            caller.get("/api/models?cursor=3")
        assert len(hub.asked) == 5 + ATTEMPTS
        caller.close()


def test_a_hub_that_is_not_there_is_found_out_soon(crawls: Crawls):
    with served(FakeHub()) as hub:
        pass
    failed(crawls, hub, "does not answer")
    assert len(crawls.time.waits) == 2


def test_a_hub_that_dies_half_way_leaves_something_to_go_on_with(crawls: Crawls):
    hub = FakeHub(models=models(8))
    with served(hub):
        server = hub.server

        def die(asked: Asked) -> Said:
            threading.Thread(target=server.shutdown).start()
            server.socket.close()
            return Said(cut=0)

        hub.fault = once(die)
        said = failed(crawls, hub, "does not answer")
    assert "what was read is kept" in said
    assert len(crawls.left()) == 1


@pytest.mark.parametrize("value", [{"error": "no"}, {"models": []}, "text", 7, None], ids=str)
def test_what_is_no_list_is_no_hub(crawls: Crawls, value):
    with served(FakeHub(models=models(8), fault=always(Said(value=value), at=0))) as hub:
        failed(crawls, hub, "is no list")


@pytest.mark.parametrize("status", [401, 403])
def test_a_hub_that_wants_a_token_says_so(crawls: Crawls, status):
    with served(FakeHub(fault=lambda _: Said(status, {"error": "Sign\x1b[31m in"}))) as hub:
        said = failed(crawls, hub, f"refuses /api/models: {status} Sign")
    assert "token" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    "body", [b"", b"<html>Not found", b'{"error": 7}', b"\xff" * 9], ids=["", "html", "7", "ff"]
)
def test_what_is_no_hub_at_all_says_so(crawls: Crawls, body):
    with served(FakeHub(fault=lambda _: Said(404, body=body))) as hub:
        failed(crawls, hub, "no list of models: is it a hub")
        # It may be up the next time.
        hub.fault = lambda _: None
        hub.lists["models"] = models(3)
        assert len(crawls(hub.url, **ALONE).ids()) == 3


def leading_to(where: Callable[[Asked], str]) -> Fault:
    """Pages of models whose next one is where somebody says."""

    def fault(asked: Asked) -> Said | None:
        if asked.path != "/api/models":
            return None
        rows = [dict(row, id=f"page{asked.number}/{row['id'][7:]}") for row in models(2)]
        return Said(value=rows, headers={"Link": f'<{where(asked)}>; rel="next"'})

    return fault


@pytest.mark.parametrize(
    ("where", "most"),
    [
        (lambda asked: "/api/models?cursor=1", 3),
        (lambda asked: f"/api/models?cursor={(asked.cursor + 1) % 5}", 8),
        (lambda asked: "", 1),
    ],
    ids=["itself", "a circle", "nowhere"],
)
def test_pages_that_lead_in_circles_are_left(crawls: Crawls, where, most):
    with served(FakeHub(fault=leading_to(where))) as hub:
        failed(crawls, hub, "is one that was read before")
    assert len(hub.asked) <= most


def test_the_same_rows_for_ever_are_left(crawls: Crawls):
    link = lambda asked: {"Link": f'</api/models?cursor={asked.number}>; rel="next"'}  # noqa: E731
    fault = lambda asked: Said(value=models(4), headers=link(asked))  # noqa: E731
    with served(FakeHub(fault=fault)) as hub:
        failed(crawls, hub, "gives the same pages again and again")
    assert len(hub.asked) < 20


def test_empty_pages_may_stand_between_others_and_not_for_ever(crawls: Crawls):
    def fault(asked: Asked) -> Said | None:
        if not 0 < asked.cursor < 900:
            return None
        return Said(
            value=[], headers={"Link": f'</api/models?cursor={asked.cursor + 300}>; rel="next"'}
        )

    with served(FakeHub(models=models(905), page=300, fault=fault)) as hub:
        assert len(crawls(hub.url, **ALONE).ids()) == 305


@pytest.mark.parametrize(
    "where",
    [
        "https://127.0.0.1:{port}/api/models?cursor=1",
        "http://localhost:{port}/api/models?cursor=1",
        "http://127.0.0.1:1/api/models?cursor=1",
        "//evil.example/api/models",
        "http://evil.example/api/models",
        "http://127.0.0.1:{port}@evil.example/api/models",
        "file:///etc/passwd",
        "http://[::1/",
        "/api/models?" + "x" * 20_000,
        "/api/datasets?cursor=1",
        "/login",
    ],
)
def test_a_next_page_elsewhere_is_refused(crawls: Crawls, where):
    with served(FakeHub()) as hub:
        port = hub.url.rpartition(":")[2]
        hub.fault = leading_to(lambda asked: where.replace("{port}", port))
        failed(crawls, hub, "leads on to|is no page of it", token="hf_of_the_tests")
    assert len(hub.asked) == 1


def test_a_redirection_elsewhere_is_refused_and_the_token_stays_here(crawls: Crawls):
    with served(FakeHub(models=models(3))) as other, served(FakeHub()) as hub:
        hub.fault = lambda asked: Said(307, None, {"Location": f"{other.url}{asked.path}"})
        failed(crawls, hub, "leads on to another place", token="hf_of_the_tests")
    assert len(hub.asked) == 1
    assert other.asked == []


def test_a_redirection_at_home_is_followed_and_a_loop_is_not(crawls: Crawls):
    with served(FakeHub(models=models(3))) as hub:
        hub.fault = lambda asked: (
            Said(307, None, {"Location": f"/api/models?moved=1&limit={asked.query['limit'][0]}"})
            if "moved" not in asked.query
            else None
        )
        assert len(crawls(hub.url, **ALONE).ids()) == 3
        hub.asked.clear()
        hub.fault = lambda asked: Said(302, None, {"Location": "/api/models"})
        with pytest.raises(CrawlFailed, match="redirects /api/models again and again"):
            crawls(hub.url, **ALONE)
    assert len(hub.asked) < 10


BOMB = gzip.compress(b"[" + b" " * (40 << 20) + b"]", 9)


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(crawls: Crawls):
    def fault(asked: Asked) -> Said | None:
        if int(asked.query["limit"][0]) <= 10:
            return None
        return Said(body=BOMB, headers={"Content-Encoding": "gzip"})

    with served(FakeHub(models=models(25), page=1000, fault=fault)) as hub:
        assert len(crawls(hub.url, **ALONE).ids()) == 25
    assert hub.cursors() == [0, 0, 0, 10, 20]


def test_a_page_that_is_too_large_however_short_is_refused(crawls: Crawls):
    bomb = Said(body=BOMB, headers={"Content-Encoding": "gzip"})
    with served(FakeHub(fault=lambda _: bomb)) as hub:
        failed(crawls, hub, "answers with more than 33554432 bytes")
    assert len(hub.asked) == 3


def test_a_page_that_is_too_much_work_is_asked_for_in_smaller_ones(crawls: Crawls):
    fault = lambda asked: Said(504, None) if asked.query["limit"][0] == "1000" else None  # noqa: E731
    with served(FakeHub(models=models(25), page=10, fault=fault)) as hub:
        assert len(crawls(hub.url, **ALONE).ids()) == 25
    assert len([one for one in hub.asked if one.query["limit"] == ["1000"]]) == ATTEMPTS


def test_pages_that_shift_give_each_row_once_as_it_was_last(crawls: Crawls):
    rows = models(9)

    def fault(asked: Asked) -> Said | None:
        if asked.cursor == 3:
            # Two models are made while pages are read: all that is left moves on by two.
            again = [dict(row, likes=100, tags=["license:gpl-3.0"]) for row in rows[1:3]]
            new = [dict(row, id=f"new/{n}") for n, row in enumerate(models(2))]
            hub.lists["models"] = [*new, rows[0], *again, *rows[3:]]
        return None

    with served(FakeHub(models=rows, fault=fault)) as hub:
        got = crawls(hub.url, **ALONE)
    assert got.left_out() == {"duplicate": 2}
    assert got.says("Rows of models that came twice: 2. The pages shifted")
    assert len(got.ids()) == 9
    assert got.rows("models", "id", "likes", "license")[3:5] == [
        ("owner1/model-001", 100, "gpl-3.0"),
        ("owner1/model-004", 4, "mit"),
    ]
    assert ("owner1/model-001", "base/b1") not in got.rows("lineage", "child", "parent")
    assert got.manifest.excluded.keys() == {"models"}


def test_a_failure_of_one_list_does_not_wait_for_another(crawls: Crawls):
    both_asked, told_to_wait = threading.Event(), threading.Event()

    def fault(asked: Asked) -> Said | None:
        if asked.path == "/api/spaces":
            both_asked.set()
            told_to_wait.wait(20)
            return Said(403, {"error": "no"})
        # Who is told to wait before Spaces were asked for does not ask for them any more.
        both_asked.wait(20)
        told_to_wait.set()
        return Said(429, None, {"Retry-After": "600"})

    with served(FakeHub(fault=fault)) as hub:
        wanted = Wanted(endpoint=Endpoint.parse(hub.url))
        # Time is real here: it is ten minutes, if nobody is woken.
        with pytest.raises(CrawlFailed, match="refuses /api/spaces"):
            crawl(crawls.store, crawls.data / "crawls", wanted)


class _Silent(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        raise AssertionError("nobody may get this far")

    def log_message(self, *args: object) -> None:
        """Nothing."""


def test_a_certificate_that_nobody_vouches_for_is_refused(crawls: Crawls, tmp_path):
    certificate = self_signed()
    path = tmp_path / "hub.pem"
    path.write_bytes(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with serving(_Silent, context) as server:
        hub = FakeHub()
        hub.url = f"https://127.0.0.1:{server.server_port}"
        said = failed(crawls, hub, "certificate of https://127.0.0.1:.* cannot be trusted")
    assert "SSL_CERT_FILE" in said
    assert crawls.time.waits == []


def self_signed() -> bytes:
    """A key and a certificate of its own making for 127.0.0.1."""
    from ipaddress import IPv4Address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret + made.public_bytes(pem)


def test_overviews_of_accounts_may_be_anything(crawls: Crawls):
    said = {
        "owner0": {"type": "org", "orgType": ["company"], "fullname": {"a": 1}, "numModels": "x"},
        "owner1": {"type": "org", "orgType": "c" * 9_000, "fullname": "\x00", "createdAt": 5},
        "owner2": {"type": "org", "numModels": -1, "numSpaces": True, "createdAt": "yesterday"},
    }
    with served(FakeHub(models=models(9), accounts=said)) as hub:
        got = crawls(hub.url, lists=["models"])
    assert got.rows("accounts", "name", "kind", "org_type", "fullname") == [
        ("owner0", "org", None, None),
        ("owner1", "org", None, None),
        ("owner2", "org", None, None),
    ]


@pytest.mark.parametrize("broken", [Said(500, None), Said(403, None), Said(value=[])], ids=str)
def test_some_accounts_that_cannot_be_told_of_do_not_stop_a_crawl(crawls: Crawls, broken):
    rows = [dict(row, id=f"a{n}/m") for n, row in enumerate(models(120))]
    accounts = {f"a{n}": {"type": "org", "orgType": "company"} for n in range(120)}

    def fault(asked: Asked) -> Said | None:
        return broken if asked.path.split("/")[3:4] in (["a7"], ["a110"]) else None

    with served(FakeHub(page=1000, models=rows, accounts=accounts, fault=fault)) as hub:
        got = crawls(hub.url, lists=["models"])
    assert len(got.rows("accounts", "name")) == 118
    assert got.says("Namespaces that were not found: 2 of 120.")


@pytest.mark.parametrize("status", [403, 500])
def test_a_hub_that_stops_telling_of_accounts_is_asked_another_time(crawls: Crawls, status):
    rows = [dict(row, id=f"a{n}/m") for n, row in enumerate(models(150))]
    accounts = {f"a{n}": {"type": "org", "orgType": "company"} for n in range(150)}
    with served(FakeHub(page=1000, models=rows, accounts=accounts)) as hub:
        hub.fault = lambda asked: Said(status, None) if asked.number > 120 else None
        failed(crawls, hub, "overview", accounts=200)
        hub.fault = lambda _: None
        assert len(crawls(hub.url, lists=["models"], accounts=200).rows("accounts", "name")) == 150
    # The first hundred were kept.
    assert sum(times > 1 for times in Counter(hub.paths("overview")).values()) <= 50


def test_a_hub_that_refuses_all_accounts_tells_nothing_of_them(crawls: Crawls):
    fault = lambda asked: Said(401, None) if "overview" in asked.path else None  # noqa: E731
    with served(FakeHub(models=models(5), fault=fault)) as hub:
        got = crawls(hub.url, lists=["models"])
    assert got.says("The hub tells nothing of accounts.")


def test_json_of_a_list_may_be_pretty(crawls: Crawls):
    fault = lambda asked: Said(body=json.dumps(models(4), indent=2).encode())  # noqa: E731
    with served(FakeHub(fault=fault)) as hub:
        assert len(crawls(hub.url, **ALONE).ids()) == 4
