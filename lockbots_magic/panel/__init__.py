"""The chat panel: a view of the same conversations that cells and `Chat` use."""

from .widget import ChatPanel

__all__ = ["ChatPanel"]
