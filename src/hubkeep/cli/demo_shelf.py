# SPDX-License-Identifier: Apache-2.0
"""What the demonstration's gallery holds: who is there, and which repositories they made when.

Everything is invented. Cards are the Markdown files of the folder `gallery`, named as their
repositories.
"""

from dataclasses import dataclass
from typing import Literal

from hubkeep.identity.actor import OrgType


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation with its members, of whom the first is the administrator."""

    name: str
    fullname: str
    kind: OrgType
    details: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A repository: made how many `days` ago, fetched how often a day, liked by how many people.

    `shape` is what its weights or rows look like: layers and width of a model, or nothing.
    """

    path: str
    kind: Literal["model", "dataset", "space"]
    by: str
    days: int
    downloads: int
    likes: int
    shape: tuple[int, int] = (0, 0)
    form: Literal["safetensors", "gguf", "adapter", "pickle", "rows", "page"] = "safetensors"


PEOPLE = {
    "ida-brandt": ("Ida Brandt", "Ferries, logbooks, and models that fit into a pocket."),
    "tomas-reyes": ("Tomás Reyes", "I join what others took apart."),
    "wen-li": ("Wen Li", "Ink, paper, gradients."),
    "amara-okafor": ("Amara Okafor", "Weather in tables."),
    "lucia-moretti": ("Lucia Moretti", "Small languages."),
    "noor-haddad": ("Noor Haddad", "Fewer bits."),
    "jonas-vik": ("Jonas Vik", "Ice."),
    "hana-sato": ("Hana Sato", "Maps and birds."),
    "mateus-costa": ("Mateus Costa", ""),
    "eve-larkin": ("Eve Larkin", "Field notes, tidied up."),
    "priya-nair": ("Priya Nair", ""),
    "oskar-blom": ("Oskar Blom", ""),
}

ORGANISATIONS = (
    Organisation(
        "harbourlight",
        "Harbour Light Labs",
        "company",
        "Small language models for boats, buoys and harbours. Bergen.",
        ("ida-brandt", "jonas-vik", "noor-haddad"),
    ),
    Organisation(
        "meadow-nlp",
        "Meadow",
        "university",
        "The group for language and land at a small university.",
        ("eve-larkin", "lucia-moretti", "priya-nair"),
    ),
    Organisation(
        "openfield",
        "Open Field",
        "non-profit",
        "Open data and models of what grows, sings and falls from the sky.",
        ("hana-sato", "amara-okafor", "mateus-costa", "oskar-blom"),
    ),
)

EXHIBITS = (
    Exhibit("harbourlight/coastal-logbooks", "dataset", "ida-brandt", 88, 34, 8, form="rows"),
    Exhibit("harbourlight/kittiwake-9m", "model", "jonas-vik", 61, 210, 12, (8, 256)),
    Exhibit("harbourlight/kittiwake-9m-chat", "model", "jonas-vik", 40, 96, 9, (8, 256)),
    Exhibit("ida-brandt/kittiwake-9m-logbook", "model", "ida-brandt", 26, 7, 4, (8, 8), "adapter"),
    Exhibit("noor-haddad/kittiwake-9m-GGUF", "model", "noor-haddad", 24, 58, 7, (8, 256), "gguf"),
    Exhibit("tomas-reyes/kittiwake-fulmar-merge", "model", "tomas-reyes", 11, 5, 3, (8, 256)),
    Exhibit("meadow-nlp/hedgerow-pairs", "dataset", "priya-nair", 75, 12, 4, form="rows"),
    Exhibit("meadow-nlp/hedgerow-embed", "model", "eve-larkin", 53, 131, 10, (6, 192)),
    Exhibit("meadow-nlp/hedgerow-embed-small", "model", "eve-larkin", 19, 44, 5, (3, 64)),
    Exhibit("meadow-nlp/field-mouse-ner", "model", "priya-nair", 33, 23, 5, (6, 192)),
    Exhibit("openfield/dawn-chorus", "dataset", "hana-sato", 70, 9, 6, form="rows"),
    Exhibit("openfield/dawn-chorus-tiny", "model", "hana-sato", 47, 38, 8, (4, 128)),
    Exhibit("openfield/leaf-spot-vit", "model", "mateus-costa", 30, 27, 6, (6, 192)),
    Exhibit("openfield/cloudcover-seg", "model", "oskar-blom", 15, 16, 4, (4, 128)),
    Exhibit("jonas-vik/sea-ice-forecast", "model", "jonas-vik", 9, 3, 3, (4, 96)),
    Exhibit("amara-okafor/rainfall-tables", "model", "amara-okafor", 21, 4, 2, form="pickle"),
    Exhibit("lucia-moretti/lij-parallel", "dataset", "lucia-moretti", 44, 3, 3, form="rows"),
    Exhibit("lucia-moretti/translate-it-lij", "model", "lucia-moretti", 36, 6, 5, (6, 192)),
    Exhibit("wen-li/inkwash-lora", "model", "wen-li", 5, 19, 9, (12, 8), "adapter"),
    Exhibit("harbourlight/tide-clock", "space", "ida-brandt", 17, 0, 6, form="page"),
    Exhibit("meadow-nlp/pair-explorer", "space", "eve-larkin", 8, 0, 3, form="page"),
    Exhibit("openfield/bird-calendar", "space", "hana-sato", 3, 0, 5, form="page"),
)
