# SPDX-License-Identifier: Apache-2.0
"""Lines that use a repository, ready to be copied: for its library, for the command line, for git.

They point at this hub by its address, as its clients do.
"""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from hubkeep.cards.facts import Facts
from hubkeep.repos.types import Repo, RepoType

Language = Literal["python", "bash"]


@dataclass(frozen=True, slots=True)
class Snippet:
    """What it is for, the language it is in, and its text."""

    name: str
    language: Language
    text: str


def snippets(repo: Repo, facts: Facts | None, base: str, file: str | None) -> Sequence[Snippet]:
    """Return what helps with a repository, the likeliest first; `file` is one of its files."""
    found = _of_libraries(repo, facts, base)
    kind = repo.type
    option = "" if kind is RepoType.MODEL else f" --repo-type {kind.value}"
    found.append(
        Snippet("hf", "bash", f"export HF_ENDPOINT={base}\nhf download {repo.path}{option}")
    )
    found.append(Snippet("git", "bash", f"git clone {base}/{repo.web_path}"))
    found.append(Snippet("curl", "bash", _curl(repo, base, file)))
    return found


def _curl(repo: Repo, base: str, file: str | None) -> str:
    if file is None:
        address, option = f"{base}/api/{repo.type.plural}/{repo.path}", ""
    else:
        at = f"{quote(repo.default_branch, safe='')}/{quote(file)}"
        address, option = f"{base}/{repo.web_path}/resolve/{at}", " -LO"
    token = ' -H "Authorization: Bearer $HF_TOKEN"' if repo.private or repo.gated else ""
    return f"curl{option}{token} {shlex.quote(address)}"


def _of_libraries(repo: Repo, facts: Facts | None, base: str) -> list[Snippet]:
    if repo.type is RepoType.DATASET:
        name, template = "datasets", _DATASETS
    elif repo.type is RepoType.MODEL and facts is not None and facts.library_name in _BY_LIBRARY:
        name = facts.library_name
        template = _BY_LIBRARY[name]
        if name == "transformers" and facts.pipeline_tag is None:
            template = _AUTO
    else:
        return []
    text = template.format(
        id=json.dumps(repo.path),
        timm=json.dumps(f"hf-hub:{repo.path}"),
        task=json.dumps(facts.pipeline_tag if facts else None),
        pattern=json.dumps(f"*{_quantisation(facts)}.gguf"),
    )
    return [Snippet(name, "python", _HERE.format(base=json.dumps(base)) + text)]


def _quantisation(facts: Facts | None) -> str:
    """A part of the name of the file that was looked at, as such files are called."""
    file_type = facts.gguf.file_type if facts and facts.gguf else None
    return f"{file_type}*" if file_type and file_type.replace("_", "").isalnum() else ""


# Libraries read this once, when they are imported.
_HERE = """import os

os.environ["HF_ENDPOINT"] = {base}

"""
_DATASETS = """from datasets import load_dataset

data = load_dataset({id})
"""
_AUTO = """from transformers import AutoModel

model = AutoModel.from_pretrained({id})
"""
_BY_LIBRARY = {
    "transformers": """from transformers import pipeline

pipe = pipeline({task}, model={id})
""",
    "diffusers": """from diffusers import DiffusionPipeline

pipe = DiffusionPipeline.from_pretrained({id})
""",
    "sentence-transformers": """from sentence_transformers import SentenceTransformer

model = SentenceTransformer({id})
vectors = model.encode(["one text", "another"])
""",
    "peft": """from peft import AutoPeftModel

model = AutoPeftModel.from_pretrained({id})
""",
    "timm": """import timm

model = timm.create_model({timm}, pretrained=True)
""",
    "gguf": """from llama_cpp import Llama

model = Llama.from_pretrained({id}, filename={pattern})
""",
}
