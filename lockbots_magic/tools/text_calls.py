"""Tool calls that a model wrote and its server passed on as text: they are told, and never made. Pure.

Each family of models has markers of its own, which a server must know: vLLM by `--tool-call-parser`, llama.cpp by
`--jinja`. Without that, the markers reach the client as the answer.

Wire facts: the chat templates of Qwen, Hermes and GLM (``<tool_call>``), Qwen Coder (``<function=``), Mistral
(``[TOOL_CALLS]``), Llama (``<|python_tag|>``, or JSON alone), DeepSeek, Kimi, LFM2, Granite, MiniMax, Nemotron and
FunctionGemma; Anthropic's older ``<function_calls>``; Gemma (``tool_code``), and lists of calls in Python (Llama 4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from ..late_pattern import late_pattern
from ..schema.fences import FenceTracker

MAX_TEXT = 200_000
"""Characters of an answer that are looked at."""

_TAG = r"(?:minimax:|antml:)?(?:tool_calls?|function_calls?|TOOLCALL|toolcall)"
_MARK = late_pattern(
    rf"<{_TAG}>|\[TOOL_CALLS\]|<\|python_tag\|>|<[|｜](?:DSML[|｜])?(?:tool[▁_]?calls?|function_calls)[\w▁]*[|｜]?>"
    r"|<function=|<start_function_call>|<\|tool_call>|functools(?=\[\{)"
)
_PYTHON_CALL = late_pattern(
    r"\[(\w{1,64})\([^\n]*\)\]|```tool_code\s*(?:print\()?(?:default_api\.)?(\w{1,64})\(.*\)\s*```", re.DOTALL
)
_CHANNEL_CALL = late_pattern(r"^functions\.(\w{1,64}): ?\{", re.MULTILINE)
"""A call as `HarmonySplitter` tells it."""
_FOLLOWS = re.compile(r"\s*(?:[{\[<]|call:)")
_NAMES = ("name", "function", "tool", "tool_name")
_ARGUMENTS = ("arguments", "parameters", "args", "input")


def holds_text_call(text: str, names: Collection[str]) -> bool:
    """Tell whether an answer is, or holds, a call of a tool in the markup or JSON of a model.

    Args:
        text: The answer. Markup in a block of code or within a line is only spoken of.
        names: Names of the tools that were offered.

    Example:
        >>> holds_text_call('<tool_call>{"name": "add", "arguments": {}}</tool_call>', ["add"])
        True
    """
    text = text[:MAX_TEXT]
    return _holds_mark(text, names) or _is_json_call(text.strip(), names) or _is_python_call(text.strip(), names)


def holds_channel_call(reasoning: str, names: Collection[str]) -> bool:
    """Tell whether reasoning that no answer follows holds a call, as gpt-oss writes it into a channel of its own."""
    return any(call[1] in names for call in _CHANNEL_CALL.finditer(reasoning[-MAX_TEXT:]))


def _holds_mark(text: str, names: Collection[str]) -> bool:
    if _MARK.search(text) is None:
        return False
    fences, at = FenceTracker(), 0
    for line in text.splitlines(keepends=True):
        content = line.lstrip()
        fences.read(content)
        mark = None if fences.depth else _MARK.match(content)
        if mark is not None:
            rest = text[at + len(line) - len(content) + mark.end() :]
            if _FOLLOWS.match(rest) or rest.lstrip().startswith(tuple(names)) or "functions." in rest[:40]:
                return True
        at += len(line)
    return False


def _is_python_call(text: str, names: Collection[str]) -> bool:
    """Tell whether all of a text is a call in Python, in the list or the block in which models write calls."""
    call = _PYTHON_CALL.fullmatch(text)
    return call is not None and (call[1] or call[2]) in names


def _is_json_call(text: str, names: Collection[str]) -> bool:
    """Tell whether all of a text is a JSON object, or a list of them, that names an offered tool and its arguments."""
    if text.startswith("```"):
        text = text.partition("\n")[2].removesuffix("```").strip()
    if not text.startswith(("{", "[")):
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    calls = value if isinstance(value, list) else [value]
    return bool(calls) and all(_is_call(one, names) for one in calls)


def _is_call(value: Any, names: Collection[str]) -> bool:
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("function"), dict):
        value = value["function"]
    named = next((value[key] for key in _NAMES if key in value), None)
    return isinstance(named, str) and named in names and any(isinstance(value.get(key), dict) for key in _ARGUMENTS)
