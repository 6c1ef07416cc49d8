"""Context window: which messages fit into the limits of a model, and token estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..errors import PromptTooLongError
from .messages import Message, ModelInfo
from .turn import Turn

TOKENS_PER_MESSAGE = 4
"""What a message costs besides its text, in tokens, as tokenizers of chat models go."""
TOKENS_PER_IMAGE = 1000
"""About what an image costs, in tokens: one of a megapixel is 700 to 1,500 at most services."""


def estimated_tokens(text: str) -> int:
    """Return about how many tokens `text` has: a token is some four bytes of UTF-8, in most scripts."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / 4)


def fitted(
    system: str, turns: Sequence[Turn], prompt: str | Message, model: ModelInfo
) -> tuple[tuple[Message, ...], int]:
    """Return the messages to send, and how many of the oldest turns were left out to respect the limits.

    Args:
        system: the system prompt; never left out.
        turns: those before the prompt; failed ones are passed over.
        prompt: the new prompt, with its images perhaps; never left out.
        model: `max_length` is in characters, `token_limit` in tokens (estimated).

    Raises:
        PromptTooLongError: the prompts alone exceed a limit.
    """
    last = Message("user", prompt) if isinstance(prompt, str) else prompt
    first = (Message("system", system),) if system else ()
    fixed = [*first, last]
    characters, tokens = _cost(fixed)
    most_characters = math.inf if model.max_length is None else model.max_length
    most_tokens = math.inf if model.token_limit is None else model.token_limit
    if characters > most_characters:
        raise PromptTooLongError(
            f"the prompt has {characters} characters, {model.id} takes {most_characters}; shorten it"
        )
    if tokens > most_tokens:
        raise PromptTooLongError(f"the prompt has about {tokens} tokens, {model.id} takes {most_tokens}; shorten it")
    told = [t for t in turns if t.in_context]
    kept: list[Message] = []
    left_out = len(told)
    for turn in reversed(told):
        more_characters, more_tokens = _cost(turn.messages)
        characters, tokens = characters + more_characters, tokens + more_tokens
        if characters > most_characters or tokens > most_tokens:
            break
        kept[:0] = turn.messages
        left_out -= 1
    return (*first, *kept, last), left_out


def fitted_or_not(
    system: str, turns: Sequence[Turn], prompt: Message, model: ModelInfo
) -> tuple[tuple[Message, ...], int, PromptTooLongError | None]:
    """Return what `fitted` does; what can't be sent as it is, with the error that says so, alone."""
    try:
        return (*fitted(system, turns, prompt, model), None)
    except PromptTooLongError as error:
        alone, _ = fitted(system, (), prompt, replace(model, max_length=None, token_limit=None))
        return alone, sum(turn.in_context for turn in turns), error


def _cost(messages: Sequence[Message]) -> tuple[int, int]:
    """Characters and estimated tokens of `messages`."""
    return sum(len(m.content) for m in messages), sum(map(tokens_of, messages))


def tokens_of(message: Message) -> int:
    """Return about how many tokens a message takes."""
    return estimated_tokens(message.content) + TOKENS_PER_MESSAGE + TOKENS_PER_IMAGE * len(message.images)
