# SPDX-License-Identifier: Apache-2.0
"""What no page may say: the secrets among the settings, and those inside of addresses."""

from urllib.parse import parse_qsl, unquote, urlsplit

from hubkeep.config import Config

SECRET = ("s3_access_key", "s3_secret_key", "metrics_token")
"""Settings of which only is said whether they are set."""

HIDDEN = "…"

_URLS = ("database_url", "blobs_url", "public_url", "content_url")
# Parameters of addresses that say where something is; any other may be a key.
_PLAIN = ("endpoint", "public", "region", "direct", "sslmode", "application_name")
_LEAST = 4
"""Shorter ones would be found in many a word."""


def without_secrets(url: str) -> str:
    """Return an address without what opens it: passwords, and parameters that may be keys."""
    parts = urlsplit(url)
    if not parts.netloc and not parts.query:
        return url
    user, at, place = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    shown = f"{name}{colon}{HIDDEN * bool(colon)}{at}{place}"
    query = "&".join(
        f"{key}={without_secrets(value) if key in _PLAIN else HIDDEN}"
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    rest = f"{'?' * bool(query)}{query}{'#' * bool(parts.fragment)}"
    return f"{parts.scheme}://{shown}{parts.path}{rest}"


def hushed(config: Config, text: str) -> str:
    """Return a text, such as an error, without the secrets of the settings in it."""
    for secret in _secrets(config):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets(config: Config) -> list[str]:
    found = {str(getattr(config, name)) for name in SECRET}
    for name in _URLS:
        parts = urlsplit(getattr(config, name))
        found |= {value for key, value in parse_qsl(parts.query) if key not in _PLAIN}
        if parts.password:
            found |= {parts.password, unquote(parts.password)}
    return sorted((one for one in found if len(one) >= _LEAST), key=len, reverse=True)
