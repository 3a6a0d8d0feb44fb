# SPDX-License-Identifier: Apache-2.0
"""Pictures that people send of themselves, drawn anew: nothing of the file that came is kept."""

import struct
from io import BytesIO

from PIL import Image, ImageOps

SIDE = 256
"""Pixels of a picture, each way."""

MOST_BYTES = 5_000_000
MOST_PIXELS = 25_000_000
"""Of a JPEG, which is read at a fraction of its size; what phones take by themselves is less."""

MOST_UNPACKED = 12_000_000
"""Of other files, which take at most 200 MB while they are drawn anew."""

KINDS = "PNG, JPEG, WebP or GIF"
_JPEGS = ("JPEG", "MPO")
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_STORED = 100_000
_SCANS = 32
_JPEG, _SCAN = b"\xff\xd8\xff", b"\xff\xda"
# What decoders raise on files that are broken, each its own; some only warn, which tests raise.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    struct.error,
    UserWarning,
)


class NotAPicture(ValueError):
    """The file cannot be taken; the text says why, for who sent it."""


def redraw(content: bytes) -> bytes:
    """Return the middle of a picture as a PNG of 256 by 256 pixels, at most some 100 kB.

    Of a moving picture the first one counts; turned as its camera says; text and places that were
    in the file are not in what is returned. NotAPicture for other files, and for those that are too
    large: that is read from their heads, before anything is unpacked.
    """
    if len(content) > MOST_BYTES:
        raise NotAPicture(f"At most {MOST_BYTES // 1_000_000} MB.")
    # A JPEG that is made of thousands of passes over all its pixels takes hours to read.
    if content.startswith(_JPEG) and content.count(_SCAN) > _SCANS:
        raise NotAPicture("This picture is made of too many layers: save it anew.")
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as image:
            most = MOST_PIXELS if image.format in _JPEGS else MOST_UNPACKED
            if image.width * image.height > most:
                raise NotAPicture(f"At most {most // 1_000_000} million pixels.")
            return _encoded(_square(image))
    except NotAPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise NotAPicture(f"At most {MOST_PIXELS // 1_000_000} million pixels.") from bomb
    except _BROKEN as broken:
        raise NotAPicture(f"This cannot be read as a picture: it has to be {KINDS}.") from broken


def _square(image: Image.Image) -> Image.Image:
    """The middle of it, small, then turned: a square is the middle whichever way it is turned."""
    image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is read at a fraction of its size
    mode = "RGBA" if image.has_transparency_data else "RGB"
    whole = image if image.mode == mode else image.convert(mode)
    side = min(whole.size)
    left, top = (whole.width - side) / 2, (whole.height - side) / 2
    middle = (left, top, left + side, top + side)
    lanczos = Image.Resampling.LANCZOS
    small = whole.resize((SIDE, SIDE), lanczos, middle, reducing_gap=3.0)
    small.info = {"exif": image.info.get("exif", b"")}
    try:
        return ImageOps.exif_transpose(small)
    except _BROKEN:
        return small  # what is wrong with these notes says nothing of the picture


def _encoded(image: Image.Image) -> bytes:
    written = BytesIO()
    image.save(written, "PNG", optimize=True)
    if written.tell() > _STORED:
        written = BytesIO()
        few = image.quantize(256, method=Image.Quantize.FASTOCTREE)
        few.save(written, "PNG", optimize=True)
    return written.getvalue()
