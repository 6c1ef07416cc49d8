"""Context window: which messages fit into the limits of a model, and token estimates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..errors import PromptTooLongError
from ..language import _
from .messages import Message, ModelInfo
from .turn import Turn


def estimate_prompt_tokens(messages: Iterable[Message]) -> int:
    """Estimate the tokens of a request."""
    return sum([message.estimated_tokens for message in messages])


def leave_out_oldest(messages: Sequence[Message], max_tokens: int) -> tuple[tuple[Message, ...], int]:
    """Leave out the oldest turns of a request until its estimate is at most `max_tokens`.

    A turn goes as a whole: its prompt, its tool calls with their results, and its reply. System messages and the last
    turn, with the calls made for it so far, always stay.

    Args:
        messages: Messages of a request, oldest first.
        max_tokens: Longest request (estimated tokens).

    Returns:
        The messages, and the number of turns that were left out.
    """
    _unused, turns = _split_turns(messages)
    tokens = estimate_prompt_tokens(messages)
    left_out = 0
    while left_out < len(turns) - 1 and tokens > max_tokens:
        tokens -= estimate_prompt_tokens(turns[left_out])
        left_out += 1
    return without_oldest(messages, left_out), left_out


def without_oldest(messages: Sequence[Message], count: int) -> tuple[Message, ...]:
    """Return the messages of a request without those of its `count` oldest turns."""
    head, turns = _split_turns(messages)
    return (*head, *(message for turn in turns[count:] for message in turn))


def count_turns(messages: Sequence[Message]) -> int:
    """Count the turns of a request, the last prompt included."""
    return len(_split_turns(messages)[1])


def _split_turns(messages: Sequence[Message]) -> tuple[list[Message], list[list[Message]]]:
    """Return the system messages at the head, and the others by turns: each begins with a message of the user."""
    first = next((at for at, message in enumerate(messages) if message.role != "system"), len(messages))
    turns: list[list[Message]] = []
    for message in messages[first:]:
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return list(messages[:first]), turns


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
            _(
                "The prompt has {characters} characters; {id} takes {max_characters}. Shorten the prompt.",
                characters=characters,
                id=model.id,
                max_characters=max_characters,
            )
        )
    if tokens > max_tokens:
        raise PromptTooLongError(
            _(
                "The prompt has about {tokens} tokens; {id} takes {max_tokens}. Shorten the prompt.",
                tokens=tokens,
                id=model.id,
                max_tokens=max_tokens,
            )
        )
    in_context = [turn.messages for turn in turns if turn.in_context]
    left_out = len(in_context) if max_characters < math.inf or max_tokens < math.inf else 0
    while left_out:
        more_characters, more_tokens = _measure(in_context[left_out - 1])
        characters, tokens = characters + more_characters, tokens + more_tokens
        if characters > max_characters or tokens > max_tokens:
            break
        left_out -= 1
    return (*first, *itertools.chain.from_iterable(in_context[left_out:]), last), left_out


def try_fit_messages(
    system: str, turns: Sequence[Turn], prompt: Message, model: ModelInfo, known_limit: int | None = None
) -> tuple[tuple[Message, ...], int, PromptTooLongError | None]:
    """Select the messages as `fit_messages` does, but return its error instead of raising it.

    Args:
        system: System prompt.
        turns: Turns before the prompt.
        prompt: New prompt.
        model: The model.
        known_limit: Longest request (estimated tokens) that the server is known to take. Turns are left out to keep
            it, but a prompt that alone exceeds it is sent: an estimate is no reason to refuse it.

    Returns:
        The messages, the number of turns that were left out, and the error. With an error, the messages are the system
        prompt and the prompt.
    """
    try:
        messages, left_out = fit_messages(system, turns, prompt, model)
        if known_limit is not None:
            messages, more = leave_out_oldest(messages, known_limit)
            left_out += more
        return messages, left_out, None
    except PromptTooLongError as error:
        alone, _unused = fit_messages(system, (), prompt, replace(model, max_length=None, token_limit=None))
        return alone, sum(turn.in_context for turn in turns), error


def _measure(messages: Sequence[Message]) -> tuple[int, int]:
    """Count the characters and estimate the tokens of `messages`."""
    return sum([message.characters for message in messages]), estimate_prompt_tokens(messages)
