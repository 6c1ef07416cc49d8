"""The widget."""

from __future__ import annotations

import json
import uuid
from importlib.resources import files
from typing import Any

import anywidget
from traitlets import Dict

from ..chat import Chat
from ..conversation import Conversation
from ..errors import UsageError
from ..rendering.html import style_sheet
from ..rendering.live import show, unrelated_context
from ..session import Lockbots
from .desk import ChatDesk, SessionDesk
from .host import Host
from .letters import Letter
from .transcript import transcript


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


class ChatPanel(anywidget.AnyWidget):
    """A chat panel in the notebook: a view of a conversation, to talk in while cells run.

    Args:
        chat: the chat whose conversation it shows; or the session of the magics.
        name: which conversation of the session; its current one by default.

    Raises:
        UsageError: `chat` is neither.
    """

    _esm = _asset("panel.js")
    _css = style_sheet() + _asset("panel.css")
    texts = Dict(help="What the panel says, by language.").tag(sync=True)

    def __init__(self, chat: Chat | Lockbots, name: str | None = None) -> None:
        if not isinstance(chat, Chat | Lockbots):
            raise UsageError("give the chat that the panel is to show: ChatPanel(Chat('provider:model'))")
        self._context = unrelated_context()  # so that the panel is served while a cell runs, where that is possible
        texts = json.loads(_asset("texts.json"))
        self._context.copy().run(super().__init__, texts=texts)
        self._display_id = uuid.uuid4().hex
        self._displayed = False
        desk = SessionDesk(chat, name) if isinstance(chat, Lockbots) else ChatDesk(chat)
        self._host = Host(desk, self._send_letter, self._keep_transcript)
        self.on_msg(self._received)

    def __repr__(self) -> str:
        return f"ChatPanel({self.conversation!r})"

    @property
    def conversation(self) -> Conversation:
        """The conversation that it shows."""
        return self._host.conversation

    def close(self) -> None:
        """Stop its replies, and take it out of the page; the transcript below it stays."""
        if hasattr(self, "_host"):
            self._host.close()
        super().close()

    def _ipython_display_(self) -> None:
        """Show the panel, and what was said as text for whoever opens the saved notebook without its kernel."""
        bundle: Any = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        show({**data, "text/plain": repr(self)}, metadata=metadata)
        show(transcript(self.conversation), self._display_id)
        self._displayed = True

    def _received(self, _widget: object, content: Any, _buffers: object) -> None:
        self._host.handle(content)

    def _send_letter(self, letter: Letter) -> None:
        if self.comm is not None:  # a closed panel has none
            self._context.copy().run(self.send, _mended(letter))

    def _keep_transcript(self) -> None:
        if self._displayed:
            show(transcript(self.conversation), self._display_id, update=True)


def _mended(value: Any) -> Any:
    """Return `value` with every text in it fit to be sent: half a surrogate pair is no UTF-8."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {name: _mended(one) for name, one in value.items()}
    return [_mended(one) for one in value] if isinstance(value, list) else value
