# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of a model in training: safetensors files that differ in some of their tensors."""

import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path

TENSORS = 200


def checkpoints(path: Path, size: int, count: int, share: float) -> Iterator[int]:
    """Write one checkpoint after the other to `path`; yields the size of each.

    Each differs from the one before it in `share` of its tensors. Their bytes are noise, which
    nothing compresses: what is saved is saved by keeping chunks once.
    """
    draw = random.Random("checkpoints")
    width = size // TENSORS // 2 * 2
    tensors = [draw.randbytes(width) for _ in range(TENSORS)]
    header = json.dumps({
        f"layers.{number}.weight": {
            "dtype": "BF16",
            "shape": [width // 2],
            "data_offsets": [number * width, (number + 1) * width],
        }
        for number in range(TENSORS)
    }).encode()  # fmt: skip
    header += b" " * (-len(header) % 8)
    for number in range(count):
        if number:
            for place in draw.sample(range(TENSORS), round(share * TENSORS)):
                tensors[place] = draw.randbytes(width)
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            file.writelines(tensors)
        yield path.stat().st_size
