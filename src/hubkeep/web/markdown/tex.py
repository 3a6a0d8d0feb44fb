# SPDX-License-Identifier: Apache-2.0
"""Mathematics: TeX to MathML, of which no more gets out than a list allows."""

import re
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import Converter

from hubkeep.web.markdown.characters import cleaned, unmarked

# Of one formula, and of all in one text: the converter takes some 5 microseconds a character.
MAX_FORMULA = 4_000
MAX_FORMULAS = 64_000
_MAX_DEPTH = 120

# Commands that define commands: a few lines of them make an output of any size.
_DEFINES = re.compile(
    r"\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecommand|newenvironment|"
    r"DeclareMathOperator|loop|csname|input|include|catcode)(?![a-zA-Z])"
)

_ELEMENTS = frozenset(
    """
    math merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms
    mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none
    """.split()
)
# `mathvariant` and the alignment of columns are gone from MathML Core: browsers differ there.
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
    if len(tex) > MAX_FORMULA or _DEFINES.search(tex):
        return None
    converter = Converter(display="block" if display else "inline")
    try:
        root = converter.convert_to_element(tex)
        return _written(root)
    except Exception:  # noqa: BLE001 (its parser fails in any way on broken TeX: the source is shown)
        return None


def _written(element: Element, depth: int = 0) -> str:
    if element.tag not in _ELEMENTS or depth > _MAX_DEPTH:
        raise ValueError(element.tag)
    pairs = "".join(
        f' {name}="{escape(value)}"'
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value)
    )
    # Its texts hold references to characters, "&#x2211;", for an output that is never escaped.
    text = escape(unmarked(cleaned(unescape(element.text or ""))))
    inside = "".join(_written(child, depth + 1) for child in element)
    return f"<{element.tag}{pairs}>{text}{inside}</{element.tag}>"
