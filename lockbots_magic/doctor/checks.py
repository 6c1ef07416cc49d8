"""The checks: each asks the server one small thing and measures what comes.

They go past cassettes: nothing is replayed or recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..cassette.active import cassette_of
from ..conversation.prices import find_price
from ..conversation.token_estimate import estimate_tokens
from ..conversation.usage import format_price
from ..errors import Cancelled, ConnectionFailed, LockbotsError, ProviderTimeout, RateLimitError, UsageError
from ..language import N_, _
from ..providers.address import display_address, is_local
from ..providers.base import Provider
from ..reply import PreparedRequest, Reply
from ..schema.structured_output import reply_schema
from .asker import MAX_TOKENS, Answer, Questioner, Stopped
from .pictures import red_square
from .report import CheckReport, CheckResult

COUNTING = "Count from 1 to 8, separated by spaces."
CALLING = "Call the function look_up_code with the name 'blue', then tell its result."
DESCRIBING = "What color is a ripe lemon? Give its name and the number of letters in that name."
LOOKING = "What is the color of this picture? Answer with one word."
NAMES = (
    N_("models"),
    N_("streaming"),
    N_("whole reply"),
    N_("token counts"),
    N_("tools"),
    N_("JSON schema"),
    N_("images"),
    N_("reasoning"),
)
"""Names of the findings, in order; a report shows them in the language of the user."""
REQUESTS = 6
"""Requests that have a price: the call of a tool takes two."""

Watch = Callable[[Reply], object]
Progress = Callable[[str], object]


def describe_cost(provider: Provider, model: str, prices: Mapping[str, Any] | None = None) -> str:
    """Return what a check may cost, ``""`` where it costs nothing: on this machine, and where the price is zero.

    Args:
        provider: The provider to be checked.
        model: Id of the model; `""` for the default.
        prices: The user's own prices, see `find_price`.
    """
    if not provider.base_url or is_local(provider.base_url):
        return ""
    info = provider.model_info(model)
    price = find_price(provider.name, info.id, prices)
    if price is not None and not any(price):
        return ""
    prompt = estimate_tokens(" ".join((COUNTING, COUNTING, CALLING, CALLING, DESCRIBING, LOOKING))) + 1_000
    amount = _("whose price is unknown")
    if price is not None:
        amount = _(
            "which cost up to about {cost}",
            cost=format_price(price.of(prompt, REQUESTS * MAX_TOKENS)),
        )
    return _("A check sends about {n} short requests, {amount}", n=REQUESTS, amount=amount)


def run_checks(
    provider: Provider,
    prepare: Callable[..., PreparedRequest],
    model: str = "",
    *,
    watch: Watch = lambda _: None,
    progress: Progress = lambda _: None,
) -> CheckReport:
    """Ask a server what it does, and return the report; stopped by the user, it holds what was measured so far.

    Args:
        provider: The provider; one behind a cassette is asked past it.
        prepare: `Chat.prepare` of a chat with that provider.
        model: Id of the model; `""` for the default.
        watch: Called with each reply before it is read, so that it can be stopped.
        progress: Called before each step, with a line that says what is measured.

    Raises:
        UsageError: A cassette that may only replay is in use.
    """
    cassette = cassette_of(provider)
    if cassette is not None:
        if cassette.mode == "replay":
            name = cassette.path.name
            raise UsageError(
                _("A check asks the server, but {name} is being replayed. Run `%lockbots live` first.", name=name)
            )
        provider = provider.provider  # type: ignore[attr-defined]  # of a provider behind a cassette
    return _Checkup(Questioner(provider, prepare, watch), model, progress).run()


class _Checkup:
    """One check of one server."""

    def __init__(self, asker: Questioner, model: str, progress: Progress) -> None:
        self._asker = asker
        self._progress = progress
        self._provider = asker.provider
        self._model = model
        self._findings: list[CheckResult] = []
        self._unreachable = ""
        self._called: list[str] = []

    def run(self) -> CheckReport:
        """Run all checks, until the user stops them."""
        stopped = False
        try:
            for number, (what, check) in enumerate(self._steps(), 1):
                self._progress(
                    _("Checking {what} ({number} of {total})…", what=_(what), number=number, total=len(self._steps()))
                )
                check()
        except (KeyboardInterrupt, Stopped, Cancelled):
            stopped = True
        done = {finding.name for finding in self._findings}
        why = _("The check was stopped.") if stopped else self._unreachable
        rest = [CheckResult(name, "not tried", why) for name in NAMES if name not in done]
        provider = self._provider
        model = next((r.turn.model for r in self._asker.replies if r.turn and r.turn.model), self._model)
        dialects = getattr(provider, "dialects", ())
        return CheckReport(
            provider.name,
            model,
            display_address(provider.base_url) if provider.base_url else "",
            (*self._findings, *rest),
            dialect=provider.dialect.name if len(dialects) > 1 else "",  # type: ignore[attr-defined]  # with dialects
            adapted=(*self._asker.without, *provider.learned.all_adaptations()),
            stopped=stopped,
            replies=tuple(self._asker.replies),
        )

    def _steps(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """Return what is measured together, in order, with the method that does it."""
        return (
            ("models", self._check_models),
            (N_("replies"), self._check_replies),
            ("tools", self._check_tools),
            ("JSON schema", self._check_schema),
            ("images", self._check_image),
            ("reasoning", self._check_reasoning),
        )

    def _find(self, name: str, *, ok: bool, details: str, advice: str = "", error: LockbotsError | None = None) -> None:
        """Add what was measured; a limit of time or rate is no answer to the question."""
        if isinstance(error, ProviderTimeout):
            self._leave(name, _("There was no answer in time."))
        elif isinstance(error, RateLimitError):
            self._leave(name, str(error))
        else:
            self._findings.append(CheckResult(name, "yes" if ok else "no", details, "" if ok else advice))

    def _leave(self, name: str, why: str) -> None:
        self._findings.append(CheckResult(name, "not tried", why))

    def _check_models(self) -> None:
        provider = self._provider
        if provider.models or type(provider).list_models is Provider.list_models:
            self._leave("models", _("The provider {name} asks no server for a list.", name=provider.name))
            return
        try:
            listed = provider.model_list().models
        except LockbotsError as error:
            advice = (
                ""
                if isinstance(error, ConnectionFailed)
                else _("Name the model yourself: `{name}:MODEL`.", name=provider.name)
            )
            self._find("models", ok=False, details=str(error), advice=advice, error=error)
            return
        names = [one.id for one in listed]
        if not names:
            self._find("models", ok=False, details=_("The list is empty."), advice=_("Load a model at the server."))
            return
        known = _("; {model} is not among them", model=self._model) if self._model and self._model not in names else ""
        self._find(
            "models",
            ok=True,
            details=_("{n} listed, such as {first}{known}", n=len(names), first=names[0], known=known),
        )

    def _check_replies(self) -> None:
        if self._unreachable:
            return
        streamed = self._asker.ask(COUNTING, stream=True)
        ok = streamed.error is None and streamed.pieces > 1
        words = _("{pieces} pieces", pieces=streamed.pieces) if ok else streamed.words
        if streamed.error is None and streamed.pieces == 1:
            words = _("The reply came as one whole.")
        advice = "" if streamed.is_final else _("Ask for whole replies: `%lockbots set stream off`.")
        self._find("streaming", ok=ok, details=words, advice=advice, error=streamed.error)
        if streamed.is_final:
            self._unreachable = _("There was no reply, see above.")
            return
        whole = self._asker.ask(COUNTING, stream=False)
        ok = whole.error is None and whole.has_text
        self._find(
            "whole reply", ok=ok, details="" if ok else whole.words, advice=_("Leave `stream` on."), error=whole.error
        )
        self._check_usage(streamed, whole)
        if not (streamed.has_text or whole.has_text):
            self._unreachable = _("There was no reply, see above.")

    def _check_usage(self, streamed: Answer, whole: Answer) -> None:
        told = {
            how: _(
                "{prompt_tokens} + {completion_tokens} tokens",
                prompt_tokens=answer.turn.usage.prompt_tokens,
                completion_tokens=answer.turn.usage.completion_tokens,
            )
            for how, answer in (("streamed", streamed), ("whole", whole))
            if answer.turn and answer.turn.usage and answer.turn.usage.prompt_tokens is not None
        }
        if not (streamed.has_text or whole.has_text):
            return
        details = ", ".join(f"{_(how)}: {count}" for how, count in told.items())
        advice = _("They are estimated where they are missing.")
        asked = {how for how, answer in ((N_("streamed"), streamed), (N_("whole"), whole)) if answer.has_text}
        missing = ", ".join(map(_, sorted(asked - set(told))))
        details = "; ".join(filter(None, (details, missing and _("none with a {missing} reply", missing=missing))))
        self._find("token counts", ok=not missing, details=details, advice=advice)

    def _check_tools(self) -> None:
        if self._unreachable:
            return
        if not self._provider.takes_tools:
            self._leave("tools", _("The provider {name} has no tools.", name=self._provider.name))
            return
        answer = self._asker.ask(CALLING, tools=[self._look_up_code()])
        if self._called:
            finished = "" if answer.error is None else _(", then: {error}", error=answer.error)
            details = _(
                "It called look_up_code({names}){finished}",
                names=", ".join(map(repr, self._called[:3])),
                finished=finished,
            )
            advice = _("The results of functions can't be sent back.")
            self._find("tools", ok=answer.error is None, details=details, advice=advice, error=answer.error)
            return
        calls = answer.turn.calls if answer.turn else ()
        words = _("Its call can't be run: {call}", call=calls[0]) if calls else answer.words
        advice = _("Use a model made to call functions; vLLM needs --enable-auto-tool-choice, too.")
        self._find("tools", ok=False, details=words, advice=advice, error=answer.error)

    def _look_up_code(self) -> Callable[[str], str]:
        def look_up_code(name: str) -> str:
            """Return the code of a color.

            Args:
                name: Name of the color.
            """
            self._called.append(name)
            return "B-17"

        return look_up_code

    def _check_schema(self) -> None:
        if self._unreachable:
            return
        answer = self._asker.ask(DESCRIBING, schema=_Color)
        details = answer.words
        ok = False
        if answer.error is None and answer.turn is not None:
            try:
                reply_schema(_Color).parse(answer.turn.reply)
                ok, details = True, _("It answered {text}", text=" ".join(answer.turn.reply.split()))
            except ValueError as error:  # SchemaMismatch
                details = f"{error}. {details}"
        stated = {"response_format", "schema", "text.format"} & set(self._provider.learned.all_adaptations())
        if stated:
            details = _("The server refuses schemas, so the prompt alone stated it. {details}", details=details)
        advice = _("`--as json --schema` asks again, at most twice.")
        self._find("JSON schema", ok=ok and not stated, details=details, advice=advice, error=answer.error)

    def _check_image(self) -> None:
        if self._unreachable:
            return
        if not self._provider.sees(self._model):
            self._leave("images", _("{name} is not known to take images with this model.", name=self._provider.name))
            return
        answer = self._asker.ask(LOOKING, images=[red_square()])
        ok = answer.error is None and answer.turn is not None and "red" in answer.turn.reply.lower()
        details = _("It saw the red square.") if ok else answer.words
        self._find("images", ok=ok, details=details, advice=_("Use a model that sees pictures."), error=answer.error)

    def _check_reasoning(self) -> None:
        """Look for reasoning in the replies so far: it costs no request."""
        if self._unreachable:
            return
        turns = [reply.turn for reply in self._asker.replies if reply.turn]
        texts = [turn.reasoning for turn in turns if turn.reasoning]
        counted = max((turn.usage.reasoning_tokens or 0 for turn in turns if turn.usage), default=0)
        details = _("None came with these replies.")
        if texts:
            details = _("It came apart from the text, with {n} of {total} replies.", n=len(texts), total=len(turns))
        elif counted:
            details = _("It is counted, up to {counted:,} tokens, but not sent.", counted=counted)
        advice = _("A model that can reason may want to be asked: `-p reasoning_effort=low`.")
        self._find("reasoning", ok=bool(texts or counted), details=details, advice=advice)


@dataclass
class _Color:
    """What is asked for as JSON."""

    name: str
    letters: int
