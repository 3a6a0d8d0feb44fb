# SPDX-License-Identifier: Apache-2.0
"""Which paths `.gitattributes` sends to git-lfs, and the file that a new repository starts with."""

from collections.abc import Sequence
from contextlib import suppress

from hubkeep.content.patterns import MAX_RULES, BadPattern, Pattern, can_be_committed

FILE = ".gitattributes"

# The patterns that huggingface.co gives to new repositories: what tools there expect to be LFS.
_ALL_TYPES = (
    "*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack "
    "*.npy *.npz *.onnx *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors "
    "saved_model/**/* *.tar.* *.tar *.tflite *.tgz *.wasm *.xz *.zip *.zst *tfevents*"
)
_DATASETS = (
    "*.lz4 *.mds *.pcm *.sam *.raw *.aac *.flac *.mp3 *.ogg *.wav *.bmp *.gif *.png *.tiff *.jpg "
    "*.jpeg *.webp *.mp4 *.webm"
)


def initial(repo_type: str) -> bytes:
    """Return the `.gitattributes` of a new repository."""
    patterns = _ALL_TYPES.split() + (_DATASETS.split() if repo_type == "dataset" else [])
    lines = (f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in patterns)
    return "".join(lines).encode()


class LfsRules:
    """The rules of one `.gitattributes` at the root of a repository; later lines win, as in git."""

    def __init__(self, text: str) -> None:
        self._rules: list[tuple[Pattern, bool]] = []
        for line in text.splitlines()[:MAX_RULES]:
            pattern, *attributes = line.split()[:64] or [""]
            if not pattern or pattern.startswith(("#", "[", "!")):
                continue
            verdict = _verdict(attributes)
            if verdict is not None:
                with suppress(BadPattern):
                    self._rules.append((Pattern(pattern), verdict))
        self.work = sum(pattern.work for pattern, _ in self._rules)

    def is_lfs(self, path: str) -> bool:
        """Say whether git would hand this path to git-lfs."""
        segments = path.split("/") if can_be_committed(path) else []
        for pattern, verdict in reversed(self._rules):
            if segments and pattern.matches(segments):
                return verdict
        return False


def _verdict(attributes: Sequence[str]) -> bool | None:
    for attribute in reversed(attributes):
        if attribute.startswith("filter="):
            return attribute == "filter=lfs"
        if attribute in ("-filter", "!filter"):
            return False
    return None
