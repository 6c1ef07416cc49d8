"""Parameters of requests: those of local servers, and checks of their types. Pure.

Wire facts: the OpenAI API reference, "Create chat completion"; llama.cpp, "tools/server" (README); vLLM,
"OpenAI-compatible server: extra parameters"; LM Studio, "OpenAI compatibility: chat completions".
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import UsageError
from ..language import _

CHAT_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "temperature": "sampling temperature, 0-2; lower is more deterministic",
        "top_p": "nucleus sampling: probability mass of the tokens considered, 0-1",
        "max_tokens": "maximum length of the reply, tokens",
        "max_completion_tokens": "maximum length of reply and reasoning, tokens",
        "stop": "text, or list of texts, at which the reply ends",
        "seed": "integer; equal seeds give equal replies, as far as the server can",
        "presence_penalty": "penalty for tokens that have appeared, -2 to 2",
        "frequency_penalty": "penalty for tokens by how often they have appeared, -2 to 2",
        "logit_bias": "dict of token id -> bias",
        "response_format": "dict, such as {'type': 'json_object'}",
        "reasoning_effort": "effort of a reasoning model: none, low, medium, high or what else it takes",
        "service_tier": "service tier, by the server's name",
        "store": "whether the service keeps the reply; by default it does not",
        "user": "your own id of the end user",
        "extra_body": "dict of further fields of the request",
    }
)
"""Parameters of chat completions: name -> one line of help."""

LOCAL_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "top_k": "sample only from the k likeliest tokens",
        "min_p": "least probability of a token, as a part of the likeliest one's, 0-1",
        "typical_p": "locally typical sampling: probability mass, 0-1",
        "repeat_penalty": "penalty for repeated tokens; 1 is none (llama.cpp, LM Studio)",
        "repetition_penalty": "penalty for repeated tokens; 1 is none (vLLM)",
        "repeat_last_n": "number of tokens that repeat_penalty considers",
        "mirostat": "Mirostat sampling: 0, 1 or 2",
        "mirostat_tau": "Mirostat: target entropy",
        "mirostat_eta": "Mirostat: learning rate",
        "dynatemp_range": "range of dynamic temperature",
        "dry_multiplier": "DRY penalty; 0 is none",
        "xtc_probability": "XTC sampling: probability; 0 is none",
        "xtc_threshold": "XTC sampling: threshold",
        "top_n_sigma": "top-n-sigma sampling; -1 is off",
        "n_predict": "maximum length of the reply, tokens (llama.cpp)",
        "min_tokens": "minimum length of the reply, tokens (vLLM)",
        "ignore_eos": "whether to go on after the end of the reply",
        "cache_prompt": "whether the server keeps the prompt for the next request (llama.cpp)",
        "grammar": "grammar that the reply must follow (llama.cpp)",
        "chat_template_kwargs": "dict of arguments of the chat template, such as {'enable_thinking': False}",
        "structured_outputs": "dict that constrains the reply (vLLM)",
        "stop_token_ids": "list of tokens at which the reply ends (vLLM)",
    }
)
"""Parameters of servers on one's own machine: name -> one line of help."""

MAX_TEMPERATURE = 2.0
"""Highest temperature of the chat completions and the Responses API; that of other services is not higher."""
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Parameters that limit the length of a reply (tokens)."""
_NUMBER_NAMES = (
    "temperature top_p max_tokens max_completion_tokens max_output_tokens seed"
    " presence_penalty frequency_penalty top_k min_p typical_p"
    " repeat_penalty repetition_penalty repeat_last_n mirostat mirostat_tau mirostat_eta n_predict min_tokens"
)
_NUMBERS = frozenset(_NUMBER_NAMES.split())
_DICTS: Mapping[str, str] = MappingProxyType(
    {
        "response_format": '{"type": "json_object"}',
        "logit_bias": '{"50256": -100}',
        "extra_body": '{"top_k": 40}',
        "chat_template_kwargs": '{"enable_thinking": false}',
        "structured_outputs": '{"choice": ["yes", "no"]}',
        "thinking": '{"type": "adaptive"}',
        "output_config": '{"effort": "low"}',
        "tool_choice": '{"type": "any"}',
        "metadata": '{"user_id": "7"}',
    }
)
"""Parameters that are dicts, each with an example."""


def check_types(params: Mapping[str, Any]) -> None:
    """Raise `UsageError` for a text where a dict or a number belongs; None stands for null."""
    for name, value in params.items():
        if value is None:
            continue
        if name in _DICTS and not isinstance(value, Mapping):
            raise UsageError(
                _(
                    "{name} must be a dict, got {describe}. In Python: {name}={dicts!s}; in a cell: -p "
                    "'{name}={dicts}'.",
                    name=name,
                    describe=_describe(value),
                    dicts=_DICTS[name],
                )
            )
        if name in _NUMBERS and (isinstance(value, bool | str | Mapping | list | tuple)):
            raise UsageError(_("{name} must be a number, got {describe}.", name=name, describe=_describe(value)))


def check_limits(params: Mapping[str, Any]) -> None:
    """Raise `UsageError` for a limit of length below one token; None stands for null.

    Where -1 means that there is no limit (llama.cpp, LM Studio), no parameter means the same.
    """
    for name in LIMITS:
        value = params.get(name)
        if value is not None and value < 1:
            raise UsageError(
                _("{name} must be >= 1, got {value}. Leave it out to set no limit.", name=name, value=value)
            )


def check_temperature(value: Any, *, highest: float = MAX_TEMPERATURE) -> None:
    """Raise `UsageError` for a temperature that no service takes; None stands for null.

    Args:
        value: The temperature. One that is no number is left to `check_types`, NaN to the check of JSON.
        highest: Highest temperature; infinite for a server of the user's own, as vLLM and llama.cpp take any.
    """
    if isinstance(value, int | float) and (value < 0 or value > highest):
        expected = ">= 0" if math.isinf(highest) else _("0-{highest:g}", highest=highest)
        given = f"{value:g}"  # as it was written, whatever the decimal sign of the language
        raise UsageError(_("temperature must be {expected}, got {given}.", expected=expected, given=given))


def _describe(value: Any) -> str:
    return _("the text {value!r:.60}", value=value) if isinstance(value, str) else f"{type(value).__name__}"


def unknown_parameter(param: str, known: Mapping[str, str], provider: str) -> UsageError:
    """Return the error for a parameter that a provider does not know.

    Args:
        param: The parameter.
        known: Those that it knows.
        provider: Name of the provider.
    """
    near = difflib.get_close_matches(param, known, 1)
    return UsageError(
        _(
            "Unknown parameter {param!r} for {name}.{hint} Known parameters: {known}.",
            param=param,
            name=provider,
            hint=_(" Did you mean {near!r}?", near=near[0]) if near else "",
            known=", ".join(sorted(known)) or "none",
        )
    )
