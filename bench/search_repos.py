# SPDX-License-Identifier: Apache-2.0
"""Plausible repositories in any number: names, owners, tags, tasks, licences and counts of a large
hub.

The shapes follow what public listings of model hubs show: owners and words by Zipf's law, half of
all repositories never downloaded, a third of the names with a size or a version, tags that go
together. Nothing in here is a copy of a listing; `--census FILE` reads one at run time.
"""

import random
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import msgspec

from hubkeep.cards.base_models import RELATIONS
from hubkeep.repos.search_terms import Indexed
from hubkeep.repos.types import RepoType

BORN = 1_640_000_000_000  # milliseconds; repositories are made between then and NOW
NOW = 1_795_000_000_000
PRIVATE = 0.03


def _words(text: str) -> list[str]:
    return text.split()


_FAMILIES = _words("""
    llama mistral bert gpt2 t5 whisper wav2vec2 qwen gemma phi roberta distilbert vit clip falcon
    bart deberta xlm mixtral stable-diffusion sdxl flux yolo resnet pegasus electra albert opt bloom
    pythia starcoder codegen mamba rwkv deepseek yi olmo granite speecht5 bark musicgen swin
    segformer
    """)
_WORDS = _words("""
    base model large small tiny chat instruct finetuned lora gguf awq gptq exl2 merge test v1 v2 v3
    7b 8b 13b 70b 3b 1b uncased cased en ner qa squad sentiment emotion classification summarization
    translation dpo sft orpo ppo rlhf reward embedding code math medical legal finance news tweet
    review dialog persona story poem lyrics recipe image audio speech video caption ocr layout table
    graph molecule protein genome weather climate robot arm walker cartpole lunarlander taxi
    frozenlake german french spanish italian dutch polish turkish arabic hindi bengali tamil thai
    korean japanese chinese russian ukrainian greek hebrew persian swahili yoruba indonesian
    vietnamese portuguese
    """)
_TASKS = _words("""
    text-generation text-classification reinforcement-learning text2text-generation text-to-image
    token-classification automatic-speech-recognition image-classification fill-mask
    question-answering feature-extraction sentence-similarity audio-to-audio translation
    audio-classification object-detection text-to-speech summarization multiple-choice
    image-segmentation image-to-text zero-shot-image-classification tabular-classification
    depth-estimation table-question-answering graph-ml robotics voice-activity-detection text-to-3d
    """)
_LIBRARIES = _words("""
    transformers peft diffusers stable-baselines3 ml-agents sentence-transformers tf-keras timm
    cleanrl sample-factory flair keras transformers.js mlx spacy fastai nemo espnet speechbrain
    """)
_FORMATS = _words("safetensors pytorch tensorboard gguf onnx tf jax")
_LICENSES = _words("""
    apache-2.0 mit openrail llama3 cc-by-nc-4.0 other gemma cc-by-4.0 cc-by-sa-4.0 gpl-3.0 afl-3.0
    bsd-3-clause unknown cc0-1.0 agpl-3.0 bigscience-openrail-m
    """)
_LANGUAGES = [
    "en",
    "zh",
    "fr",
    "de",
    "es",
    "ja",
    "ko",
    "ru",
    "pt",
    "it",
    "ar",
    "hi",
    "tr",
    "pl",
    "nl",
    "vi",
    "id",
    "th",
    "sv",
    "fi",
    "cs",
    "uk",
    "el",
    "he",
    "fa",
    "bn",
    "ta",
    "sw",
    "yo",
]
_EXTRAS = _words("""
    generated_from_trainer model-index conversational trl unsloth autotrain mergekit moe art anime
    deep-reinforcement-learning text-generation-inference 4-bit 8-bit medical finance code chemistry
    """)
_SIZES = (67, 110, 135, 350, 560, 770, 1100, 1500, 3000, 7000, 8000, 13000, 34000, 70000, 405000)


class Drawn(msgspec.Struct, frozen=True):
    """A repository to be written: what is indexed of it, and its counts."""

    id: int
    indexed: Indexed
    path: str
    created_at: int
    last_modified: int
    downloads: int
    likes: int
    trending: float
    library: str | None
    license: str | None


class _Zipf:
    """Draws from values, the first most often."""

    def __init__(self, values: list[str], exponent: float = 1.0) -> None:
        self.values = values
        self.weights = list(accumulate(1 / (rank + 1) ** exponent for rank in range(len(values))))

    def draw(self, chance: random.Random, count: int = 1) -> list[str]:
        return chance.choices(self.values, cum_weights=self.weights, k=count)


def draw_repositories(count: int, seed: int, census: Path | None) -> Iterator[Drawn]:
    """Yield `count` repositories in the order of their making, the same for the same seed."""
    if census is not None:
        yield from _from_census(count, seed, census)
        return
    chance = random.Random(seed)
    owners = _Zipf([_owner(chance, number) for number in range(max(count // 4, 1))], 0.75)
    names = _Names(chance)
    for number in range(1, count + 1):
        owner = owners.draw(chance)[0]
        kind = chance.choices(list(RepoType), (70, 20, 9, 1))[0]
        yield _drawn(chance, number, count, kind, owner, names.draw(number))


def owner_id(owner: str, known: dict[str, int]) -> int:
    """Return the number of an owner, the next one for a new one."""
    return known.setdefault(owner, len(known) + 1)


class _Names:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        rare = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(20_000)]
        self._words = _Zipf(_WORDS + rare, 0.9)
        self._families = _Zipf(_FAMILIES, 0.8)

    def draw(self, number: int) -> str:
        chance = self._chance
        parts = self._families.draw(chance) if chance.random() < 0.7 else []
        parts += self._words.draw(chance, chance.randint(1, 4))
        if chance.random() < 0.5:
            parts.append(str(chance.randint(0, 99)))
        joined = chance.choice("-_-").join(parts)
        # The number makes it one of a kind, in few characters.
        return f"{joined.title() if chance.random() < 0.2 else joined}-{number:x}"


def _owner(chance: random.Random, number: int) -> str:
    syllables = ("ka", "mi", "to", "ren", "dal", "vox", "ai", "lab", "net", "zen", "bo", "qu")
    return "".join(chance.choices(syllables, k=3)) + f"{number:x}"


def _drawn(
    chance: random.Random, number: int, count: int, kind: RepoType, owner: str, name: str
) -> Drawn:
    path = f"{owner}/{name}"
    tags, task, library, license_name = _tags(chance, kind)
    created = BORN + (NOW - BORN) * number // (count + 1)
    downloads = 0 if chance.random() < 0.5 else int(chance.lognormvariate(1.5, 2.3))
    likes = int(chance.lognormvariate(0, 1.7)) if chance.random() < 0.15 else 0
    indexed = Indexed(
        kind,
        chance.random() < PRIVATE,
        0,
        path.lower(),
        tags=tuple(tags),
        pipeline_tag=task,
        gated=chance.random() < 0.01,
        num_parameters=chance.choice(_SIZES) * 1_000_000 if chance.random() < 0.4 else None,
    )
    return Drawn(
        number,
        indexed,
        path,
        created,
        created + int((NOW - created) * chance.random() ** 3),
        downloads,
        likes,
        round(likes * chance.random(), 2) if chance.random() < 0.1 else 0.0,
        library,
        license_name,
    )


_TASK = _Zipf(_TASKS, 1.1)
_LIBRARY = _Zipf(_LIBRARIES, 1.3)
_FORMAT = _Zipf(_FORMATS, 0.8)
_LICENSE = _Zipf(_LICENSES, 1.2)
_LANGUAGE = _Zipf(_LANGUAGES, 1.2)
_EXTRA = _Zipf(_EXTRAS, 0.9)


def _tags(
    chance: random.Random, kind: RepoType
) -> tuple[list[str], str | None, str | None, str | None]:
    task = _TASK.draw(chance)[0] if chance.random() < 0.6 else None
    library = _LIBRARY.draw(chance)[0] if chance.random() < 0.65 else None
    license_name = _LICENSE.draw(chance)[0] if chance.random() < 0.4 else None
    languages = _LANGUAGE.draw(chance, chance.randint(1, 2)) if chance.random() < 0.25 else []
    found: list[str | None]
    if kind is RepoType.DATASET:
        found = [f"task_categories:{task}" if task else None]
        found += [f"language:{code}" for code in languages]
        found.append(f"size_categories:{chance.choice(('n<1K', '1K<n<10K', '10K<n<100K'))}")
        task, library = None, None
    else:
        found = [library, task, *languages, *_FORMAT.draw(chance, chance.randint(0, 2))]
        found += _EXTRA.draw(chance, chance.randint(0, 3))
        if chance.random() < 0.2:
            parent = f"hub/{chance.choice(_FAMILIES)}-{int(chance.paretovariate(1))}"
            relation = RELATIONS[len(found) % len(RELATIONS)]
            found += [f"base_model:{parent}", f"base_model:{relation}:{parent}"]
        if chance.random() < 0.1:
            found.append(f"dataset:data-{int(chance.paretovariate(0.7))}")
    if license_name:
        found.append(f"license:{license_name}")
    found.append("region:us")
    return list(dict.fromkeys(t for t in found if t)), task, library, license_name


def _from_census(count: int, seed: int, census: Path) -> Iterator[Drawn]:
    """Repositories of a listing (Parquet), repeated under new owners as needed."""
    import pyarrow.parquet

    chance = random.Random(seed)
    rows = pyarrow.parquet.read_table(census).to_pylist()
    for number in range(1, count + 1):
        row = rows[(number - 1) % len(rows)]
        owner, _, name = row["id"].rpartition("/")
        turn = (number - 1) // len(rows)
        path = f"{owner or 'legacy'}{turn or ''}/{name}"
        created = BORN + (NOW - BORN) * number // (count + 1)
        licenses = [f"license:{value}" for value in row["licenses"]]
        indexed = Indexed(
            RepoType.MODEL,
            chance.random() < PRIVATE,
            0,
            path.lower(),
            tags=tuple(dict.fromkeys([*row["tags"], *licenses, "region:us"])),
            pipeline_tag=row["pipeline_tag"],
            num_parameters=chance.choice(_SIZES) * 1_000_000 if chance.random() < 0.4 else None,
        )
        yield Drawn(
            number,
            indexed,
            path,
            created,
            created + int((NOW - created) * chance.random() ** 3),
            row["downloads"],
            row["likes"],
            round(row["likes"] * chance.random(), 2) if chance.random() < 0.1 else 0.0,
            row["library_name"],
            row["licenses"][0] if row["licenses"] else None,
        )
