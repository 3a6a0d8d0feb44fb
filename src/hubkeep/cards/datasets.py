# SPDX-License-Identifier: Apache-2.0
"""What a dataset holds, as far as its files and its card show it.

The Hub's formats are those that `datasets` loads by themselves
(https://huggingface.co/docs/hub/datasets-adding#file-formats); its modalities come from the types
of the columns, which the card's `dataset_info` lists.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from hubkeep.cards.values import strings

_FORMAT_SUFFIXES = {
    "parquet": "parquet",
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "jsonl": "json",
    "ndjson": "json",
    "arrow": "arrow",
    "txt": "text",
    "tar": "webdataset",
    "lance": "lance",
}
_IMAGES = frozenset({"png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"})
_AUDIO = frozenset({"wav", "mp3", "flac", "ogg", "opus", "m4a"})
_VIDEO = frozenset({"mp4", "avi", "mov", "mkv", "webm"})
_FOLDERS = ((_IMAGES, "imagefolder", "image"), (_AUDIO, "audiofolder", "audio"))
# Files that describe a dataset and are not its data.
_NOT_DATA = frozenset(
    {"dataset_infos.json", "dataset_dict.json", "state.json", "requirements.txt", "config.json"}
)
_COLUMN_MODALITIES = {
    "string": "text",
    "large_string": "text",
    "image": "image",
    "audio": "audio",
    "video": "video",
    "pdf": "document",
}
_NUMBERS = ("int", "uint", "float")
_MAX_COLUMNS = 1_000

_SIZE_NAMES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M",
               "100M<n<1B", "1B<n<10B", "10B<n<100B", "100B<n<1T", "n>1T")  # fmt: skip


def dataset_format(paths: Sequence[str]) -> str | None:
    """The format of most data files; None where there are none, or scripts load them."""
    counts: Counter[str] = Counter()
    for path in paths:
        name = path.rpartition("/")[2].lower()
        suffix = name.rpartition(".")[2]
        if name in _NOT_DATA:
            continue
        if suffix in _FORMAT_SUFFIXES:
            counts[_FORMAT_SUFFIXES[suffix]] += 1
        for suffixes, folder, _ in _FOLDERS:
            counts[folder] += suffix in suffixes
    if not counts.total():
        return None
    # Metadata beside the files of an image or audio folder does not make it a CSV dataset.
    return max(counts, key=lambda kind: (counts[kind], kind))


def dataset_modalities(card: Mapping[str, object], paths: Sequence[str]) -> list[str]:
    """Modalities of the columns in `dataset_info` and of image, audio and video files, sorted."""
    found = {_modality(kind) for kind in _column_types(card.get("dataset_info"))}
    suffixes = {path.rpartition(".")[2].lower() for path in paths}
    for kinds, modality in ((_IMAGES, "image"), (_AUDIO, "audio"), (_VIDEO, "video")):
        if suffixes & kinds:
            found.add(modality)
    if dataset_format(paths) == "text":
        found.add("text")
    return sorted(modality for modality in found if modality is not None)


def size_categories(card: Mapping[str, object]) -> list[str]:
    """What the card states; else the class of the number of examples in `dataset_info`."""
    stated = strings(card.get("size_categories"), count=10)
    if stated:
        return stated
    examples = 0
    for info in _infos(card.get("dataset_info")):
        splits = info.get("splits")
        for split in splits[:_MAX_COLUMNS] if isinstance(splits, list) else []:
            count = split.get("num_examples") if isinstance(split, dict) else None
            if isinstance(count, int) and not isinstance(count, bool) and 0 < count < 2**63:
                examples += count
    if not examples:
        return []
    # 999 has three digits and is below 1K; each further digit is the next class.
    return [_SIZE_NAMES[min(max(len(str(examples)) - 3, 0), len(_SIZE_NAMES) - 1)]]


def _infos(value: object) -> list[dict[str, object]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items[:_MAX_COLUMNS] if isinstance(item, dict)]


def _column_types(dataset_info: object) -> Iterator[str]:
    seen = 0
    for info in _infos(dataset_info):
        features = info.get("features")
        for column in features if isinstance(features, list) else []:
            seen += 1
            if seen > _MAX_COLUMNS:
                return
            kind = column.get("dtype") if isinstance(column, dict) else None
            if isinstance(kind, str):
                yield kind


def _modality(kind: str) -> str | None:
    return _COLUMN_MODALITIES.get(kind) or ("tabular" if kind.startswith(_NUMBERS) else None)
