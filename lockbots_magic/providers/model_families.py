"""Providers of well-known models, for names without one. Pure."""

from __future__ import annotations

from ..late_pattern import late_pattern

_BRANDS = {
    **dict.fromkeys(("chatgpt", "gpt", "chat-gpt"), "openai"),
    **dict.fromkeys(("claude", "sonnet", "opus", "haiku"), "anthropic"),
    **dict.fromkeys(("google", "bard"), "gemini"),
    **dict.fromkeys(("llama", "qwen", "gemma", "phi"), "ollama"),
}
"""Names of products and families, which are no id of a model: the provider alone is meant."""
_FAMILIES = (
    (late_pattern(r"(?:chat)?gpt-?\d|o[134](?:-|\Z)|chatgpt-|codex-|davinci"), "openai"),
    (late_pattern(r"claude-"), "anthropic"),
    (late_pattern(r"gemini-"), "gemini"),
    (late_pattern(r"deepseek-(?:chat|reasoner)|deepseek-v\d"), "deepseek"),
    (late_pattern(r"(?:mi|mini|code|magi|pix|dev)stral-(?:large|medium|small|latest|\d+b-latest)"), "mistral"),
    (late_pattern(r"(?:llama|qwen|gemma|phi|mistral|mixtral|deepseek-r1|gpt-oss|smollm)(?=[\d.:-]|\Z)"), "ollama"),
    (late_pattern(r"[\w.-]+/[\w.:-]+\Z"), "openrouter"),
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
