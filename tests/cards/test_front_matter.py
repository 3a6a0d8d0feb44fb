# SPDX-License-Identifier: Apache-2.0
import itertools
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubkeep.cards.front_matter import MAX_BLOCK_CHARS, split_front_matter


def read(block: str) -> object:
    matter = split_front_matter(f"---\n{block}\n---\n")
    assert matter.error is None, matter.error
    return matter.data


def error(block: str) -> str:
    matter = split_front_matter(f"---\n{block}\n---\nbody")
    assert matter.data is None
    assert matter.body == "body"
    assert matter.error is not None
    return matter.error


@pytest.mark.parametrize(
    "readme",
    [
        "---\na: b\n---\ntext",
        "---\r\na: b\r\n---\r\ntext",
        "---\ra: b\r---\rtext",
        "\ufeff---\na: b\n---\ntext",
        "--- \t\na: b\n--- \ntext",
        "\n\n---\na: b\n---\ntext",
        b"\xef\xbb\xbf---\na: b\n---\ntext",
    ],
)
def test_a_block_is_found_as_the_client_finds_it(readme):
    matter = split_front_matter(readme)
    assert (matter.data, matter.body, matter.error) == ({"a": "b"}, "text", None)


@pytest.mark.parametrize("readme", ["", "# title", "text\n---\na: b\n---\n", "---\na: b\n", "---"])
def test_without_a_block_all_is_body(readme):
    matter = split_front_matter(readme)
    assert (matter.data, matter.body, matter.error) == (None, readme, None)


@pytest.mark.parametrize("readme", ["---\n---\nx", "---\n\n---\nx", "---\n# comment\n---\nx"])
def test_an_empty_block_is_an_empty_mapping(readme):
    matter = split_front_matter(readme)
    assert (matter.data, matter.body) == ({}, "x")


def test_the_body_keeps_later_rules():
    assert split_front_matter("---\na: b\n---\none\n---\ntwo").body == "one\n---\ntwo"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("y", "y"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        (".nan", None),
        ("-.inf", None),
        ("1e999", None),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", "9223372036854775808"),
        ("9" * 5000, "9" * 5000),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!float 3", 3.0),
        ("!!timestamp 2024-01-31", "2024-01-31"),
        ('"a\\0b"', "a\ufffdb"),
        ("[1, [2]]", [1, [2]]),
        ("{b: c}", {"b": "c"}),
    ],
)
def test_values_are_those_of_yaml_1_2_and_fit_json(written, value):
    assert read(f"a: {written}") == {"a": value}


def test_norwegian_is_a_language():
    assert read("language: [no, en]\nlicense: no") == {"language": ["no", "en"], "license": "no"}


def test_keys_are_strings_as_written():
    assert read("1: a\nyes: b\n~: c\n2024-01-31: d") == {
        "1": "a",
        "yes": "b",
        "~": "c",
        "2024-01-31": "d",
    }


def test_aliases_and_merges_are_expanded():
    block = "x: &x {k: 1, l: 2}\ny:\n  <<: *x\n  l: 3\nz: [*x]"
    x = {"k": 1, "l": 2}
    assert read(block) == {"x": x, "y": {"k": 1, "l": 3}, "z": [x]}


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("- a", "should be a mapping"),
        ("just text", "should be a mapping"),
        ("a: 1\na: 2", "duplicated mapping key 'a'"),
        ("a: [", "line "),
        ("a: b: c", "mapping values are not allowed in this context at line 2, column 5"),
        ("a: &a [*a]", "undefined alias"),
        ("a: *b", "undefined alias"),
        ("[x]: b", "key must be a string"),
        ("a: !!python/object/apply:os.system [id]", "unknown tag"),
        ("a: !custom x", "cannot read"),
        ("a: !!binary aGk=", "cannot read"),
        ("a: !!int x", "cannot read"),
        ("a: !!set {x}", "unknown tag"),
        ("<<: 1", "needs a mapping"),
        ("a: b\n...\nc: d", "line "),
        ("a: '\x01'", "control characters"),
        ("a: " + "[" * 100 + "]" * 100, "nested deeper"),
        ("a: x" + "x" * MAX_BLOCK_CHARS, "larger than"),
    ],
)
def test_what_is_no_card_is_said(block, message):
    assert message in error(block)


def test_billion_laughs_are_refused_before_they_are_many():
    names = "abcdefghi"
    lines = [f"{names[0]}: &{names[0]} [{', '.join('x' * 9)}]"]
    lines += [
        f"{this}: &{this} [{', '.join(['*' + last] * 9)}]"
        for last, this in itertools.pairwise(names)
    ]
    assert "aliases are expanded" in error("\n".join(lines))


def test_one_long_string_cannot_be_multiplied():
    assert "characters once" in error(f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 100)}]")


def test_aliases_do_not_hide_depth():
    deep = "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40
    assert "nested deeper" in error(deep)


ODD_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
YAMLISH = st.lists(
    st.sampled_from(
        [
            *("a: ", "b: ", "- ", "  ", "\n", "[", "]", "{", "}", "&x ", "*x", "<<: ", "!!str "),
            *("? ", ".nan", "1e999", "no", "'", '"', "|\n", "#", "---\n", "%", "\t", "9" * 30),
        ]
    ),
    max_size=40,
).map("".join)


@given(st.one_of(ODD_TEXT, YAMLISH, ODD_TEXT.map(lambda text: f"a: {text}")))
@example("a: \ud800")
@example('a: "\\ud800"')
def test_any_block_gives_json_or_an_error(block):
    matter = split_front_matter(f"---\n{block}\n---\n")
    text = json.dumps(matter.data, allow_nan=False)
    assert json.loads(text) == matter.data
    assert "\0" not in matter.body
    (matter.body + text + (matter.error or "")).encode()


@given(st.binary(max_size=300))
def test_any_bytes_are_taken(readme):
    split_front_matter(readme)
    split_front_matter(b"---\n" + readme + b"\n---\n")
