"""Settings of the magics, for `%lockbots set`, `%config Lockbots` and IPython's configuration files."""

from __future__ import annotations

import difflib
import math
import os
from typing import Any

from traitlets import Any as TraitAny
from traitlets import Bool, Dict, Enum, Float, Int, TraitError, Unicode, default, validate
from traitlets.config import Configurable

from ..conversation.documents import DOCUMENT_MODES
from ..conversation.prices import parse_prices
from ..errors import UsageError
from ..language import AUTO, N_, _, available_languages, choose_language
from ..providers.headers import RequestHeaders
from ..providers.parameters import check_temperature
from ..providers.validation import parse_count, wrap_credential
from ..providers.wire.prompt_cache import CACHE_MODES
from ..tools.approval import check_policy
from ..tools.limits import Limits

LIVE = ("auto", "on", "off", "text")
REASONING = ("fold", "show", "hide")
"""Values of the setting `reasoning`: `rendering.reasoning.ReasoningMode`."""


class _InvalidSettingError(TraitError):
    """A value that a check of this module refuses; the message is for the user."""


class Lockbots(Configurable):
    """Talk to language models from a notebook. `%config Lockbots.NAME = VALUE` sets any of these."""

    model = Unicode(help="Model: provider:model, or a provider's name for its default model.").tag(config=True)
    system = Unicode(help="System prompt, sent with every turn.").tag(config=True)
    temperature = Float(
        None, allow_none=True, help="Sampling temperature, 0-2; lower is more deterministic. None: provider's default."
    ).tag(config=True)
    language = Enum(
        (AUTO, *available_languages()),
        AUTO,
        help="Language of messages and help: a code such as ru, or auto (by LANGUAGE, LC_ALL, LC_MESSAGES and LANG).",
    ).tag(config=True)
    live = Enum(LIVE, help="Live output: on, off, auto (on if a person watches) or text (plain text).").tag(config=True)
    reasoning = Enum(
        REASONING,
        "fold",
        help="Reasoning of a model: fold (open while it comes, folded after), show (open) or hide.",
    ).tag(config=True)
    foot_line = Bool(True, help="Whether a line below each reply tells its model, time, tokens and cost.").tag(
        config=True
    )
    timeout = Float(10.0, min=0.001, help="Connect timeout, s.").tag(config=True)
    silence_timeout = Float(
        None,
        allow_none=True,
        min=0.001,
        help="Maximum silence of a server, s. None: 600 s, and no limit for a server on this machine.",
    ).tag(config=True)
    total_timeout = Float(
        None, allow_none=True, min=0.001, help="Maximum time for a whole reply, s. None: no limit."
    ).tag(config=True)
    stream = Bool(True, help="Whether replies come piece by piece (on), or each as one whole (off).").tag(config=True)
    cache = Enum(
        CACHE_MODES,
        "auto",
        help="How long a service keeps the head of a conversation, where it is asked to: auto, off or 1h.",
    ).tag(config=True)
    send_documents = Enum(
        DOCUMENT_MODES,
        "auto",
        help="How documents are sent: auto (a PDF as the file where the service takes it, else as its text), native "
        "(as files, or an error) or text.",
    ).tag(config=True)
    send_secrets = Bool(
        False, help="Whether prompts may hold what looks like a secret, such as a token; off leaves it out."
    ).tag(config=True)
    log = Bool(False, help="Whether turns are kept in a log on this machine, see `%lockbots help log`.").tag(
        config=True
    )
    max_retries = Int(2, help="Retries while no text has been received.").tag(config=True)
    providers = Dict(help="Settings of providers: name -> {'base_url': ..., ...}.").tag(config=True)
    approve = TraitAny(
        None,
        allow_none=True,
        help="Which tool calls are made: auto, ask, never, a dict of globs, or a function. None: functions named one "
        "by one are called, all else is asked about.",
    ).tag(config=True)
    limits = Dict(help="Limits of replies that call tools: rounds, seconds, tokens, usd.").tag(config=True)
    personas = Dict(help="System prompts by name, for --system @NAME: name -> text; {{ }} in it is filled in.").tag(
        config=True
    )
    prices = Dict(help="USD per 1,000,000 tokens: provider:model -> [prompt, reply], or [prompt, reply, cached].").tag(
        config=True
    )

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        choose_language(self.language)
        self.observe(lambda change: choose_language(change["new"]), "language")

    @default("model")
    def _default_model(self) -> str:
        return os.environ.get("LOCKBOTS_MODEL", "").strip() or "guide"

    @default("live")
    def _default_live(self) -> str:
        mode = os.environ.get("LOCKBOTS_LIVE", "").strip().lower()
        return {"1": "on", "0": "off"}.get(mode, mode if mode in LIVE else "auto")

    @validate("temperature")
    def _check_temperature(self, proposal: Any) -> float | None:
        value: float | None = proposal["value"]
        try:
            check_temperature(math.inf if value is not None and math.isnan(value) else value)
        except UsageError as error:
            raise _InvalidSettingError(str(error)) from None
        return value

    @validate("max_retries")
    def _check_max_retries(self, proposal: Any) -> int:
        try:
            return parse_count("max_retries", proposal["value"])
        except UsageError as error:
            raise _InvalidSettingError(str(error)) from None

    @validate("approve")
    def _check_approve(self, proposal: Any) -> Any:
        try:
            check_policy(proposal["value"])
        except UsageError as error:
            raise _InvalidSettingError(str(error)) from None
        return proposal["value"]

    @validate("limits")
    def _check_limits(self, proposal: Any) -> dict[str, Any]:
        given: dict[str, Any] = proposal["value"]
        try:
            Limits.of(given)
        except UsageError as error:
            raise _InvalidSettingError(str(error)) from None
        return given

    @validate("providers")
    def _check_providers(self, proposal: Any) -> dict[str, dict[str, Any]]:
        given = proposal["value"]
        if not all(isinstance(name, str) and isinstance(one, dict) for name, one in given.items()):
            raise _InvalidSettingError(
                _("providers must be a dict of dicts, such as {'openai': {'base_url': 'http://localhost:8000/v1'}}.")
            )
        for name, one in given.items():
            if reserved := {"model", "conversation"} & one.keys():
                raise TraitError(_("providers[{name!r}] can't set {field!r}", name=name, field=reserved.pop()))
        return {name: _hide_credentials(one) for name, one in given.items()}

    @validate("prices")
    def _check_prices(self, proposal: Any) -> dict[str, Any]:
        given: dict[str, Any] = proposal["value"]
        try:
            parse_prices(given)
        except UsageError as error:
            raise _InvalidSettingError(str(error)) from None
        return given

    def rows(self) -> list[tuple[str, Any, str]]:
        """Return the settings: name, value and help."""
        return [
            (name, getattr(self, name), trait.help) for name, trait in sorted(self.class_traits(config=True).items())
        ]

    def find(self, name: str) -> Any:
        """Return the trait of a setting.

        Raises:
            UsageError: If there is no such setting.
        """
        traits = self.class_traits(config=True)
        if name not in traits:
            near = difflib.get_close_matches(name, traits, 1)
            hint = (
                _("Did you mean {near!r}?", near=near[0])
                if near
                else _("Settings: {names}.", names=", ".join(sorted(traits)))
            )
            raise UsageError(_("Unknown setting {name!r}. {hint}", name=name, hint=hint))
        return traits[name]

    def assign(self, name: str, value: Any) -> None:
        """Set a setting.

        Raises:
            UsageError: If there is no such setting, or the value is invalid.
        """
        trait = self.find(name)
        try:
            setattr(self, name, _convert(trait, value))
        except _InvalidSettingError as error:  # says what is valid
            raise UsageError(str(error)) from error
        except TraitError as error:
            raise UsageError(f"{_expected(name, trait, value)} {_(trait.help)}") from error


def _hide_credentials(given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a provider with their credentials wrapped.

    Raises:
        _InvalidSettingError: A header is invalid.
    """
    hidden = {**given, **({"auth": wrap_credential(given["auth"])} if given.get("auth") else {})}
    if given.get("headers") is not None:
        try:
            hidden["headers"] = RequestHeaders.of(given["headers"])
        except UsageError as error:
            message = str(error)
        else:
            return hidden
        raise _InvalidSettingError(message)
    return hidden


_INFO_TEXTS = (N_("a float"), N_("an int"), N_("another value"))
"""What traitlets calls the values of settings, and what stands for its other words."""


def _expected(name: str, trait: Any, value: Any) -> str:
    kinds = {
        "stream": _("on or off"),
        "send_secrets": _("on or off"),
        "foot_line": _("on or off"),
        "reasoning": _("one of {names}", names=", ".join(REASONING)),
        "log": _("on or off"),
        "language": _("one of {names}", names=", ".join((AUTO, *available_languages()))),
        "live": _("one of {names}", names=", ".join(LIVE)),
        "cache": _("one of {names}", names=", ".join(CACHE_MODES)),
        "send_documents": _("one of {names}", names=", ".join(DOCUMENT_MODES)),
        "providers": _("a dict"),
        "limits": _("a dict"),
        "personas": _("a dict"),
        "prices": _("a dict"),
    }
    info = getattr(trait, "info_text", "")
    expected = kinds.get(name) or _(info if info in _INFO_TEXTS else "another value")
    if getattr(trait, "min", None) not in (None, -math.inf):
        expected += f" >= {trait.min}"
    return _("{name} must be {expected}, got {value!r}.", name=name, expected=expected, value=value)


def _convert(trait: Any, value: Any) -> Any:
    """Convert values as people type them: 1 for 1.0, 5 for the text "5", on and off for a switch."""
    if isinstance(trait, Bool):
        switch = {"on": True, "off": False, "yes": True, "no": False, "1": True, "0": False}
        return switch.get(str(value).lower(), value)
    if isinstance(trait, Float) and trait.allow_none and str(value).lower() == "none":
        return None
    if isinstance(trait, Float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(trait, Unicode | Enum):
        return "" if value is None else str(value)  # None clears a text
    return value
