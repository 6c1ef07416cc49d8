"""Credentials in the path of a URL, as gateways and hosted MCP servers hand them out: `https://host/s/KEY/mcp`."""

from __future__ import annotations

import functools
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from .named_secrets import is_random
from .secret_shapes import find_secrets
from .secrets import MalformedCredential, Secret, without_frames

MAX_PATH = 2_000
"""Characters of a path that are searched."""


@without_frames
@functools.lru_cache(maxsize=256)
def secrets_of_path(url: str) -> tuple[Secret, ...]:
    """Return the parts of a URL's path that look like credentials, longest first; they stay in use with the cache.

    The names of models and deployments are words and numbers; a part that a machine has drawn, or with the prefix of
    a known service's keys, is taken for a credential.

    Example:
        >>> secrets_of_path("https://gate.example/v1/sk-live-4f9a8b7c6d5e4f3a2b1c/openai")
        (Secret(***),)
        >>> secrets_of_path("https://me.example/openai/deployments/gpt-4o-2024-11-20")
        ()
    """
    found = set()
    for part in urlsplit(url).path[:MAX_PATH].split("/"):
        value = unquote(part)
        if is_random(value) or find_secrets(value):
            with suppress(MalformedCredential):
                found.add(Secret(value))
    return tuple(sorted(found, key=Secret.size, reverse=True))
