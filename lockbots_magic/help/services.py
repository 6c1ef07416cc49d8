"""The commands of an answer, for the service that the conversation speaks of."""

from __future__ import annotations

from collections.abc import Sequence

from .words import split_words

_NAMES = {
    "anthropic": "anthropic claude антропик клод клауд claud",
    "gemini": "gemini google джемини гемини гугл",
    "openrouter": "openrouter опенроутер",
    "groq": "groq грок",
    "mistral": "mistral мистраль мистрал",
    "deepseek": "deepseek дипсик",
    "openai": "openai chatgpt gpt опенаи чатгпт",
}
"""Provider -> what people call it."""
_PROVIDERS = {word: name for name, words in _NAMES.items() for word in words.split()}
_EXAMPLE = "openai"
"""The provider whose commands the pages show."""
_MODEL = ":gpt-6-luna"


def named_service(prompt: str) -> str:
    """Return the provider of the service that a prompt names last, or nothing."""
    return next((_PROVIDERS[word] for word in reversed(split_words(prompt)) if word in _PROVIDERS), "")


def for_service(answer: str, prompts: Sequence[str]) -> str:
    """Return an answer with the commands for the service named last, if it shows only those for another one."""
    service = next(filter(None, map(named_service, reversed(prompts))), _EXAMPLE)
    if service == _EXAMPLE or f"login {service}" in answer:
        return answer
    for command in ("login", "logout", "use"):
        shown = f"%lockbots {command} {_EXAMPLE}"
        answer = answer.replace(f"{shown}{_MODEL}", shown).replace(shown, f"%lockbots {command} {service}")
    return answer
