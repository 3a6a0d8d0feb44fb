# SPDX-License-Identifier: Apache-2.0
"""Mathematics: TeX to MathML, of which no more gets out than a list allows."""

import re
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml.commands import MATRICES
from latex2mathml.converter import Converter

from hubkeep.web.markdown.characters import cleaned, unmarked
from hubkeep.web.markdown.tags import names

# Of one formula, and of all in one text: the converter takes some 5 microseconds a character.
MAX_FORMULA = 4_000
MAX_FORMULAS = 64_000
_MAX_DEPTH = 120

# Commands that define commands: a few lines of them make an output of any size.
_DEFINES = re.compile(
    r"\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecommand|newenvironment|"
    r"DeclareMathOperator|loop|csname|input|include|catcode)(?![a-zA-Z])"
)

# Environments that the converter knows under another name, or that a formula is without.
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([a-zA-Z]+\*?)\}")
_ALIASES = {
    "align": "align*",
    "aligned": "split",
    "dcases": "cases",
    "eqnarray": "matrix",
    "eqnarray*": "matrix",
    "gather": "matrix",
    "gather*": "matrix",
    "gathered": "matrix",
    "multline": "matrix",
    "multline*": "matrix",
}
_WITHOUT = {"displaymath", "equation", "equation*", "math"}
_KNOWN = {name.removeprefix("\\") for name in MATRICES}
_ROW = "\\\\"
_SPACE_AFTER_ROW = re.compile(r"(\\\\)\s*+\[[-\w. ]{0,20}\]")
_LABEL = re.compile(r"\\label\s*+\{[^{}]{0,200}\}")
_OPERATOR = re.compile(r"(\\operatorname\*?)\s*+\{([^{}]{0,200})\}")
_SPACES = re.compile(r"\\[,:;! ]|~")
_THIN_SPACE = "\u2009"
# What stands below these in a formula on lines of its own, and beside them in a line of text.
_LIMITS = names("det gcd inf lim max min sup Pr argmax argmin liminf limsup")
_PAIRS = ("mfrac", "mroot", "msub", "msup", "munder", "mover")
_CHILDREN = {**dict.fromkeys(_PAIRS, 2), "msubsup": 3, "munderover": 3}
_BRACE = re.compile(r"\\.|([{}])", re.DOTALL)
_UNDER = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}

_ELEMENTS = names(
    """
    math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow
    ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none
    """
)
# Names of lengths, which browsers no longer know.
_LENGTHS = {
    "negativethinmathspace": "-0.167em",
    "negativemediummathspace": "-0.222em",
    "negativethickmathspace": "-0.278em",
    "thinmathspace": "0.167em",
    "thickmathspace": "0.278em",
}
# The alignment of columns is not in MathML Core: a style sheet can read it.
_ATTRIBUTES = {
    "accent": re.compile("true|false"),
    "columnalign": re.compile(r"(?:left|center|right| ){1,200}"),
    "columnlines": re.compile(r"(?:none|solid|dashed| ){1,200}"),
    "columnspacing": re.compile(r"[\d.em ]{1,200}"),
    "depth": re.compile(r"[-+]?[\d.]{1,8}(?:em|ex|px|pt)?"),
    "display": re.compile("block|inline"),
    "displaystyle": re.compile("true|false"),
    "fence": re.compile("true|false"),
    "form": re.compile("prefix|infix|postfix"),
    "height": re.compile(r"[-+]?[\d.]{1,8}(?:em|ex|px|pt)?"),
    "largeop": re.compile("true|false"),
    "linethickness": re.compile(r"[\d.]{1,8}(?:em|ex|px|pt)?"),
    "lspace": re.compile(r"[-+]?[\d.]{1,8}(?:em|ex|px|pt)?"),
    "mathvariant": re.compile(r"[a-z-]{1,30}"),
    "maxsize": re.compile(r"[\d.]{1,8}em"),
    "minsize": re.compile(r"[\d.]{1,8}em"),
    "movablelimits": re.compile("true|false"),
    "notation": re.compile(r"[a-z ]{1,60}"),
    "rowlines": re.compile(r"(?:none|solid|dashed| ){1,200}"),
    "rspace": re.compile(r"[-+]?[\d.]{1,8}(?:em|ex|px|pt)?"),
    "scriptlevel": re.compile(r"[-+]?\d"),
    "separator": re.compile("true|false"),
    "stretchy": re.compile("true|false"),
    "symmetric": re.compile("true|false"),
    "voffset": re.compile(r"[-+]?[\d.]{1,8}(?:em|ex|px|pt)?"),
    "width": re.compile(r"[-+]?[\d.]{1,8}(?:em|ex|px|pt)?"),
}


def mathml(tex: str, *, display: bool) -> str | None:
    """The formula as MathML; None for what is no TeX that we know, or too much of it.

    The result holds elements and attributes of MathML Core's harmless part alone, and the
    formula's text escaped. It never raises.
    """
    tex = unmarked(cleaned(tex))
    if len(tex) > MAX_FORMULA or _DEFINES.search(tex):
        return None
    converter = Converter(display="block" if display else "inline")
    try:
        root = converter.convert_to_element(_known(tex, display=display))
        return _written(root, display=display)
    except Exception:  # noqa: BLE001 (its parser fails in any way on broken TeX: the source is shown)
        return None


def _known(tex: str, *, display: bool) -> str:
    """TeX in the environments that the converter knows; raises ValueError for another."""

    def known(match: re.Match[str]) -> str:
        name = _ALIASES.get(match[2], match[2])
        if name in _WITHOUT:
            return ""
        if name not in _KNOWN:
            raise ValueError(name)
        return f"\\{match[1]}{{{name}}}"

    braces = [brace[1] for brace in _BRACE.finditer(tex) if brace[1]]
    if braces.count("{") != braces.count("}"):
        raise ValueError(tex)
    tex = _ENVIRONMENT.sub(known, _LABEL.sub("", _SPACE_AFTER_ROW.sub(r"\1", tex)))
    tex = _OPERATOR.sub(lambda m: f"{m[1]}{{{_SPACES.sub(_THIN_SPACE, m[2])}}}", tex)
    if display and _ROW in tex and "\\begin" not in tex:
        return f"\\begin{{split}}{tex}\\end{{split}}"
    return tex


def _written(element: Element, *, display: bool, depth: int = 0) -> str:
    tag = _UNDER[element.tag] if display and _has_limits(element) else element.tag
    if (
        tag not in _ELEMENTS
        or depth > _MAX_DEPTH
        or len(element) != _CHILDREN.get(tag, len(element))
    ):
        raise ValueError(tag)
    inside = "".join([_written(child, display=display, depth=depth + 1) for child in element])
    return f"<{tag}{_pairs(element.attrib)}>{escape(_text(element))}{inside}</{tag}>"


def _pairs(attributes: dict[str, str]) -> str:
    out = ""
    for name, given in attributes.items():
        value = _LENGTHS.get(given, given)
        if name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value):
            out += f' {name}="{escape(value)}"'
    return out


def _has_limits(element: Element) -> bool:
    if element.tag not in _UNDER or element[0].tag != "mo":
        return False
    return "".join(_text(element[0]).split()) in _LIMITS


def _text(element: Element) -> str:
    """Its text, in which the converter writes references to characters: "&#x2211;"."""
    text = element.text or ""
    return unmarked(cleaned(unescape(text))) if "&" in text else text
