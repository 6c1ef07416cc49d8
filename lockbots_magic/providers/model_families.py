"""Providers of well-known models, for names without one. Pure."""

from __future__ import annotations

import re

_BRANDS = {
    **dict.fromkeys(("chatgpt", "gpt", "chat-gpt"), "openai"),
    **dict.fromkeys(("claude", "sonnet", "opus", "haiku"), "anthropic"),
    **dict.fromkeys(("google", "bard"), "gemini"),
    **dict.fromkeys(("llama", "qwen", "gemma", "phi"), "ollama"),
}
"""Names of products and families, which are no id of a model: the provider alone is meant."""
_FAMILIES = (
    (re.compile(r"(?:chat)?gpt-?\d|o[134](?:-|\Z)|chatgpt-|codex-|davinci"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"gemini-"), "gemini"),
    (re.compile(r"deepseek-(?:chat|reasoner)|deepseek-v\d"), "deepseek"),
    (re.compile(r"(?:mi|mini|code|magi|pix|dev)stral-(?:large|medium|small|latest|\d+b-latest)"), "mistral"),
    (re.compile(r"(?:llama|qwen|gemma|phi|mistral|mixtral|deepseek-r1|gpt-oss|smollm)(?=[\d.:-]|\Z)"), "ollama"),
    (re.compile(r"[\w.-]+/[\w.:-]+\Z"), "openrouter"),
)
"""Beginnings of ids, and where such a model is commonly had."""


def suggest_model(name: str) -> str:
    """Return ``provider:model`` for the name of a well-known model without its provider; ``""`` for any other name.

    Example:
        >>> suggest_model("gpt-4o"), suggest_model("Claude"), suggest_model("llama3.2"), suggest_model("parrot")
        ('openai:gpt-4o', 'anthropic', 'ollama:llama3.2', '')
    """
    word = name.strip().lower()
    if word in _BRANDS:
        return _BRANDS[word]
    provider = next((provider for family, provider in _FAMILIES if family.match(word)), "")
    return f"{provider}:{word}" if provider else ""
