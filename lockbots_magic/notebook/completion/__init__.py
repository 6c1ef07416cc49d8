"""Tab completion of the magics' lines and of `{{ expressions }}` in prompts. It never contacts a server."""

from .matcher import register

__all__ = ["register"]
