"""What a reply is read from: the provider, with the tools. All that may block is here."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import field, replace
from typing import TYPE_CHECKING

from ..conversation.conversation import Conversation, Slot
from ..conversation.messages import ChatRequest, Delta
from ..conversation.turn import Turn
from ..late_dataclass import late_dataclass
from ..providers.base import Provider
from ..providers.context_guard import ContextGuard
from ..providers.streaming import closing_stream, translated_errors

if TYPE_CHECKING:
    from ..tools.use import ToolUse


@late_dataclass(frozen=True)
class TurnRequest:
    """A request, and the turn that it becomes."""

    provider: Provider
    request: ChatRequest
    """What the provider is asked, whole."""
    draft: Turn
    """The turn that it becomes, as far as it is known."""
    conversation: Conversation | None = None
    """Conversation that keeps the turn; None for a prompt outside every conversation."""
    position: Slot = field(default_factory=lambda: Slot(()))
    """Position of the turn in the conversation."""
    tools: ToolUse | None = None
    """Tools that the model may call; None for none."""
    log: bool = True
    """False keeps the turn out of the log, also when the log is on."""


class ReplySource:
    """Streams the reply to a request. It knows nothing of the reply, so that a thread may read one that is forgotten.

    Args:
        asked: The request.
    """

    def __init__(self, asked: TurnRequest) -> None:
        self.request = asked.request
        """The request; with the name of the model, once that is known."""
        self.guard = ContextGuard(asked.provider, asked.request.model)
        self._provider = asked.provider
        self._name = asked.draft.provider
        self._tools = asked.tools

    def stream(self) -> Generator[Delta, None, None]:
        """Yield the reply. The default model is resolved first where none was named, which may ask the server."""
        with translated_errors(self._provider):
            model = self._provider.resolved(self.request.model, self.request.cancellation).id
        if model != self.request.model:
            self.request = replace(self.request, model=model)
        with closing_stream(self._stream()) as deltas:
            yield from deltas

    def _stream(self) -> Iterator[Delta]:
        if self._tools is None:
            return self.guard.stream(self.request)
        return self._tools.loop(self._name, self.request.model).stream(self.guard, self.request)
