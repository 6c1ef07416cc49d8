"""Loader of turns in the log: ``log:ID``."""

from __future__ import annotations

from .log import Log


def load(argument: str) -> tuple[str, str]:
    """Conversation in the log: log:ID, as %lockbots search shows it; for a turn, up to that turn."""
    logged = Log().read(argument.strip())
    return logged.to_markdown(), f"Conversation {logged.info.name}, from the log"
