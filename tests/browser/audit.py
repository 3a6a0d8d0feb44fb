# SPDX-License-Identifier: Apache-2.0
"""What every page has to be for those who use it: looked at by axe-core and by rules of our own."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

_LOOK = """
async (tags) => {
  const found = await axe.run({ runOnly: tags, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`));
}
"""
# What is wider than the window: the page as a whole, and what makes it so.
_WIDTH = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.body.querySelectorAll("*")].filter(
    (one) => one.getBoundingClientRect().right > width + 1 && !one.closest("[hidden]"));
  return wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 160));
}
"""
_OUTLINE = """
() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((one) => one.checkVisibility() && !one.closest(".prose"))
  .map((one) => [Number(one.localName[1]), one.textContent.trim()])
"""
_MOVING = """
() => {
  const moving = document.getAnimations().map((one) => `an animation of ${one.effect.target}`);
  for (const one of document.querySelectorAll("*")) {
    const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(one);
    if (/[1-9]/.test(transitionDuration) || animationName !== "none" || scrollBehavior === "smooth")
      moving.push(one.outerHTML.slice(0, 120));
  }
  return moving;
}
"""
# After a press of the tabulator key: where the focus is, what is wrong about how it shows, and
# whether it went to the next element in the page's order. That is worked out after each press,
# since scripts that come late let fields be and not be.
_STEP = """
() => {
  const wanted = "a[href], button, input, select, textarea, summary, audio[controls], "
    + "video[controls], [tabindex='0']";
  const stops = [...document.querySelectorAll(wanted)].filter((one) =>
    one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0
    && !(one.type === "radio" && !one.checked
         && document.querySelector(`input[name="${CSS.escape(one.name)}"]:checked`)));
  const next = stops[window.before ? stops.indexOf(window.before) + 1 : 0];
  const one = document.activeElement;
  if (!next) return null;
  window.before = one;
  const style = getComputedStyle(one);
  const { width, height, top, bottom } = one.getBoundingClientRect();
  const wrong = [];
  if (one !== next) wrong.push(`left out ${next.outerHTML.slice(0, 120)}`);
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) wrong.push("no outline");
  if (!width || !height) wrong.push("no size");
  if (bottom <= 0 || top >= innerHeight) wrong.push("out of view");
  return wrong.map((what) => `${what}, at ${one.outerHTML.slice(0, 120)}`);
}
"""


@cache
def axe_source() -> str:
    """The script of axe-core."""
    script = files("axe_playwright_python").joinpath("axe.min.js")
    return script.read_text(encoding="utf-8")


def violations(page: "Page") -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA on the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"() => {{ {axe_source()} }}")
    return page.evaluate(_LOOK, list(WCAG))


def overflow(page: "Page") -> list[str]:
    """What makes the page wider than its window."""
    return page.evaluate(_WIDTH)


def outline_faults(page: "Page") -> list[str]:
    """What is wrong with the headings: one of the first level, and no level left out. Those of a
    text that somebody wrote are its own.
    """
    headings: list[tuple[int, str]] = page.evaluate(_OUTLINE)
    faults = []
    first = [text for level, text in headings if level == 1]
    if len(first) != 1:
        faults.append(f"{len(first)} headings of the first level: {first}")
    before = 0
    for level, text in headings:
        if level > before + 1:
            faults.append(f"h{level} after h{before}: {text}")
        before = level
    return faults


def moving(page: "Page") -> list[str]:
    """What moves although the reader asked for rest."""
    return page.evaluate(_MOVING)


def keyboard_faults(page: "Page", steps: int) -> list[str]:
    """Walk with the tabulator key: in the page's order, past nothing, and always to be seen."""
    for _ in range(steps):
        page.keyboard.press("Tab")
        faults: list[str] | None = page.evaluate(_STEP)
        if faults is None:
            return []
        if faults:
            return faults
    return []
