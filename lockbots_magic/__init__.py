"""Talk to language models from a notebook.

In a notebook: ``%load_ext lockbots_magic``, then ``%%chat``. From Python: ``Chat("provider:model").ask("...")``.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from .importing import late_names, without_collector
from .version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .batch.batch import Batch
    from .batch.executors import RayExecutor
    from .chat import Chat
    from .conversation.conversation import Conversation
    from .conversation.messages import ChatRequest, Delta, Message, ModelInfo, Usage
    from .conversation.turn import Turn
    from .errors import LockbotsError, ProviderError, UsageError
    from .notebook.extension import last_turn
    from .notebook.session import Session
    from .panel import ChatPanel
    from .providers.base import Provider
    from .providers.http_provider import HTTPProvider
    from .reply import Reply
    from .storage.log import Log
    from .tools.function_tool import tool
    from .tools.limits import Limits
    from .tools.mcp import MCP

_HOME = {
    "Batch": "batch.batch",
    "CellOrigin": "conversation.messages",
    "Chat": "chat",
    "ChatPanel": "panel",
    "ChatRequest": "conversation.messages",
    "Conversation": "conversation.conversation",
    "Delta": "conversation.messages",
    "HTTPProvider": "providers.http_provider",
    "Limits": "tools.limits",
    "LockbotsError": "errors",
    "Log": "storage.log",
    "MCP": "tools.mcp",
    "Message": "conversation.messages",
    "ModelInfo": "conversation.messages",
    "PreparedRequest": "reply",
    "Provider": "providers.base",
    "ProviderError": "errors",
    "RayExecutor": "batch.executors",
    "Reply": "reply",
    "Turn": "conversation.turn",
    "Usage": "conversation.messages",
    "UsageError": "errors",
    "last_turn": "notebook.extension",
    "tool": "tools.function_tool",
}

__all__ = [  # noqa: RUF022  # grouped by what they are for
    "Chat",
    "ChatPanel",
    "Reply",
    "PreparedRequest",
    "CellOrigin",
    "Conversation",
    "Log",
    "Turn",
    "Message",
    "Usage",
    "Batch",
    "RayExecutor",
    "tool",
    "Limits",
    "Provider",
    "HTTPProvider",
    "ChatRequest",
    "Delta",
    "ModelInfo",
    "LockbotsError",
    "ProviderError",
    "UsageError",
    "MCP",
    "last_turn",
    "__version__",
]


__getattr__ = late_names(__name__, _HOME)  # importing the package stays cheap


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics; IPython calls it for `%load_ext lockbots_magic`."""
    _extension().load(shell, _panel)


def _panel(session: Session, name: str | None) -> ChatPanel:
    """Make the chat panel of a session."""
    from .panel import ChatPanel  # noqa: PLC0415  # widgets are slow to import, and few notebooks open a panel

    return ChatPanel(session, name)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Unregister everything; IPython calls it for `%unload_ext lockbots_magic`."""
    _extension().unload(shell)


def _extension() -> ModuleType:
    with without_collector():
        from .notebook import extension  # noqa: PLC0415  # `Chat` alone needs no IPython

    return extension
