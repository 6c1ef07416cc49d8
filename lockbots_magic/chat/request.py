"""The request of one turn: checks what is asked, and fits prompt and history to the provider and the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conversation.call_messages import with_unique_ids
from ..conversation.context_turns import adapt_turns
from ..conversation.context_window import try_fit_messages
from ..conversation.conversation import Conversation, Slot
from ..conversation.documents import DocumentBudget, SentDocument
from ..conversation.messages import CellOrigin, ChatRequest, Message
from ..conversation.model_names import GUIDE, display_name
from ..conversation.turn import Turn
from ..errors import UsageError
from ..language import _
from ..late_dataclass import late_dataclass
from ..providers.address import saved_address
from ..providers.base import Provider
from ..providers.validation import parse_switch
from ..reply import PreparedRequest
from ..tools.approval import Approval, Approve, check_policy
from ..tools.limits import Limits
from .attachments import attach, image_urls

if TYPE_CHECKING:
    from ..schema.structured_output import ReplySchema
    from ..tools.use import ToolUse

STREAM = "stream"
"""Parameter that decides how a reply comes, and is no part of what decides the answer."""


def check_system(system: object) -> None:
    """Raise `UsageError` if a system prompt is given and is not text."""
    if not isinstance(system, str | None):
        raise UsageError(_("The system prompt must be text, got {kind}.", kind=type(system).__name__))


@late_dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """What is asked of `Chat.prepare` or `Chat.redo`."""

    prompt: str
    system: str | None
    """System prompt of this turn; None for the conversation's."""
    history: bool = True
    images: Iterable[Any] | Any = ()
    documents: Sequence[str | Path | SentDocument] = ()
    tools: Iterable[Any] | Callable[..., Any] = ()
    approve: Approve | Approval = None
    limits: Limits | Mapping[str, Any] | None = None
    schema: ReplySchema | None = None
    origin: CellOrigin
    params: Mapping[str, Any]
    """Parameters, the chat's among them."""
    replaces: str = ""
    """Id of the turn whose place this one takes."""
    remarks: tuple[str, ...] = ()
    """Remarks of the turn."""
    log: bool = True
    """False keeps the turn out of the log."""

    def check(self) -> None:
        """Raise `UsageError` if a text is not one, the prompt is empty, or the policy or a limit is invalid."""
        if not isinstance(self.prompt, str):
            raise UsageError(_("The prompt must be text, got {kind}.", kind=type(self.prompt).__name__))
        check_system(self.system)
        if not self.prompt.strip():
            raise UsageError(_("The prompt is empty."))
        check_policy(None if isinstance(self.approve, Approval) else self.approve)
        Limits.of(self.limits)

    def full_prompt(self) -> str:
        """Return the prompt with what it must say of the form of the reply."""
        instruction = "" if self.schema is None else self.schema.format_instruction()
        return f"{self.prompt}\n\n{instruction}" if instruction else self.prompt

    def position_in(self, conversation: Conversation) -> Slot:
        """Return the place of the turn in the conversation."""
        if not self.history:
            return Slot(())
        if self.replaces:
            return conversation.slot_of(self.replaces)
        return conversation.slot(self.origin.cell_id, self.origin.run)


def build_request(
    asked: RequestOptions,
    provider: Provider,
    model_id: str,
    conversation: Conversation,
    use_tools: Callable[[Provider], ToolUse | None],
) -> PreparedRequest:
    """Build a request; nothing is sent. Raise `UsageError` or `ModelNotFoundError` as `Chat.prepare` does.

    Args:
        asked: What is asked for.
        provider: Provider that answers.
        model_id: Id or alias of its model; ``""`` for the default model.
        conversation: Conversation that the turn joins.
        use_tools: Makes the tools of the request. Called last, since it may start a server.
    """
    asked.check()
    images, image_notes = image_urls(asked.images)
    sent, streams = _split_stream(provider, asked.params)
    provider.check_params(sent)
    rules = provider.document_rules(model_id)
    budget = DocumentBudget(rules, images)
    prompt, documents, notes = attach(asked.full_prompt(), asked.documents, rules, images)
    for document in documents:
        budget.add(document)
    position = asked.position_in(conversation)
    system = conversation.system if asked.system is None else asked.system
    model = provider.model_info(model_id)
    turns = adapt_turns(
        _sent_turns(position.context, provider),
        provider.name,
        model.id,
        takes_images=provider.sees(model.id),
        takes_tools=provider.takes_tools,
        rules=rules,
        budget=budget,
    )
    known_limit = provider.learned.prompt_limit(provider.base_url, model.id)
    last = Message("user", prompt, images, documents=documents)
    messages, left_out, too_long = try_fit_messages(system, turns, last, model, known_limit)
    use = use_tools(provider)
    request = ChatRequest(
        model.id,
        with_unique_ids(messages),
        sent,
        streams,
        tools=use.toolbox.tools if use else (),
        schema=asked.schema.json_schema or None if asked.schema else None,
        conversation_id=conversation.id,
        origin=asked.origin,
    )
    provider.check_parts(request)
    if use:
        use.check(provider.name, model.id)
    draft = Turn(
        prompt,
        model=display_name(model.id),
        provider=provider.name,
        params=asked.params,
        system=system,
        left_out=left_out,
        images=images,
        documents=documents,
        remarks=(*asked.remarks, *image_notes, *notes),
        cell_id=asked.origin.cell_id,
        run=asked.origin.run,
        address=_address_of(provider),
        dialect=getattr(provider, "spoken_dialect", ""),  # a plug-in may lack it
    )
    place = conversation if asked.history else None
    return PreparedRequest(provider, request, draft, place, position, use, asked.log, too_long)


def _sent_turns(turns: Iterable[Turn], provider: Provider) -> list[Turn]:
    """Return the turns that go with requests to `provider`: those of the guide concern no model, and the reverse."""
    is_guide = provider.name == GUIDE
    return [turn for turn in turns if (turn.provider == GUIDE) == is_guide]


def _address_of(provider: Provider) -> str:
    """Return the address that a turn keeps: that of the service, if it is not the provider's own."""
    base_url = getattr(provider, "base_url", "")  # a plug-in may set none
    return saved_address(base_url) if base_url and base_url != provider.url else ""


def _split_stream(provider: Provider, params: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the parameters that are sent, and whether the reply is to come piece by piece."""
    if STREAM not in params or provider.takes(STREAM):  # a function may have a parameter of that name
        return dict(params), provider.streams
    sent = {name: value for name, value in params.items() if name != STREAM}
    return sent, parse_switch(STREAM, params[STREAM])
