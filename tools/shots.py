# SPDX-License-Identifier: Apache-2.0
"""The pictures of the pages: which page of the demonstration's hub, and what is said of it."""

from dataclasses import dataclass

from hubkeep.observatory.figures import all_figures

MODEL = "harbourlight/kittiwake-9m"
ROWS = "datasets/harbourlight/coastal-logbooks"
FIGURES = {name: f"{name}: {known.figure.title}" for name, known in all_figures().items()}


@dataclass(frozen=True)
class Shot:
    """One page: `name` is that of its pictures; `is_mine` where one is signed in."""

    name: str
    path: str
    says: str
    is_mine: bool = False
    status: int = 200
    looks: tuple[str, ...] = ("light", "dark", "phone")


SHOTS = (
    Shot("home", "/", "What is new, trending and used"),
    Shot("models", "/models?pipeline_tag=text-generation", "A search with facets"),
    Shot("people", "/users", "People and organisations"),
    Shot("organisation", "/harbourlight", "An organisation"),
    Shot("model", f"/{MODEL}", "A model: its card and its facts"),
    Shot("derivatives", f"/{MODEL}/derivatives", "What was made from a model"),
    Shot("dataset", f"/{ROWS}", "A dataset"),
    Shot("space", "/spaces/harbourlight/tide-clock", "A static Space"),
    Shot("files", f"/{MODEL}/tree/main", "Files with the commits that changed them last", True),
    Shot("code", f"/{MODEL}/blob/main/train.py", "Code"),
    Shot("blame", f"/{MODEL}/blame/main/README.md", "Who wrote which line"),
    Shot("tensors", f"/{MODEL}/blob/main/model.safetensors", "Tensors of a file of weights"),
    Shot("rows", f"/{ROWS}/blob/main/data/test-00000-of-00001.parquet", "Rows of a Parquet file"),
    Shot("commits", f"/{MODEL}/commits/main", "History"),
    Shot("compare", f"/{MODEL}/compare/v1.0...main", "What changed between two revisions"),
    Shot("refs", f"/{MODEL}/refs", "Branches and tags", True),
    Shot("edit", f"/{MODEL}/edit/main/README.md", "A file in the editor", True),
    Shot("upload", f"/{MODEL}/upload/main", "Uploading", True),
    Shot("settings", f"/{MODEL}/settings", "Settings of a repository", True),
    Shot("new", "/new", "A new repository", True),
    Shot("tokens", "/settings/tokens", "Access tokens", True),
    Shot("members", "/organizations/harbourlight/settings", "Members and roles", True),
    Shot("admin", "/admin/repositories", "Administration", True),
    Shot("jobs", "/admin/jobs", "Background jobs", True),
    Shot("login", "/login", "Signing in"),
    Shot("lost", "/harbourlight/no-such-model", "Nothing is here", status=404),
    Shot("insights", "/insights", "The observatory: a snapshot at a glance"),
    Shot("insights-movers", "/insights/movers?days=30", "What moved"),
    Shot("insights-history", "/insights/models/harbourlight/model-055", "A model over time"),
    Shot("insights-console", "/insights/console", "SQL over a snapshot", True),
    *(
        Shot(f"insights-{name.lower()}", f"/insights/{name.lower()}", says, looks=("light",))
        for name, says in FIGURES.items()
    ),
    Shot("design", "/design", "The design system"),
)
