"""Context window: which messages fit into the limits of a model, and token estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..errors import PromptTooLongError
from .messages import Message, ModelInfo
from .turn import Turn

TOKENS_PER_MESSAGE = 4
"""Overhead of a message in tokens, besides its text; typical of the tokenizers of chat models."""
TOKENS_PER_IMAGE = 1000
"""Estimated tokens of an image: most services count 700 to 1,500 for one megapixel."""


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of `text`: about one for every four bytes of UTF-8, in most scripts."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / 4)


def estimate_message_tokens(message: Message) -> int:
    """Estimate the tokens of a message, with its images and the overhead of a message."""
    return estimate_tokens(message.content) + TOKENS_PER_MESSAGE + TOKENS_PER_IMAGE * len(message.images)


def fit_messages(
    system: str, turns: Sequence[Turn], prompt: str | Message, model: ModelInfo
) -> tuple[tuple[Message, ...], int]:
    """Select the messages to send: the newest turns that fit into the limits of a model.

    Args:
        system: System prompt; always sent.
        turns: Turns before the prompt; failed ones are skipped.
        prompt: New prompt, with its images if it has any; always sent.
        model: The model; `max_length` is in characters, `token_limit` in (estimated) tokens.

    Returns:
        The messages, and the number of oldest turns that were left out.

    Raises:
        PromptTooLongError: The system prompt and the prompt alone exceed a limit.
    """
    last = Message("user", prompt) if isinstance(prompt, str) else prompt
    first = (Message("system", system),) if system else ()
    characters, tokens = _measure([*first, last])
    max_characters = math.inf if model.max_length is None else model.max_length
    max_tokens = math.inf if model.token_limit is None else model.token_limit
    if characters > max_characters:
        raise PromptTooLongError(
            f"The prompt has {characters} characters; {model.id} takes {max_characters}. Shorten the prompt."
        )
    if tokens > max_tokens:
        raise PromptTooLongError(
            f"The prompt has about {tokens} tokens; {model.id} takes {max_tokens}. Shorten the prompt."
        )
    in_context = [turn for turn in turns if turn.in_context]
    kept: list[Message] = []
    left_out = len(in_context)
    for turn in reversed(in_context):
        more_characters, more_tokens = _measure(turn.messages)
        characters, tokens = characters + more_characters, tokens + more_tokens
        if characters > max_characters or tokens > max_tokens:
            break
        kept[:0] = turn.messages
        left_out -= 1
    return (*first, *kept, last), left_out


def try_fit_messages(
    system: str, turns: Sequence[Turn], prompt: Message, model: ModelInfo
) -> tuple[tuple[Message, ...], int, PromptTooLongError | None]:
    """Select the messages as `fit_messages` does, but return its error instead of raising it.

    Returns:
        The messages, the number of turns that were left out, and the error. With an error, the messages are the system
        prompt and the prompt.
    """
    try:
        return (*fit_messages(system, turns, prompt, model), None)
    except PromptTooLongError as error:
        alone, _ = fit_messages(system, (), prompt, replace(model, max_length=None, token_limit=None))
        return alone, sum(turn.in_context for turn in turns), error


def _measure(messages: Sequence[Message]) -> tuple[int, int]:
    """Count the characters and estimate the tokens of `messages`."""
    return sum(len(message.content) for message in messages), sum(map(estimate_message_tokens, messages))
