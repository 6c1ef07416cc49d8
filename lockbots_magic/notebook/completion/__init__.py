"""Tab completion of the magics' lines, and of `{{ expressions }}` in prompts. No server is ever asked."""

from .matcher import register

__all__ = ["register"]
