"""Chat: one conversation and one provider."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cassette.active import with_active_cassette, with_cassette
from ..conversation.conversation import Conversation
from ..conversation.documents import SentDocument
from ..conversation.messages import CellOrigin
from ..conversation.model_names import GUIDE
from ..conversation.turn import Turn
from ..errors import UsageError
from ..language import _
from ..providers.base import Provider
from ..providers.headers import RequestHeaders
from ..providers.validation import wrap_credential
from ..reply import PreparedRequest, Reply
from ..security.secrets import Secret
from ..tools.approval import Approval, ApprovalMemory, Approve, check_policy
from ..tools.limits import Limits
from ..tools.tool_source import as_tools
from .attachments import as_documents
from .model_argument import resolve_provider
from .redo import params_again, remarks_on_redo
from .request import RequestOptions, build_request, check_system

if TYPE_CHECKING:
    from ..batch.batch import Batch
    from ..batch.row_stream import RowStream
    from ..batch.run import BatchPlan
    from ..cassette.cassette import Cassette
    from ..doctor import CheckReport
    from ..schema.structured_output import ReplySchema
    from ..tools.use import ToolUse


class Chat:
    """Talk to one model in one conversation.

    `copy.copy` shares the conversation and the provider; `copy.deepcopy` copies both, with the credential. A pickle
    never holds the credential: a loaded chat takes it from the environment. A function that can't be pickled, such as
    a lambda, can't be pickled as a model.

    Args:
        model: ``"provider:model"``, a provider's name for its default model, a `Provider`, or any function that
            takes a prompt and returns or yields text.
        auth: Credential; by default the one in the environment.
        base_url: Base URL of the service; by default the provider's.
        headers: Further headers of every request, such as ``{"X-Dept": "7", "X-Api-Key": "$GATEWAY_KEY"}``: a value
            ``$NAME`` is read from the environment. Values of headers that hold a credential by their name are hidden.
        system: System prompt.
        conversation: Conversation to continue; by default a new one.
        params: Parameters of every request, such as ``{"temperature": 0.2}``.
        approve: Policy of tool calls where `prepare` gets none: ``"auto"``, ``"ask"``, ``"never"``, a dict of globs,
            or a function; see `prepare`.
        limits: Limits of replies that call tools, such as ``{"rounds": 20, "seconds": 60}``; see `Limits`.
        cassette: File in which answers are recorded and from which they are replayed.
        mode: Mode of the cassette: ``"auto"`` (default) sends only prompts without a recorded answer; ``"replay"``,
            ``"record"`` and ``"new"``: see `Cassette`.
        speed: Replay speed: 1 is the recorded speed, 0 (default) replays without pauses.
        **settings: Other arguments of the provider, such as ``total_timeout=60`` (s), or ``stream=False`` to get each
            reply as one whole.

    Raises:
        UsageError: If the provider or a setting is unknown, or the cassette can't be used.

    Example:
        >>> Chat(lambda prompt: prompt.upper()).ask("hello").reply
        'HELLO'
    """

    def __init__(
        self,
        model: str | Provider | Callable[..., Any] = GUIDE,
        *,
        auth: str | Secret | None = None,
        base_url: str | None = None,
        headers: Mapping[str, str | Secret] | RequestHeaders | None = None,
        system: str | None = None,
        conversation: Conversation | None = None,
        params: Mapping[str, Any] | None = None,
        approve: Approve | Approval = None,
        limits: Limits | Mapping[str, Any] | None = None,
        cassette: str | Path | Cassette | None = None,
        mode: str | None = None,
        speed: float | None = None,
        **settings: Any,
    ) -> None:
        auth = wrap_credential(auth)  # first, so that no traceback of this frame shows it
        headers = None if headers is None else RequestHeaders.of(headers)
        provider, self.model = resolve_provider(
            model, {"auth": auth, "base_url": base_url, "headers": headers, **settings}
        )
        self._provider = with_cassette(provider, cassette, mode, speed)
        self.conversation = Conversation() if conversation is None else conversation
        check_system(system)
        if system is not None:
            self.conversation.system = system
        self.params = dict(params or {})
        self.log = True
        """False keeps the turns of this chat out of the log, also when the log is on."""
        check_policy(None if isinstance(approve, Approval) else approve)
        self.approve = approve
        """Policy of tool calls, where a request has none of its own."""
        self.limits = Limits.of(limits)
        """Limits of replies that call tools; those of a request apply besides."""
        self.prices: Mapping[str, Any] = {}
        """The user's own prices, in USD per 1,000,000 tokens, for a limit of USD; see `%lockbots help usage`."""
        self.approvals = ApprovalMemory()
        """What the user has approved in this session."""

    @property
    def provider(self) -> Provider:
        """Provider that answers; wrapped by the cassette in use, if there is one."""
        return with_active_cassette(self._provider)

    def __repr__(self) -> str:
        name = self._provider.name
        model = f"{name}:{self.model}" if self.model else name
        return f"Chat({model}, {self.conversation!r})"

    def prepare(
        self,
        prompt: str,
        *,
        system: str | None = None,
        history: bool = True,
        images: Iterable[Any] | Any = (),
        documents: Iterable[str | Path | SentDocument] | str | Path = (),
        tools: Iterable[Any] | Callable[..., Any] = (),
        approve: Approve | Approval = None,
        limits: Limits | Mapping[str, Any] | None = None,
        schema: Any = None,
        origin: CellOrigin | None = None,
        **params: Any,
    ) -> PreparedRequest:
        """Build a request without sending it.

        `PreparedRequest.send` and `.stream` send it; without them it is a dry run. A dry run needs no credential,
        another reply may be in progress, and a prompt that is too long is reported by `.too_long`.

        Args:
            prompt: Text of the prompt.
            system: System prompt for this turn alone.
            history: False sends without history and doesn't save the turn.
            images: Images that go with the prompt: files, URLs (``data:image/png;base64,...`` among them), bytes,
                figures and pictures; or one of them.
            documents: Files that go with the prompt, as for ``--file``: ``["report.pdf", "notes.md"]``. A PDF goes as
                the file where the service takes it, else as its text, as does ``"report.pdf#3-5"``; see the setting
                `send_documents` of providers. Documents of another turn may be among them.
            tools: What the model may call: functions, sync or async, sources of tools such as MCP servers, and lists of
                these.
            approve: Which calls are made: ``"auto"`` for all, ``"ask"`` to be asked about each first, ``"never"``; a
                dict of globs of names to these, such as ``{"read_*": "auto", "*": "ask"}``, of which the first match
                wins; or a function that gets a call (`.name`, `.arguments`, a dict) and returns True, False, a text
                that tells the model why not, or a changed call. By default the chat's; without one, functions that are
                named one by one are called, and all else is asked about. Where nobody can be asked, the answer is no.
            limits: Limits of this reply, such as ``{"seconds": 60}``, besides the chat's; see `Limits`.
            schema: What the reply must be, as for `lockbots_magic.schema.structured_output.reply_schema`, whose
                `parse` reads the value from the reply. The prompt states it, and a service that can enforces it.
            origin: Notebook cell that sends the prompt.
            **params: Parameters of this request, such as ``temperature=0.2``; they override the chat's.
                ``stream=False`` asks for the reply as one whole.

        Returns:
            The prepared request.

        Raises:
            UsageError: If the prompt is empty, a parameter is unknown, or the model takes no images or tools; or if a
                tool, a policy or a limit is invalid.
            ModelNotFoundError: If the provider doesn't know the model.

        Example:
            >>> Chat("guide").prepare("What is a cell?").request.messages[-1].content
            'What is a cell?'
        """
        asked = RequestOptions(
            prompt=prompt,
            system=system,
            history=history,
            images=images,
            documents=as_documents(documents),
            tools=as_tools(tools),
            approve=approve,
            limits=limits,
            schema=None if schema is None else _reply_schema(schema),
            origin=origin or CellOrigin(),
            params=params,
        )
        return self._prepare(asked)

    def stream(self, prompt: str, **options: Any) -> Reply:
        """Return the reply; iterate or await it. Nothing is sent before the first step.

        ``for text in reply`` and ``async for text in reply`` give its text, ``await reply`` the turn.

        Args:
            prompt: Text of the prompt.
            **options: As for `prepare`.

        Raises:
            UsageError: As for `prepare`; or another reply is in progress, unless this one is awaited: it waits.
            PromptTooLongError: If the prompt alone exceeds the context window.
            AuthenticationError: If the credential is missing.
            NotRecordedError: If the cassette in use is replay-only and has no answer.

        Example:
            >>> "".join(Chat(lambda prompt: f"You said {prompt}").stream("Hi"))
            'You said Hi'
        """
        return self.prepare(prompt, **options).stream()

    def ask(self, prompt: str, **options: Any) -> Turn:
        """Send a prompt, wait for the whole reply and return the turn.

        Args:
            prompt: Text of the prompt.
            **options: As for `prepare`.

        Raises:
            UsageError, AuthenticationError, NotRecordedError: As for `stream`.
            ProviderError: If the provider failed; the turn keeps the text received so far.
            Interrupted: If the kernel was interrupted.

        Example:
            >>> Chat(lambda prompt: f"You said {prompt}").ask("Hi").reply
            'You said Hi'
        """
        return self.prepare(prompt, **options).send()

    async def ask_async(self, prompt: str, **options: Any) -> Turn:
        """Send a prompt, await the whole reply and return the turn. Other tasks of the loop run meanwhile.

        Several may be awaited at once. In one conversation they wait for each other, in the order in which they began.

        Args:
            prompt: Text of the prompt.
            **options: As for `prepare`.

        Raises:
            UsageError, AuthenticationError, NotRecordedError, ProviderError: As for `ask`.
            asyncio.CancelledError: If the task was cancelled; the turn keeps the text received so far, as interrupted.

        Example:
            >>> import asyncio
            >>> asyncio.run(Chat(lambda prompt: f"You said {prompt}").ask_async("Hi")).reply
            'You said Hi'
        """
        return await self.stream(prompt, **options)

    def _prepare(self, asked: RequestOptions) -> PreparedRequest:
        """Prepare a request that can be prepared again, as its conversation may go on while it waits."""
        merged = replace(asked, params={**self.params, **asked.params}, log=self.log and asked.log)
        prepared = build_request(merged, self.provider, self.model, self.conversation, partial(self._tool_use, asked))
        return replace(prepared, prepare_again=partial(self._prepare, asked))

    def _tool_use(self, asked: RequestOptions, provider: Provider) -> ToolUse | None:
        """Return the tools of a request; None if it has none."""
        if not asked.tools:
            return None
        from .requested_tools import use_tools  # noqa: PLC0415  # most requests have none, and it takes long to import

        approve = self.approve if asked.approve is None else asked.approve
        limits = self.limits & Limits.of(asked.limits)
        return use_tools(asked.tools, provider, approve, memory=self.approvals, limits=limits, prices=self.prices)

    def map(self, template: str, rows: Any, *, progress: bool = True, **options: Any) -> Batch:
        """Send a prompt for each row of a table, and return the answers beside the rows.

        Each row starts from the system prompt alone; nothing joins the conversation. The failure of a row is a value of
        the row. Ctrl-C ends the batch and returns what there is.

        Args:
            template: The prompt; ``{{ review }}`` is the row's column, other names are variables of the caller.
            rows: A data frame or series of pandas or Polars, a list of dicts, or another iterable, which is read as it
                is needed.
            progress: True shows how far the batch is, where somebody watches.
            **options: ``schema``: what each reply must be, as for `prepare`. ``keep``: file that journals the answers;
                run again, the batch asks only what it lacks. ``active``: most requests under way (8). ``rpm`` and
                ``tpm``: requests and tokens a minute. ``budget``: USD, or text such as ``"500k tokens"``. ``prices``:
                USD per 1,000,000 tokens, as ``{"provider:model": [prompt, reply]}``. ``sample``: number of rows to ask
                about, spread over the table. ``executor``: where requests are sent; any
                `concurrent.futures.Executor`, by default threads. ``images`` and ``files``: columns that hold them.
                ``variables``: names of the template besides the columns. All others are those of `prepare`, such as
                ``tools`` and ``temperature``.

        Returns:
            The batch: ``.frame``, ``.failed``, ``.retry()``, ``.usage``.

        Raises:
            UsageError: If an argument is invalid, or the price that ``budget`` needs is unknown; nothing was sent.
            AuthenticationError: If the credential is missing.

        Example:
            >>> batch = Chat(lambda prompt: prompt.upper()).map("say {{ word }}", [{"word": "a"}, {"word": "b"}])
            >>> [row["reply"] for row in batch.rows]
            ['SAY A', 'SAY B']
        """
        options.setdefault("variables", _caller_variables())
        plan = self._plan(template, rows, options)
        return plan.run(watched=progress)

    def rows(self, template: str, rows: Any, **options: Any) -> RowStream:
        """Send a prompt for each row of a table, and yield the rows as they are answered.

        Args:
            template: As for `map`.
            rows: As for `map`.
            **options: As for `map`.

        Returns:
            The rows, to be iterated by ``for`` or ``async for``: ``.index``, ``.value``, ``.error``, ``.reused``.

        Raises:
            UsageError, AuthenticationError: As for `map`.

        Example:
            >>> for row in Chat(lambda prompt: prompt.upper()).rows("say {{ value }}", ["a"]):
            ...     print(row.index, row.value)
            0 SAY A
        """
        options.setdefault("variables", _caller_variables())
        return self._plan(template, rows, options).stream()

    def _plan(self, template: str, rows: Any, options: dict[str, Any]) -> BatchPlan:
        from ..batch.run import BatchPlan  # noqa: PLC0415  # rare

        return BatchPlan(self, template, rows, **options)

    def check(
        self,
        *,
        yes: bool = False,
        prices: Mapping[str, Any] | None = None,
        watch: Callable[[Reply], object] = lambda _: None,
        progress: Callable[[str], object] = lambda _: None,
    ) -> CheckReport:
        """Measure what the server does: models, streaming, token counts, tools, JSON schemas, images and reasoning.

        Nothing of it joins the conversation, and it goes past cassettes. Stopped by an interrupt, the report holds what
        was measured so far, and says so.

        Args:
            yes: True to send requests that may cost something.
            prices: The user's own prices, in USD per 1,000,000 tokens; see `%lockbots help usage`.
            watch: Called with each reply before it is read.
            progress: Called before each step, with a line that says what is measured.

        Returns:
            The report, which shows itself as a table; `.text` is for reports of bugs.

        Raises:
            UsageError: If it may cost something and `yes` is False, or a cassette that may only replay is in use.

        Example:
            >>> Chat(lambda prompt: "1 2 3").check()["streaming"].state
            'no'
        """
        from ..doctor import describe_cost, run_checks  # noqa: PLC0415  # rare

        if not yes and (cost := describe_cost(self._provider, self.model, prices)):
            raise UsageError(
                _("{cost}. To send them, run `%lockbots check --yes`, or `chat.check(yes=True)`.", cost=cost)
            )
        unlogged = self.with_conversation(self.conversation)
        unlogged.log = False
        return run_checks(self.provider, unlogged.prepare, self.model, watch=watch, progress=progress)

    def retry(self, turn_id: str | None = None) -> Turn:
        """Ask a turn's prompt again, the last one's by default, and return the turn; errors as `redo`."""
        return self.redo(turn_id).wait()

    def edit(self, turn_id: str, prompt: str) -> Turn:
        """Ask `prompt` in the place of an earlier turn and return the turn; errors as `redo`."""
        return self.redo(turn_id, prompt).wait()

    def redo(
        self,
        turn_id: str | None = None,
        prompt: str | None = None,
        *,
        system: str | None = None,
        params: Mapping[str, Any] | None = None,
        tools: Iterable[Any] | Callable[..., Any] | None = None,
        approve: Approve | Approval = None,
        origin: CellOrigin | None = None,
    ) -> Reply:
        """Return the reply to a turn's prompt, sent again as it is or edited; iterate it for its text.

        The new turn replaces the old one unless it fails; turns after it become stale. Of a turn out of a file, only
        parameters that shape the reply and images on the web are sent again; a remark on the new turn says what is not.

        Args:
            turn_id: Id of the turn; the last one by default.
            prompt: New prompt; by default the turn's.
            system: New system prompt; by default the turn's.
            params: Parameters besides the chat's; by default the turn's.
            tools: What the model may call; by default what was named for the turn in this process. The names in a turn
                are never looked up.
            approve: Policy of its calls, as for `prepare`.
            origin: Notebook cell that sends the prompt; the turn stays with the cell that owns it.

        Raises:
            UsageError: If there is no such turn, or as for `stream`.
        """
        turn = self._turn(turn_id)
        again, left_out = params_again(turn, self._provider) if params is None else (params, [])
        named = self.conversation.tools_of(turn.id) if tools is None else as_tools(tools)
        asked = RequestOptions(
            prompt=turn.prompt if prompt is None else prompt,
            system=turn.system if system is None else system,
            images=turn.sent_images,
            documents=turn.sent_documents,
            tools=named,
            approve=approve,
            origin=replace(origin or CellOrigin(), cell_id=turn.cell_id, run=turn.run),
            params=again,
            replaces=turn.id,
            remarks=(*remarks_on_redo(turn, left_out, has_tools=bool(named)),),
            log=not self.conversation.is_unlogged(turn.id),
        )
        return self._prepare(asked).stream()

    def undo(self, count: int = 1) -> tuple[Turn, ...]:
        """Remove the last `count` turns and return them."""
        return self.conversation.undo(count)

    def clear(self) -> None:
        """Remove all turns."""
        self.conversation.clear()

    def fork(self, name: str = "fork", at: str | None = None) -> Chat:
        """Return a chat with the same provider and a copy of the conversation, up to the turn with id `at`."""
        return self.with_conversation(self.conversation.fork(name, at))

    def with_conversation(self, conversation: Conversation) -> Chat:
        """Return a chat with the same model and parameters in another conversation."""
        chat = Chat(
            self._provider, conversation=conversation, params=self.params, approve=self.approve, limits=self.limits
        )
        chat.model, chat.log = self.model, self.log
        chat.prices, chat.approvals = self.prices, self.approvals
        return chat

    def _turn(self, turn_id: str | None) -> Turn:
        turns = self.conversation.turns
        if not turns:
            raise UsageError(_("The conversation has no turns yet."))
        if turn_id is None:
            return turns[-1]
        at = len(self.conversation.slot_of(turn_id).context)
        return turns[at]


def _caller_variables() -> Mapping[str, Any]:
    """Return the variables of the code that called a method of `Chat`."""
    frame = sys._getframe(2)  # the documented way to a caller's frame
    return {**frame.f_globals, **frame.f_locals}


def _reply_schema(schema: Any) -> ReplySchema:
    from ..schema.structured_output import reply_schema  # noqa: PLC0415  # loads a parser of Markdown, and rare

    return reply_schema(schema)
