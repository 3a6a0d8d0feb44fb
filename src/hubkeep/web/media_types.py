# SPDX-License-Identifier: Apache-2.0
"""What pictures, sounds and films are to a browser, by the end of their names: the same on every
machine.
"""

from typing import Final

MEDIA: Final = {
    # pictures
    "svg": "image/svg+xml",
    "png": "image/png",
    "apng": "image/apng",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "ico": "image/x-icon",
    # sound and film
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/mp4",  # browsers play what is in it, and not what it is called
    "webm": "video/webm",
    "ogv": "video/ogg",
}
