# SPDX-License-Identifier: Apache-2.0
"""Forms as the data of a page: what is asked for, what stands in it, what is wrong with it."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import msgspec

from hubkeep.web.repo_head import Link
from hubkeep.web.settings_tabs import TabbedPage

Kind = Literal["text", "email", "password", "number", "lines", "select", "choice", "check", "file"]


class Choice(msgspec.Struct, rename="camel"):
    """One of the values that a field may have."""

    value: str
    name: str
    hint: str = ""


class Field(msgspec.Struct, rename="camel", kw_only=True):
    """A field of a form; `error` says what is wrong with what stands in it."""

    name: str
    label: str
    kind: Kind = "text"
    value: str = ""
    hint: str = ""
    error: str = ""
    placeholder: str = ""
    choices: Sequence[Choice] = ()
    autocomplete: str = "off"
    required: bool = False


class FormPage(TabbedPage, kw_only=True):
    """A page that is one form."""

    template: ClassVar[str] = "form.html"
    action: str
    submit: str
    fields: Sequence[Field]
    hidden: Mapping[str, str] = {}
    intro: str = ""
    links: Sequence[Link] = ()


Faults = Mapping[str, str]
"""What is wrong with a form, by the name of the field; under "" what is wrong with all of it."""

NONE: Faults = {}


def only_faults(**found: str) -> dict[str, str]:
    """Return the faults that there are."""
    return {name: text for name, text in found.items() if text}


def password(name: str, label: str, autocomplete: str, *, hint: str = "", error: str = "") -> Field:
    """Return a field for a password, which no page ever has a value for."""
    return Field(
        name=name,
        label=label,
        kind="password",
        hint=hint,
        error=error,
        autocomplete=autocomplete,
        required=True,
    )
