"""A chat is one conversation and one provider."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cassette.active import with_active_cassette, with_cassette
from .conversation.context_window import try_fit_messages
from .conversation.conversation import Conversation, Slot
from .conversation.messages import ChatRequest, Message
from .conversation.turn import Turn
from .errors import UsageError
from .providers import provider_class, split_model
from .providers.base import Provider
from .providers.function import FunctionProvider
from .providers.validation import wrap_credential
from .reply import Reply, leave_to_end
from .security.secrets import Secret

if TYPE_CHECKING:
    from .cassette.cassette import Cassette
    from .tools.toolbox import Toolbox


class Chat:
    """Talk to one model in one conversation.

    Args:
        model: ``"provider:model"``, a provider's name for its default model, a `Provider`, or any function that
            takes a prompt and returns or yields text.
        auth: the credential; without it the environment is asked.
        base_url: where the service is, in place of the provider's own address.
        system: the system prompt.
        conversation: one to go on with; a new one otherwise.
        params: what to send with every prompt, such as ``{"temperature": 0.2}``.
        cassette: a file to record answers in and play them from.
        mode: ``"auto"``, the default, asks what the cassette does not have; ``"replay"``, ``"record"``, ``"new"``: see
            `Cassette`.
        speed: how fast to play: 1 is as it came, 0 at once (the default).
        settings: more arguments of the provider, such as ``total_timeout=60`` (s).

    Raises:
        UsageError: there is no such provider, or it takes no such setting, or the cassette can't be used.
    """

    def __init__(
        self,
        model: str | Provider | Callable[..., Any] = "guide",
        *,
        auth: str | Secret | None = None,
        base_url: str | None = None,
        system: str | None = None,
        conversation: Conversation | None = None,
        params: Mapping[str, Any] | None = None,
        cassette: str | Path | Cassette | None = None,
        mode: str | None = None,
        speed: float | None = None,
        **settings: Any,
    ) -> None:
        auth = wrap_credential(auth)  # first of all: what shows this frame from here on shows no credential
        provider, self.model = _resolved(model, {"auth": auth, "base_url": base_url, **settings})
        self._provider = with_cassette(provider, cassette, mode, speed)
        self.conversation = Conversation() if conversation is None else conversation
        if system is not None:
            self.conversation.system = system
        self.params = dict(params or {})

    @property
    def provider(self) -> Provider:
        """Who answers: the provider, behind a cassette if there is one."""
        return with_active_cassette(self._provider)

    def __repr__(self) -> str:
        name = self._provider.name
        model = f"{name}:{self.model}" if self.model else name
        return f"Chat({model}, {self.conversation!r})"

    def ask(self, prompt: str, **options: Any) -> Turn:
        """Ask, wait for the whole reply and return the turn; arguments and errors as for `stream`."""
        return _finished(self.stream(prompt, **options))

    def stream(
        self,
        prompt: str,
        *,
        system: str | None = None,
        history: bool = True,
        images: Iterable[str] = (),
        tools: Iterable[Callable[..., Any]] = (),
        cell_id: str | None = None,
        run: str | None = None,
        slot: Slot | None = None,
        watched: bool = False,
        **params: Any,
    ) -> Reply:
        """Return the reply, to be iterated for its text. Nothing is sent before that.

        Args:
            prompt: what to say.
            system: a system prompt for this turn alone.
            history: False asks outside the conversation: it is neither told nor kept.
            images: URLs of images that go with the prompt, ``data:image/png;base64,...`` among them.
            tools: functions that the model may ask to have called, here and as often as it takes; no other is.
            cell_id, run: the notebook cell that asks, and which execution of it; its earlier turn is replaced.
            slot: where the turn belongs, if that is known already.
            watched: whether somebody watches the reply come; a recorded one then keeps its rhythm.
            params: sent along, such as ``temperature=0.2``; they go before the chat's own.

        Raises:
            UsageError: the prompt is empty or too long, a parameter is unknown, the model takes no images or can't
                call functions, or another reply is under way.
            AuthenticationError: the credential is missing.
            ModelNotFoundError: the provider does not know the model.
            NotRecordedError: the cassette in use may only be played, and has no answer.
        """
        reply = self.preview(
            prompt,
            system=system,
            history=history,
            images=images,
            tools=tools,
            cell_id=cell_id,
            run=run,
            slot=slot,
            watched=watched,
            **params,
        )
        if reply.too_long is not None:
            raise reply.too_long
        self.provider.ready()
        if history:
            leave_to_end(self.conversation)
        return reply

    def preview(
        self,
        prompt: str,
        *,
        system: str | None = None,
        history: bool = True,
        images: Iterable[str] = (),
        tools: Iterable[Callable[..., Any]] = (),
        cell_id: str | None = None,
        run: str | None = None,
        slot: Slot | None = None,
        watched: bool = False,
        **params: Any,
    ) -> Reply:
        """Return a reply to be looked at, not read: its `request` is what `stream` would send.

        It needs no credential, another reply may be under way, and what is too long is told by its `too_long`.
        Arguments and other errors as for `stream`.
        """
        if not prompt.strip():
            raise UsageError("the prompt is empty")
        merged = {**self.params, **params}
        provider = self.provider
        provider.check_params(merged)
        conversation = self.conversation
        slot = (slot or conversation.slot(cell_id, run)) if history else Slot(())
        system = conversation.system if system is None else system
        model = provider.model_info(self.model)
        images = tuple(images)
        toolbox = _toolbox(tools)
        told = slot.context if provider.sees(model.id) else [_in_words(turn) for turn in slot.context]
        messages, left_out, too_long = try_fit_messages(system, told, Message("user", prompt, images), model)
        turn = Turn(
            prompt,
            model=model.id,
            provider=provider.name,
            params=merged,
            system=system,
            left_out=left_out,
            images=images,
            cell_id=cell_id,
            run=run,
        )
        request = ChatRequest(
            model.id,
            messages,
            merged,
            tools=toolbox.tools if toolbox else (),
            conversation_id=conversation.id,
            asker=(cell_id, run) if cell_id and run else None,
            watched=watched,
        )
        provider.check_parts(request)
        kept_in = (conversation, slot) if history else None
        return Reply(provider, request, turn, kept_in, toolbox=toolbox, too_long=too_long)

    def retry(self, turn_id: str | None = None) -> Turn:
        """Ask a turn's prompt again, the last one's by default, and return the turn; errors as `redo`."""
        return _finished(self.redo(turn_id))

    def edit(self, turn_id: str, prompt: str) -> Turn:
        """Ask `prompt` in the place of an earlier turn and return the turn; errors as `redo`."""
        return _finished(self.redo(turn_id, prompt))

    def redo(
        self,
        turn_id: str | None = None,
        prompt: str | None = None,
        *,
        system: str | None = None,
        params: Mapping[str, Any] | None = None,
        tools: Iterable[Callable[..., Any]] = (),
        watched: bool = False,
    ) -> Reply:
        """Return the reply to a turn's prompt, asked again or put differently, to be iterated.

        The new turn takes the old one's place once it is of use, and turns after it become stale.

        Args:
            turn_id: the turn; the last one by default.
            prompt: another prompt; the turn's own by default.
            system: another system prompt; the turn's own by default.
            params: what to send besides the chat's own parameters; those of the turn by default.
            tools: functions that the model may ask to have called; a turn keeps none.
            watched: as for `stream`.

        Raises:
            UsageError: there is no such turn; or as `stream`.
        """
        turn = self._turn(turn_id)
        asked = {k: v for k, v in turn.params.items() if self._provider.takes(k)}
        return self.stream(
            turn.prompt if prompt is None else prompt,
            system=turn.system if system is None else system,
            cell_id=turn.cell_id,
            run=turn.run,
            slot=self.conversation.slot_of(turn.id),
            images=turn.images,
            tools=tools,
            watched=watched,
            **(asked if params is None else params),
        )

    def undo(self, count: int = 1) -> tuple[Turn, ...]:
        """Remove the last `count` turns and return them."""
        return self.conversation.undo(count)

    def clear(self) -> None:
        """Forget all turns."""
        self.conversation.clear()

    def fork(self, name: str = "fork", at: str | None = None) -> Chat:
        """Return a chat with the same provider and a copy of the conversation, up to the turn with id `at`."""
        return self.within(self.conversation.fork(name, at))

    def within(self, conversation: Conversation) -> Chat:
        """Return a chat with the same model and parameters in another conversation."""
        chat = Chat(self._provider, conversation=conversation, params=self.params)
        chat.model = self.model
        return chat

    def _turn(self, turn_id: str | None) -> Turn:
        turns = self.conversation.turns
        if not turns:
            raise UsageError("there is no turn yet")
        if turn_id is None:
            return turns[-1]
        at = len(self.conversation.slot_of(turn_id).context)
        return turns[at]


def _finished(reply: Reply) -> Turn:
    with reply:
        for _ in reply:
            pass
    assert reply.turn is not None
    return reply.turn


def _in_words(turn: Turn) -> Turn:
    """An earlier turn for a model that takes no images: it is told that there was one."""
    if not turn.images:
        return turn
    many = "an image" if len(turn.images) == 1 else f"{len(turn.images)} images"
    return replace(turn, prompt=f"{turn.prompt}\n\n[{many} that you can't see]", images=())


def _toolbox(functions: Iterable[Callable[..., Any]]) -> Toolbox | None:
    functions = tuple(functions)
    if not functions:
        return None
    from .tools.toolbox import Toolbox  # noqa: PLC0415  # few turns call functions; %load_ext does not wait for it

    return Toolbox(functions, describe=_described)


def _described(value: Any) -> str:
    """Describe a result that JSON can't hold, such as a data frame, for the model."""
    from .prompt.values import material_of  # noqa: PLC0415  # heavy and rare

    return material_of(value).text


def _resolved(
    model: str | type[Provider] | Provider | Callable[..., Any], settings: dict[str, Any]
) -> tuple[Provider, str]:
    """Return the provider and the model's id that `model` stands for."""
    given = {k: v for k, v in settings.items() if v is not None}
    if isinstance(model, Provider):
        if given:
            raise UsageError(f"this provider is made already; give it {', '.join(given)} when you make it")
        return model, model.default_model
    if isinstance(model, type) and issubclass(model, Provider):
        return _made(model, given), ""
    if isinstance(model, str):
        name, model_id = split_model(model)
        return _made(provider_class(name), given), model_id
    if callable(model):
        return _made(FunctionProvider, given, model), ""
    raise UsageError("the model must be 'provider:model', a Provider, or a function")


def _made(kind: type[Provider], given: dict[str, Any], *function: Callable[..., Any]) -> Provider:
    unknown = sorted(set(given) - kind.settings())
    if unknown:
        hint = f"; send it with params={{{unknown[0]!r}: ...}}" if unknown[0] in kind.parameters else ""
        known = ", ".join(sorted(kind.settings()))
        raise UsageError(f"{kind.name} has no setting {unknown[0]!r}{hint}; its settings are: {known}")
    return kind(*function, **given)
