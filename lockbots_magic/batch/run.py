"""Prepare a batch: check everything that can be checked before the first request."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Protocol

from ..conversation.cancellation import Cancellation
from ..conversation.conversation import Conversation
from ..errors import UsageError
from ..language import _
from ..providers.address import saved_address
from ..providers.base import Provider
from ..providers.batch_api import batch_service
from ..providers.streaming import translated_errors
from ..reply import PreparedRequest
from ..schema.structured_output import reply_schema
from ..tools.tool_source import as_tools
from .batch import Batch
from .budget import parse_budget
from .displays import find_display
from .progress import NO_DISPLAY, ProgressDisplay
from .remote import engine_class
from .row_requests import RowRequests
from .row_stream import RowStream
from .rows import RowSource, SourceRow, row_source
from .settings import BatchSettings
from .template import Filter, RowTemplate, send_all
from .usage import BatchUsage


class BatchChat(Protocol):
    """The part of a `Chat` that a batch needs."""

    model: str
    conversation: Conversation
    params: dict[str, Any]

    @property
    def provider(self) -> Provider:
        """Provider that answers."""

    def prepare(self, prompt: str, **options: Any) -> PreparedRequest:
        """Build a request; see `Chat.prepare`."""


class BatchPlan:
    """A batch that is ready to run; the arguments are those of `Chat.map`.

    It needs no credential, so that a dry run does without one; `run` and `stream` do.

    Raises:
        UsageError: An argument is invalid, or the template names an unknown column.
    """

    def __init__(
        self,
        chat: BatchChat,
        template: str,
        rows: Any,
        *,
        schema: Any = None,
        keep: str | Path | None = None,
        active: int = 8,
        rpm: float | None = None,
        tpm: float | None = None,
        budget: Any = None,
        prices: Mapping[str, Any] | None = None,
        sample: int | None = None,
        executor: Executor | None = None,
        images: str | Iterable[Any] = (),
        files: str | Iterable[Any] = (),
        variables: Mapping[str, Any] | None = None,
        through: str | None = None,
        raw: bool = False,
        prompt_filter: Filter = send_all,
        **options: Any,
    ) -> None:
        provider = chat.provider
        if options.get("tools") is not None:
            options["tools"] = as_tools(options["tools"])  # once: each request takes them
        _check_through(through, provider, tools=options.get("tools"), executor=executor)
        if "documents" in options:
            raise UsageError(_("Name documents by `files`: columns that hold them, or files of every row."))
        source = row_source(rows)
        if sample is not None:
            if not isinstance(sample, int) or sample < 1:
                raise UsageError(_("sample must be a whole number of rows above 0, got {sample!r}.", sample=sample))
            source = source.pick(sample)
        self.source, columns = _with_columns(source)
        self.template = RowTemplate(
            template,
            columns,
            variables or {},
            images=[images] if isinstance(images, str) else images,
            files=[files] if isinstance(files, str) else files,
            raw=raw,
            keep=prompt_filter,
            rules=provider.document_rules(chat.model),
        )
        wanted = None if schema is None else reply_schema(schema)
        prepare: Callable[..., PreparedRequest] = functools.partial(
            chat.prepare, history=False, schema=wanted, **options
        )
        requests = RowRequests(prepare, provider)
        with translated_errors(provider):
            model = provider.resolved(chat.model, Cancellation()).id
        self.settings = BatchSettings(
            provider,
            model,
            requests,
            _identity(requests.first, provider, model),
            wanted,
            keep,
            active,
            rpm,
            tpm,
            parse_budget(budget),
            prices,
            requests.first.request.params,
            executor,
            through or "",
            is_default_model=not requests.first.request.model,
        )

    def run(self, display: ProgressDisplay | None = None, *, watched: bool = True) -> Batch:
        """Run the batch and return it.

        Args:
            display: Shows how far it is; by default the one that is found.
            watched: False shows nothing.

        Raises:
            AuthenticationError: The credential is missing.
        """
        self._require_credential()
        shown = (find_display() if display is None else display) if watched else NO_DISPLAY
        return Batch(self.source, self.template, self.settings, shown).run()

    def stream(self) -> RowStream:
        """Return the rows as they will come.

        Raises:
            AuthenticationError: The credential is missing.
        """
        self._require_credential()
        engine = engine_class(self.settings)
        return RowStream(lambda: engine(self.settings, iter(self.source), self.template, BatchUsage()))

    def _require_credential(self) -> None:
        if self.settings.executor is None:  # workers elsewhere may have one of their own
            self.settings.provider.ready()


def _check_through(through: str | None, provider: Provider, *, tools: Any, executor: Any) -> None:
    if through is None:
        return
    if through != "batch":
        raise UsageError(_('through must be "batch", got {through!r:.60}.', through=through))
    if tools or executor is not None:
        raise UsageError(
            _('through="batch" takes neither tools nor an executor: the service itself runs the requests.')
        )
    batch_service(provider, "m")


def _identity(checked: PreparedRequest, provider: Provider, model: str) -> tuple[Any, ...]:
    """Return what decides answers besides the prompt of each row."""
    request = checked.request
    return (
        provider.name,
        model,
        saved_address(getattr(provider, "base_url", "") or ""),
        dict(request.params),
        request.schema and dict(request.schema),
        [tool.to_dict() for tool in request.tools],
        request.system,
        request.messages[-1].content,  # what a schema adds to a prompt
    )


def _with_columns(source: RowSource) -> tuple[RowSource, tuple[str, ...]]:
    """Return the rows, none of them lost, and the columns of the first one."""
    if source.is_sized:
        first = next(iter(source), None)
        return source, tuple(first.columns) if first else ()
    rows = iter(source)
    first = next(rows, None)
    return _Chained(source, [] if first is None else [first], rows), tuple(first.columns) if first else ()


class _Chained(RowSource):
    """Rows of an iterable whose first one has been read."""

    is_sized = False

    def __init__(self, whole: RowSource, first: list[SourceRow], rows: Iterable[SourceRow]) -> None:
        super().__init__(whole.table)
        self._rows = itertools.chain(first, rows)

    @property
    def size(self) -> int | None:
        return None

    def __iter__(self) -> Any:
        return self._rows
