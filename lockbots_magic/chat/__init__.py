"""One conversation with one model."""

from .chat import Chat

__all__ = ["Chat"]
