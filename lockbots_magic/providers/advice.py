"""What to do about an error: one sentence, only where the cause is known. Pure.

Wire facts: the OpenAI API reference, "Error codes", and observed refusals of compatible servers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from ..conversation.messages import ChatRequest
from ..conversation.model_names import display_name
from ..errors import (
    AuthenticationError,
    ContextLengthError,
    HTTPStatusError,
    ModelNotFoundError,
    ProtocolError,
    ProviderError,
    ServerError,
)
from ..language import N_, _, ngettext
from ..late_pattern import late_pattern
from .adaptation import find_given, given_fields
from .dialects import CHAT_COMPLETIONS, MESSAGES, RESPONSES, find_dialect
from .document_parts import REFUSAL as DOCUMENT_REFUSAL
from .wire import formats
from .wire.error_words import is_page

CHECK_BASE_URL = N_("Check the base URL.")
"""Advice of a message about a response in a wrong format, where no more is known."""
MAX_NAMES = 5
"""Models that a message lists."""
CUTOFF = 0.5
"""Similarity, 0-1, from which a model's name counts as near."""

_REGION = late_pattern(r"\b(country|countries|region|territory)\b|location is not supported", re.IGNORECASE)
_ELSEWHERE = N_("The service refuses requests from where you are; another credential does not help.")
_BILLING = late_pattern(
    r"\b(?:credit balance|insufficient[ _](?:\w+ )?(?:balance|credits?|funds|quota)|(?:out of|no|more|enough) credits?"
    r"|billing[ _](?:hard[ _]limit|details|not[ _]active|error|issue)|plans (?:&|and) billing"
    r"|exceeded your current quota|account is not active"
    r"|arrearage|in good standing|spend(?:ing)? limit|payment (?:required|method))\b",
    re.IGNORECASE,
)
"""What services say of an account that does not pay for the request, whatever the status."""
_ACCOUNT = N_("See the account's credit, plan and limits on the billing page of the service.")
_TOO_LARGE = N_("The server, or a proxy before it, takes no request of this size. Attach less, or use `--no-history`.")
_DEPLOYMENT = N_(
    "The model is the name of a deployment of your own there, not that of the model that "
    "it serves; a new deployment takes some minutes."
)
_HOPELESS = (
    (late_pattern(r"\blocation is not supported\b|unsupported_country", re.IGNORECASE), _ELSEWHERE),
    (
        late_pattern(r"\bnot a chat model\b|did you mean to use v1/completions", re.IGNORECASE),
        N_("This model does not chat. Use another one."),
    ),
)
"""Words about requests that no change of theirs makes acceptable here, and what to do."""
OLLAMA = "ollama"
"""Provider whose models are downloaded by a command."""
_WANTS_RESPONSES = late_pattern(r"\bv1/responses\b(?!/)|\bresponses api\b", re.IGNORECASE)
"""The path alone: a longer one is that of the request, told as missing."""
_ANSWERS = {formats.CHAT_COMPLETIONS: CHAT_COMPLETIONS, formats.RESPONSES: RESPONSES, formats.MESSAGES: MESSAGES}
_UNKNOWN_MODEL = late_pattern(
    r"\bmodel\b(?:(?!\b(?:tool|function|image|file)\b).){0,120}\b(?:not exist|not found|does not exist)\b|"
    r"\bmodels/\S+ is not found|is not a valid model|\b(?:unknown|invalid|no such) model\b",
    re.IGNORECASE,
)
"""What servers say of a model that they don't have."""
_NO_TOOLS = late_pattern(
    r"\b(tools?|functions?)\b[^.\n]{0,60}(\bnot\b|n't\b|unsupported)|support tool use"
    r"|(?:not|n't) (?:yet )?(?:support|allow|accept|permit|handle) (?:\w+ ){0,3}(?:tools?|functions?)\b"
    r"|\b(?:unsupported|unknown)\b[^.\n]{0,30}\btools?\b|\btools?\b['\"`]?: (?:unknown|unsupported|extra)",
    re.IGNORECASE,
)
_NO_IMAGES = late_pattern(
    r"\b(images?|image_url|vision|multimodal)\b[^.\n]{0,60}(\bnot\b|n't\b|unsupported|invalid)"
    r"|(?:not|n't) (?:yet )?(?:support|allow|accept|permit|handle) (?:\w+ ){0,3}(?:images?|vision|multimodal)\b"
    r"|\bimage_url\b[^.\n]{0,40}\bonly supported|\bunknown variant\W+image_url|\bmissing data required for image"
    r"|\bat most 0 image|\bnot an? (?:multimodal|vision)|\bsupport (?:image|vision) input|\bmultimodal is disabled"
    r"|\bunsupported\b[^\n]{0,40}\b(?:images?|image_url)\b|\bcontent\b[^.\n]{0,30}\bmust be a string",
    re.I,
)
_BAD_IMAGE = late_pattern(
    r"\b(?:formats?|download\w*|fetch\w*|(?:could|can)(?:not|n't| not) (?:be )?(?:read|load|open)\w*|decod\w*|base64"
    r"|corrupt\w*|exceed\w*|pixels|dimensions|too (?:large|big|many)|at most [1-9]\d*|timed? ?out|respond\w*|ready)\b"
    r"|\bimage[ _]?(?:url|data|file)\b[^.\n]{0,20}\b(?:valid|invalid|reachable|accessible|found)\b|\bimage/\w+",
    re.IGNORECASE,
)
"""What servers say of one image, or of themselves: others would be taken."""
_TEMPLATE_FAILED = (500, 501)
"""HTTP statuses by which local servers refuse tools and images."""
_OTHER_VALUE = late_pattern(
    r"\b(?:less|greater|smaller|larger|lower|higher) than\b|\bat (?:most|least)\b|\bbetween\b"
    r"|\b(?:above|below) m(?:ax|in)imum\b|\bout of range\b"
    r"|\btoo (?:large|small|high|low)\b|[<>]=|\bsupported values are\b|\bmust be (?:one of|in)\b",
    re.IGNORECASE,
)
"""What servers say of a parameter that they take, but not with that value."""
_WANTS_HTTPS = late_pattern(r"\bhttp request\b[^.\n]{0,40}\bhttps (port|server)\b", re.IGNORECASE)
_UNKNOWN_ADDRESS = late_pattern(
    r"unexpected endpoint|(page|route|path|url|endpoint)\b.{0,40}\bnot (be )?found|no route|cannot (post|get) /|"
    r"unknown (request )?url|method not allowed",
    re.IGNORECASE,
)


def advise_on_credential(error: AuthenticationError, name: str, *, has_auth: bool) -> str:
    """Return what to do about a rejected or missing credential: a wrong one, a region, or a lack of permission.

    Args:
        error: The rejection.
        name: Name of the provider.
        has_auth: Whether a credential was sent.
    """
    login = _("run `%lockbots login {name}`.", name=name)
    if has_auth and _BILLING.search(_words(error)):
        return _(_ACCOUNT)
    if is_page(error.details):
        return _("Something on the way, such as a firewall, may have answered in place of the service.")
    if not has_auth:
        return _("No credential was sent. To set one, {login}", login=login)
    if _REGION.search(_words(error)):
        return (
            _("The key may belong to another region: check the base URL, or {login}", login=login)
            if error.status == 401
            else _(_ELSEWHERE)
        )
    if error.status == 403 and error.code not in ("invalid_api_key", "authentication_error"):
        return _(
            "The credential may not do this. Use a model that it permits; to set another credential, {login}",
            login=login,
        )
    return _("To set another credential, {login}", login=login)


def advise_on_dialect(error: ProviderError, name: str, model: str, dialect: str, dialects: Sequence[str]) -> str:
    """Return what to do about a refusal that says which dialect the server speaks; empty if it says nothing of it.

    Args:
        error: The refusal.
        name: Name of the provider.
        model: Model that was asked for.
        dialect: Name of the dialect of the request.
        dialects: Names of the dialects to choose from.
    """
    words = _words(error)
    if dialect != RESPONSES and _is_refused(error) and _WANTS_RESPONSES.search(words):
        if RESPONSES in dialects:
            return _("This model is offered by the Responses API only: {line}.", line=_choose(name, model, RESPONSES))
        return _("This model is offered by the Responses API only. Use another model.")
    for answer, other in _ANSWERS.items():
        if getattr(error, "answered", "") == answer and other in dialects:
            return _(
                "To use {title} there: {line}.", title=_(find_dialect(other).title), line=_choose(name, model, other)
            )
    return ""


def advise_on_missing_path(shown: str, path: str, name: str, model: str) -> str:
    """Return what to do where a server lists models, but has no endpoint of the dialect.

    Args:
        shown: Base URL, as it may be shown.
        path: Path of the endpoint.
        name: Name of the provider.
        model: Model that was asked for.
    """
    return _(
        "{shown} has no `{path}`. To speak chat completions there: {line}.",
        shown=shown,
        path=path,
        line=_choose(name, model, CHAT_COMPLETIONS),
    )


def _choose(name: str, model: str, dialect: str) -> str:
    """Return the line that chooses a dialect, in a notebook and in Python."""
    return f"`%lockbots use {name}:{model} --dialect {dialect}` (in Python: `dialect={dialect!r}`)"


def advise_on_request(error: ProviderError, request: ChatRequest, base_url: str) -> str:
    """Return what to change in a request that was refused; empty if that is not known.

    Args:
        error: The refusal.
        request: What was sent.
        base_url: Where it was sent, as it may be shown.
    """
    words = _words(error)
    if _WANTS_HTTPS.search(words) and base_url.startswith("http://"):
        return _("Set the base URL to https://{rest}.", rest=base_url.removeprefix("http://"))
    if error.code == "DeploymentNotFound":
        return _(_DEPLOYMENT)
    for pattern, advice in _HOPELESS:
        if pattern.search(words):
            return _(advice)
    if isinstance(error, HTTPStatusError) and _BILLING.search(words):
        return _(_ACCOUNT)
    if isinstance(error, HTTPStatusError) and error.status == 413 and not isinstance(error, ContextLengthError):
        return _(_TOO_LARGE)
    named = find_given(error, given_fields(request.params)) if _is_refused(error) else []
    return _advise_on_parameters(named, words) if named else _advise_on_parts(error, request)


def advise_on_model(model: str, listed: Sequence[str], name: str) -> str:
    """Return what to do about an unknown model: near names of the server's list, else some of the list.

    Args:
        model: Model that was asked for.
        listed: Ids of the models that the server lists.
        name: Name of the provider.
    """
    if model in listed:
        return _("The server lists this model, but does not serve it here: the credential may lack access to it.")
    if not listed:
        return _advise_on_download(model) if name == OLLAMA else _("The server lists no model. Load one there.")
    near = _find_near(model, listed)
    if near:
        return _("Did you mean {names}?", names=_(" or ").join(repr(display_name(one)) for one in near))
    names = ", ".join(display_name(one) for one in listed[:MAX_NAMES])
    more = (
        _(" and {n} more: `%lockbots models {name}`", n=len(listed) - MAX_NAMES, name=name)
        if len(listed) > MAX_NAMES
        else ""
    )
    text = _("The server has {names}{more}.", names=names, more=more)
    return f"{text} {_advise_on_download(model)}" if name == OLLAMA else text


def _advise_on_download(model: str) -> str:
    return _("To download this one: `ollama pull {model}`.", model=display_name(model))


def is_unknown_model(error: ProviderError) -> bool:
    """Whether an error says that the server doesn't have the model, whatever its status."""
    return isinstance(error, ModelNotFoundError) or (_is_refused(error) and bool(_UNKNOWN_MODEL.search(_words(error))))


def is_wrong_address(error: ProviderError) -> bool:
    """Whether an error suggests that the address is not that of the API: nothing there, or a web page."""
    if isinstance(error, ProtocolError):
        return error.doubts_address
    if isinstance(error, ServerError):
        return error.status < 400 and bool(_UNKNOWN_ADDRESS.search(_words(error)))
    return isinstance(error, HTTPStatusError) and error.status in (404, 405)


def append_advice(error: ProviderError, advice: str) -> None:
    """Append a sentence to the message of an error; advice on the base URL takes the place of a shorter one."""
    if advice:
        message = str(error).rstrip()
        if _("base URL").casefold() in advice.casefold():
            message = message.replace(f" {_(CHECK_BASE_URL)}", "")
        error.args = (f"{message}{'' if message.endswith(('.', '!', '?', '…')) else '.'} {advice}",)


def _advise_on_parameters(names: Sequence[str], words: str) -> str:
    quoted = ", ".join(f"`{name}`" for name in names)
    if _OTHER_VALUE.search(words):
        return _("You set {quoted}; give another value, or leave it out.", quoted=quoted)
    reset = _(" (`%lockbots set temperature None`)") if "temperature" in names else ""
    return ngettext(
        "You set {quoted}; to use this model, leave it out of the parameters{reset}.",
        "You set {quoted}; to use this model, leave them out of the parameters{reset}.",
        len(names),
        quoted=quoted,
        reset=reset,
    )


def _advise_on_parts(error: ProviderError, request: ChatRequest) -> str:
    failed = isinstance(error, HTTPStatusError) and error.status in _TEMPLATE_FAILED
    words = _words(error) if failed or _is_refused(error) else ""
    if request.tools and _NO_TOOLS.search(words):
        return _("Leave out the tools, or use a model that takes them.")
    if any(m.images for m in request.messages) and _NO_IMAGES.search(words) and not _BAD_IMAGE.search(words):
        return _("Leave out the images, or use a model that takes them.")
    if any(m.documents for m in request.messages) and DOCUMENT_REFUSAL.search(words):
        return _("To send the text of documents in place of the files: `send_documents` = text.")
    return ""


def _find_near(model: str, listed: Sequence[str]) -> list[str]:
    """Return the listed models whose names are most like `model`, or contain it."""
    by_name: dict[str, str] = {}
    for one in listed:
        by_name.setdefault(display_name(one).lower(), one)
    wanted = display_name(model).lower()
    near = [name for name in by_name if wanted and (wanted in name or name in wanted)]
    near = sorted(near, key=len) + difflib.get_close_matches(wanted, by_name, 3, CUTOFF)
    return [by_name[name] for name in dict.fromkeys(near)][:3]


def _is_refused(error: ProviderError) -> bool:
    if isinstance(error, ModelNotFoundError):
        return True
    return isinstance(error, HTTPStatusError) and (error.status in (400, 404, 422) or error.status < 400)


def _words(error: ProviderError) -> str:
    return f"{error.code}\n{error}\n{error.details}"
