# SPDX-License-Identifier: Apache-2.0
"""Mathematics in a text: what is a formula, and what becomes of it."""

import pytest

from tests.web.markdown.inert import html_of, seen


def formulas(text: str) -> list[str]:
    """How each formula of a text is displayed."""
    return [math["display"] for math in seen(html_of(text)).find("math")]


@pytest.mark.parametrize(
    "text",
    [
        "so $x_1$ is",
        "($x$)",
        "$x$, $y$. $z$!",
        "$x$",
        "**$x$**",
        "$a_1$ and $b_2$",
        "$`a*b*c`$",
        r"\(x\)",
        r"\\(x\\)",
        r"\\( \mathrm{CER} \\)",
        "| $x$ |\n|---|\n",
        "$50\\%$ of it",
        "是$x$的",
    ],
)
def test_formulas_in_a_line(text: str) -> None:
    found = formulas(text)
    assert found
    assert set(found) == {"inline"} or "是" in text


@pytest.mark.parametrize(
    "text",
    [
        "$$x$$",
        "$$\nx\n$$",
        "$$x\n= y$$",
        "$$\n- a\n= b\n+ c\n# d\n$$",
        "words $$x$$ words",
        "words\n$$\nx\n$$\nwords",
        "\\[x\\]",
        "\\[\nx\n\\]",
        "\\\\[ x \\\\]",
        "```math\nx\n```",
        "- item\n  $$\n  x\n  $$\n",
        "> $$\n> x\n> $$\n",
    ],
)
def test_formulas_on_lines_of_their_own(text: str) -> None:
    assert formulas(text) == ["block"]


@pytest.mark.parametrize(
    "text",
    [
        "from $5 and $10",
        "$5-$10, $5/$10, US$5 and A$6",
        "at $0.15 in and $0.60 out",
        "$HOME/.cache and $PATH",
        "$HOME:$PATH",
        "a $ b $ c",
        r"\$x\$",
        r"costs \$5 to \$6",
        "`$x$` and\n\n    $y$\n",
        "```\n$x$\n```",
        "$$ $$",
        "$$\n\nx\n\n$$",
        "$x",
        "$$x",
        r"\(x",
        r"\[x",
    ],
)
def test_what_is_no_formula(text: str) -> None:
    assert formulas(text) == []


def test_the_source_is_shown_where_it_is_no_tex() -> None:
    html = html_of("a $\\frac{1$ b\n\n$$\n\\left( <b>x\n$$\n")
    assert '<code class="tex">$\\frac{1$</code>' in html
    assert '<code class="tex">\\left( &lt;b&gt;x</code>' in html
    assert formulas("$\\frac{1$") == []


@pytest.mark.parametrize(
    ("tex", "inside"),
    [
        (r"\frac{a}{b}", "<mfrac>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "<mtable"),
        (r"\begin{align} a &= b \\[2pt] c &= d \end{align}", "<mtable"),
        (r"\begin{equation} a \label{eq:a} \end{equation}", "<mi>a</mi>"),
        (r"a \\ b", "<mtr>"),
        (r"\operatorname*{arg\,max}_\theta x", "<munder>"),
        (r"\lim_{x \to 0} f(x)", "<munder>"),
        (r"\mathbb{R}^{d \times k}", "\u211d"),
        (r"\text{if } x", "<mtext>if\xa0</mtext>"),
        (r"a < b", "<mo>&lt;</mo>"),
    ],
)
def test_tex_becomes_mathml(tex: str, inside: str) -> None:
    assert inside in html_of(f"$$\n{tex}\n$$")


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{&lt;img src=x onerror=alert(1)&gt;}",
        r"\unicode{x3c}img src=x onerror=alert(1)\unicode{x3e}",
        r"\href{javascript:alert(1)}{x}",
        r"\class{notice}{x} \style{color:red}{x}",
        r"\color{red\" onclick=alert(1)}{x}",
        r"\textcolor{url(javascript:alert(1))}{x}",
        r"\mathchoice{a}{b}{c}{<script>alert(1)</script>}",
        r"</math><script>alert(1)</script>",
        r"\hspace{1em onload=alert(1)} x",
        r"\rule{1em}{\" onload=alert(1)}",
        r"\verb|<img src=x onerror=alert(1)>|",
        r"\begin{array}{l\" onload=alert(1)} a \end{array}",
        "\\text{\u202e\x07}",
    ],
)
def test_tex_brings_no_html_in(tex: str) -> None:
    html = html_of(f"$${tex}$$\n\n$`{tex}`$\n\n$$\n{tex}\n$$\n")
    found = seen(html)
    assert found.find("script") == found.find("img") == found.find("a") == []


@pytest.mark.parametrize(
    "tex",
    [
        r"\def\a{\a\a}\a",
        r"\newcommand{\b}{\b\b}\b",
        r"\let\a\b",
        "x" * 5_000,
        "{" * 1_500 + "}" * 1_500,
        r"\sqrt{" * 300 + "}" * 300,
        r"\unknown{environment} \begin{tikzpicture} \draw \end{tikzpicture}",
    ],
)
def test_tex_that_would_be_too_much_is_shown_as_it_is(tex: str) -> None:
    assert formulas(f"$$\n{tex}\n$$") == []


def test_all_formulas_together_have_a_bound() -> None:
    html = html_of("$x_1^2 + y$\n\n" * 8_000)
    assert 1_000 < html.count("<math") < 7_500
    assert '<code class="tex">$x_1^2 + y$</code>' in html
