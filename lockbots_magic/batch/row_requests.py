"""The requests of the rows of a batch: all alike but for the prompt, so what they share is made and checked once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

from ..conversation.cancellation import Cancellation
from ..conversation.context_window import try_fit_messages
from ..conversation.messages import Message
from ..conversation.recorded_reply import CassetteReport
from ..errors import UsageError
from ..language import _
from ..prompt.part import PromptPart
from ..providers.base import Provider
from ..reply import PreparedRequest

_SAMPLE = "check"


class RowRequests:
    """Makes the request of each row out of its prompt, for an answer as one whole where the service can.

    Args:
        prepare: Builds a request, as `Chat.prepare` does.
        provider: Provider that answers; requests go to a copy of it that sends each once, as the batch itself retries.

    Raises:
        UsageError: As `prepare` does: something is wrong with the parameters, the tools or the provider.
    """

    def __init__(self, prepare: Callable[..., PreparedRequest], provider: Provider) -> None:
        self.first = self._whole(prepare(_SAMPLE))
        """A request as each row's, with a sample in place of the prompt."""
        self.sender = _without_retries(provider)
        """Provider that sends each request once."""
        self._prepare = prepare
        self._head = self.first.request.messages[:-1]
        self._suffix = self.first.request.messages[-1].content.removeprefix(_SAMPLE)
        self._model = provider.model_info(self.first.request.model)
        self._is_limited = self._model.max_length is not None or self._model.token_limit is not None

    def make(self, part: PromptPart, key: str) -> PreparedRequest:
        """Return the request of a row.

        Args:
            part: Its prompt, with its images and documents.
            key: Identity of the request, which becomes that of the turn.

        Raises:
            UsageError: The prompt is empty, or the model takes no images or documents.
        """
        if part.documents:  # what becomes of them depends on the model
            prepared = self._prepare(part.text, images=part.images, documents=part.documents)
            return replace(self._whole(prepared), provider=self.sender)
        if not part.text.strip():
            raise UsageError(_("The prompt is empty."))
        first = self.first
        last = Message("user", part.text + self._suffix, part.images)
        request = replace(
            first.request, messages=(*self._head, last), cancellation=Cancellation(), report=CassetteReport()
        )
        if part.images:
            self.sender.check_parts(request)
        draft = replace(first.draft, prompt=last.content, images=part.images, id=key)
        too_long = try_fit_messages(draft.system, (), last, self._model)[2] if self._is_limited else None
        return PreparedRequest(self.sender, request, draft, tools=first.tools, log=False, too_long=too_long)

    def _whole(self, prepared: PreparedRequest) -> PreparedRequest:
        """Return a request whose answer comes as one whole: nobody watches it come, and a batch has its journal."""
        return replace(prepared, request=replace(prepared.request, stream=False), prepare_again=None, log=False)


def _without_retries(provider: Provider) -> Provider:
    if hasattr(provider, "learned"):
        provider.learned  # noqa: B018  # made at first use; the copy is to share it
    sender = copy.copy(provider)
    sender.max_retries = 0
    return sender
