"""The end of a growing text, where marks without their partner are completed. Pure."""

from __future__ import annotations

from markdown_it.rules_inline import StateInline


def at_end(state: StateInline) -> bool:
    """Tell whether the inline text of `state` is the one that grows.

    Its list of tokens tells it from others; its text may be that of an earlier paragraph.
    """
    return state.env.get("end") is state.tokens
