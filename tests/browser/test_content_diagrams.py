# SPDX-License-Identifier: Apache-2.0
"""Mermaid in a browser: diagrams are pictures, and hostile ones are no more than that."""

from typing import TYPE_CHECKING

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLOW = """flowchart LR
  accTitle: How a model is made
  data[Data] --> enough{Enough?}
  enough -->|yes| train[Train]
  enough -->|no| collect[Collect more]
"""
SEQUENCE = "sequenceDiagram\n  Alice->>Bob: Hello\n  Bob-->>Alice: Hi\n"
BROKEN = "flowchart LR\n  a --> --> b\n"
HOSTILE = (
    """flowchart LR
  a["<img src=x onerror=alert(1)>"] --> b["<script>alert(1)</script>"]
  click a "javascript:alert(1)"
  click b call alert(1)
""",
    """%%{init: {"securityLevel": "loose", "htmlLabels": true,
  "fontFamily": "</style><script>alert(1)",
  "themeCSS": "* { background: url(http://elsewhere.localhost/leak) }"}}%%
flowchart LR
  a --> b
""",
    """flowchart LR
  a@{ img: "http://elsewhere.localhost/leak", label: "x" }
  a --> b["`![x](http://elsewhere.localhost/leak)`"]
""",
    """classDiagram
  class A
  link A "javascript:alert(1)"
  callback A "alert"
""",
    """sequenceDiagram
  participant A
  link A: x @ javascript:alert(1)
  A->>A: <svg onload=alert(1)>
""",
)


def fenced(*texts: str) -> str:
    return "\n\n".join(f"```mermaid\n{text}```" for text in texts)


def show(site: Site, page: "Page", name: str, *texts: str) -> None:
    """Open the card of a new model that has these diagrams."""
    repo = site.create(name)
    site.commit(repo, {"README.md": fenced(*texts)})
    page.goto(f"/{repo}")


def test_diagrams_become_pictures_with_their_source_below(site: Site, page: "Page"):
    show(site, page, "diagrams", FLOW, SEQUENCE)
    pictures = page.locator(".diagram img")
    pictures.nth(1).wait_for()
    assert page.get_by_role("img", name="How a model is made").is_visible()
    for at in range(2):
        box = pictures.nth(at).bounding_box()
        assert box is not None
        assert box["width"] > 200
        assert box["height"] > 60
        assert pictures.nth(at).evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert page.locator("iframe").count() == 0
    source = page.locator(".mermaid-source pre").first
    assert source.is_hidden()
    page.get_by_text("Source", exact=True).first.click()
    assert "accTitle: How a model is made" in source.inner_text()


def test_diagrams_follow_light_and_dark(site: Site, open_page: OpenPage):
    page = open_page(theme="dark")
    show(site, page, "diagrams-dark", SEQUENCE)
    picture = page.locator(".diagram img")
    picture.wait_for()
    dark = picture.get_attribute("src")
    page.get_by_role("button", name="Light", exact=True).click()
    page.wait_for_function(
        "dark => { const now = document.querySelector('.diagram img');"
        " return now !== null && now.src !== dark }",
        arg=dark,
    )
    assert page.locator(".diagram img").count() == 1


def test_a_diagram_with_a_mistake_says_where_and_stays_as_it_is(site: Site, page: "Page"):
    show(site, page, "diagrams-broken", BROKEN, SEQUENCE)
    page.locator(".diagram img").wait_for()
    first = page.locator(".mermaid-source").first
    assert "Parse error on line 2" in first.locator("figcaption").inner_text()
    assert first.locator("pre").is_visible()


def test_hostile_diagrams_do_nothing(site: Site, page: "Page", watch: Watch):
    # Mermaid puts what it is given into its page to measure it: the page's policy stops the rest.
    watch.expect(
        "Executing inline event handler violates",
        "Loading the image 'http://elsewhere.localhost/leak' violates",
        "no answer: GET http://elsewhere.localhost/leak csp$",
    )
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    show(site, page, "diagrams-hostile", *HOSTILE, SEQUENCE)
    page.locator(".mermaid-source").last.locator(".diagram img").wait_for()
    assert page.locator(".mermaid-source").count() == len(HOSTILE) + 1
    assert page.locator(".mermaid-source:not(:has(img, figcaption))").count() == 0
    assert dialogs == []
    assert page.locator(".prose script, .prose svg, .prose a[href^='javascript']").count() == 0


def test_a_diagram_that_takes_too_long_is_given_up(site: Site, page: "Page"):
    page.route(
        "**/draw.js",
        # One that hangs as soon as it is asked for the first diagram, and not for others.
        lambda route: route.fulfill(
            content_type="text/javascript",
            headers={"Access-Control-Allow-Origin": "*"},
            body="""
              addEventListener("message", ({ data, origin }) => {
                while (data.id === 0);
                const svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>";
                parent.postMessage({ id: data.id, svg, width: 9, height: 9 }, origin);
              });
              parent.postMessage({ isReady: true }, "*");
            """,
        ),
    )
    show(site, page, "diagrams-slow", FLOW, SEQUENCE)
    second = page.locator(".mermaid-source").nth(1)
    second.locator("img").wait_for()
    first = page.locator(".mermaid-source").first
    assert "takes too long" in first.inner_text()
    assert first.locator("pre").is_visible()


def test_without_the_other_origin_the_source_stays(site: Site, page: "Page", watch: Watch):
    watch.expect("content.localhost.*ERR_FAILED")
    page.route("http://content.localhost:*/**", lambda route: route.abort())
    page.clock.install()
    show(site, page, "diagrams-offline", FLOW)
    page.locator("iframe").wait_for(state="attached")
    page.clock.fast_forward("00:30")
    page.get_by_text("Diagrams cannot be drawn now").wait_for()
    assert page.locator(".mermaid-source pre").is_visible()


def test_without_scripts_the_source_stays(site: Site, open_page: OpenPage):
    page = open_page(java_script_enabled=False)
    show(site, page, "diagrams-plain", FLOW)
    assert page.locator(".mermaid-source pre").is_visible()


def test_a_page_without_diagrams_loads_nothing_for_them(site: Site, page: "Page"):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    repo = site.create("diagrams-none")
    site.commit(repo, {"README.md": "# No diagram\n\n```mermaid-like\nx\n```\n"})
    page.goto(f"/{repo}", wait_until="networkidle")
    assert not any("diagrams" in address.partition(repo)[0] for address in asked[1:])


def test_messages_of_others_are_not_pictures(site: Site, page: "Page"):
    forged = "{ id: 0, isReady: true, svg: '<svg/>', width: 5, height: 5 }"
    page.add_init_script(f"if (self === top) setInterval(() => postMessage({forged}, '*'), 5)")
    show(site, page, "diagrams-forged", SEQUENCE)
    picture = page.locator(".diagram img")
    picture.wait_for()
    assert picture.evaluate("image => image.width") > 100
