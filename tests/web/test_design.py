# SPDX-License-Identifier: Apache-2.0
"""The page of the design system: what it says is so, and what it asks for holds."""

import re

from hubkeep.web.design import colours, contrast, contrasts, sheet, text_sizes
from tests.harness.hub import TestHub, on_sqlite


@on_sqlite
def test_every_colour_of_the_sheet_is_on_the_page(hub: TestHub):
    page = hub.get("/design?format=json").json()
    meant = re.findall(r"--([a-z-]+): light-dark\(", sheet())
    assert [each["name"] for each in page["colours"]] == meant
    html = hub.get("/design", headers={"Accept": "text/html"}).text
    assert all(each.light in html and each.dark in html for each in colours())


def test_colours_can_be_told_apart_from_what_they_stand_on():
    weak = [each for each in contrasts() if min(each.light, each.dark) < each.needed]
    assert weak == []


def test_contrast_is_as_defined():
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#ffffff") == 4.47
    assert contrast("#ffffff", "#777777") == 4.47
    assert contrast("#123456", "#123456") == 1


def test_sizes_of_text_rise():
    sizes = [each.pixels for each in text_sizes()]
    assert sizes == sorted(sizes)
    assert sizes[0] >= 13


def test_what_the_sheet_uses_is_what_it_has():
    used = set(re.findall(r"var\(--([a-z-]+)\)", sheet()))
    assert used <= set(re.findall(r"^\s*--([a-z-]+):", sheet(), re.MULTILINE))
