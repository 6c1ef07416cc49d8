"""Questions of a panel about tool calls: shown with buttons, answered by any of its views."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from ..chat import Chat
from ..conversation.cancellation import SIGNAL_CHECK
from ..errors import Cancelled
from ..reply import Reply
from ..tools.approval import Approval, ApprovalAnswer, ProposedCall
from ..tools.asking import describe_question
from .protocol import PanelMessage

_CHOICES = ("yes", "session", "no")


class PanelApprovals:
    """Asks the views of a panel.

    Args:
        send: Takes a message for the views; called from any thread.
    """

    def __init__(self, send: Callable[[PanelMessage], None]) -> None:
        self._send = send
        self._questions: dict[str, _Question] = {}

    def approval_for(self, chat: Chat) -> PanelApproval:
        """Return the approval of a reply that is about to start: the policy of the chat, asked about here."""
        policy = None if isinstance(chat.approve, Approval) else chat.approve
        return PanelApproval(self, Approval(policy, memory=chat.approvals))

    def answer(self, question: str, choice: str, reason: str = "") -> None:
        """Take the answer of a view; one that comes late or twice is ignored."""
        asked = self._questions.get(question)
        if choice in _CHOICES and asked is not None and not asked.is_answered.is_set():
            asked.answer = ApprovalAnswer(choice, reason if choice == "no" else "")  # type: ignore[arg-type]  # checked
            asked.is_answered.set()

    def messages(self) -> list[PanelMessage]:
        """Return the questions that are open, for a view that opens meanwhile."""
        return [one.message(is_open=True) for one in [*self._questions.values()]]

    def ask(self, call: ProposedCall, reply: Reply) -> ApprovalAnswer:
        """Show a question and wait for the answer, in the thread of the reply.

        Raises:
            Cancelled: If the reply was stopped meanwhile.
        """
        question = _Question(uuid.uuid4().hex, reply.id, describe_question(call))
        self._questions[question.id] = question
        self._send(question.message(is_open=True))
        try:
            while not question.is_answered.wait(SIGNAL_CHECK):
                if reply.request.cancellation.cancelled:
                    raise Cancelled
        finally:
            del self._questions[question.id]
            self._send(question.message(is_open=False))
        return question.answer


class PanelApproval:
    """Approval of one reply in a panel. `watch` names the reply, once there is one.

    Args:
        desk: Asks the views.
        approval: Policy and memory.
    """

    def __init__(self, desk: PanelApprovals, approval: Approval) -> None:
        self.approval = Approval(approval.policy, self._ask, approval.memory)
        self._desk = desk
        self._reply: Reply | None = None

    def watch(self, reply: Reply) -> Reply:
        """Ask for this reply, and return it."""
        self._reply = reply
        return reply

    def _ask(self, call: ProposedCall) -> ApprovalAnswer | None:
        return None if self._reply is None else self._desk.ask(call, self._reply)


class _Question:
    def __init__(self, identity: str, reply: str, text: str) -> None:
        self.id, self._reply, self._text = identity, reply, text
        self.answer = ApprovalAnswer("no")
        self.is_answered = threading.Event()

    def message(self, *, is_open: bool) -> PanelMessage:
        return {
            "type": "approval",
            "id": self.id,
            "reply": self._reply,
            "question": self._text,
            "is_open": is_open,
        }
