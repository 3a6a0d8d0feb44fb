# SPDX-License-Identifier: Apache-2.0
"""PyTorch's file format, written without PyTorch: a zip of one pickle and the tensors' bytes."""

import io
import struct
import zipfile
from collections.abc import Mapping

import numpy as np

_EMPTY_DICT = b"ccollections\nOrderedDict\n)R"


def torch_archive(tensors: Mapping[str, np.ndarray]) -> bytes:
    """Return what `torch.save` would write of a state dict of contiguous float32 tensors."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry("archive/data.pkl"), _pickle(tensors))
        archive.writestr(_entry("archive/byteorder"), b"little")
        for number, tensor in enumerate(tensors.values()):
            archive.writestr(_entry(f"archive/data/{number}"), tensor.astype("<f4").tobytes())
        archive.writestr(_entry("archive/version"), b"3\n")
    return out.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name)  # dated 1980: the same bytes each time


def _pickle(tensors: Mapping[str, np.ndarray]) -> bytes:
    """Protocol 2, opcode by opcode: the functions that it names need not be importable here."""
    items = b"".join(
        _text(name) + _tensor(number, tensor)
        for number, (name, tensor) in enumerate(tensors.items())
    )
    return b"\x80\x02" + _EMPTY_DICT + b"(" + items + b"u."


def _tensor(number: int, tensor: np.ndarray) -> bytes:
    storage = (
        b"(" + _text("storage") + b"ctorch\nFloatStorage\n" + _text(str(number)) + _text("cpu")
        + _int(tensor.size) + b"tQ"
    )  # fmt: skip
    strides = tuple(step // tensor.itemsize for step in tensor.strides)
    arguments = storage + _int(0) + _ints(tensor.shape) + _ints(strides) + b"\x89" + _EMPTY_DICT
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def _text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def _int(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _ints(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(_int, values)) + b"t"
