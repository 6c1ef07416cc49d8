"""The chat panel: a view of the same conversations that cells and `Chat` use."""

from .panel import ChatPanel

__all__ = ["ChatPanel"]
