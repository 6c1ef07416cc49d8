"""The parameter `reasoning_effort`, in the words of each kind of service. Pure.

Wire facts: OpenAI API reference, "Create chat completion: reasoning_effort"; OpenRouter, Groq, Gemini and Ollama take
the same. DeepSeek API, "Thinking Mode": a switch `thinking` beside it. llama-server and vLLM: `chat_template_kwargs`,
of which `enable_thinking` switches the reasoning of Qwen, GLM and other models off.
"""

from __future__ import annotations

from typing import Any, Literal

from ...errors import UsageError
from ...language import _

EffortStyle = Literal["openai", "deepseek", "template"]
"""How a service is told: by `reasoning_effort` alone, with a switch beside it, or with one for the chat template."""


def encode_effort(effort: Any, style: EffortStyle) -> dict[str, Any]:
    """Return the fields of a request for an effort; none for None, which leaves the choice to the service.

    Args:
        effort: Text, such as ``"low"``; ``"none"`` switches reasoning off.
        style: How the service is told.

    Raises:
        UsageError: It is something else.

    Example:
        >>> encode_effort("none", "deepseek")
        {'thinking': {'type': 'disabled'}}
    """
    if effort is None:
        return {}
    if not isinstance(effort, str):
        raise UsageError(_("reasoning_effort must be text, such as low or none, got {effort!r:.40}.", effort=effort))
    is_off = effort.lower() == "none"
    if style == "deepseek":
        switch = {"thinking": {"type": "disabled" if is_off else "enabled"}}
        return switch if is_off else {**switch, "reasoning_effort": effort}
    if style == "template" and is_off:
        return {"reasoning_effort": effort, "chat_template_kwargs": {"enable_thinking": False}}
    return {"reasoning_effort": effort}
