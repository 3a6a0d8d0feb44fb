# SPDX-License-Identifier: Apache-2.0
"""Lines that use a repository, ready to be copied: for its library, for the command line, for git.

They point at this hub by its address, as its clients do.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hubkeep.cards.facts import Facts
from hubkeep.repos.types import RepoType

Language = Literal["python", "bash"]


@dataclass(frozen=True, slots=True)
class Snippet:
    """What it is for, the language it is in, and its text."""

    name: str
    language: Language
    text: str


def snippets(kind: RepoType, repo_id: str, facts: Facts | None, base: str) -> Sequence[Snippet]:
    """Return what helps with a repository, the likeliest first."""
    found: list[Snippet] = []
    if kind is RepoType.MODEL and facts is not None:
        library = _of_library(repo_id, facts)
        found += [library] if library else []
    if kind is RepoType.DATASET:
        found.append(Snippet("datasets", "python", _DATASETS.format(id=json.dumps(repo_id))))
    option = "" if kind is RepoType.MODEL else f" --repo-type {kind.value}"
    found.append(Snippet("hf", "bash", f"export HF_ENDPOINT={base}\nhf download {repo_id}{option}"))
    found.append(Snippet("git", "bash", f"git clone {base}/{kind.web_prefix}{repo_id}"))
    return found


def _of_library(repo_id: str, facts: Facts) -> Snippet | None:
    template = _BY_LIBRARY.get(facts.library_name or "")
    if template is None:
        return None
    task = facts.pipeline_tag
    if facts.library_name == "transformers" and task is None:
        template = _AUTO
    text = template.format(id=json.dumps(repo_id), task=json.dumps(task))
    return Snippet(facts.library_name or "", "python", text)


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

model = timm.create_model("hf-hub:" + {id}, pretrained=True)
""",
    "gguf": """from llama_cpp import Llama

model = Llama.from_pretrained({id}, filename="*Q4_K_M.gguf")
""",
}
