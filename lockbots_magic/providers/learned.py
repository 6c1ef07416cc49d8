"""What servers have taught in this session: what they refuse, and how long a prompt they take."""

from __future__ import annotations

Key = tuple[str, str]
"""URL, of the endpoint or the base URL, and model id."""
OF_FILES = "#"
"""Stands, in the name of an adaptation that concerns some files only, before what tells those files."""


class LearnedFacts:
    """Facts by URL and model. Thread-safe: each value is replaced as a whole.

    A provider has facts of its own; the providers of one notebook session share those of the session.

    Example:
        >>> learned = LearnedFacts()
        >>> learned.add_adaptations("http://localhost:8000/v1/chat/completions", "m", ["stream_options"])
        >>> learned.adaptations("http://localhost:8000/v1/chat/completions", "m")
        ('stream_options',)
    """

    def __init__(self) -> None:
        self._adaptations: dict[Key, tuple[str, ...]] = {}
        self._prompt_limits: dict[Key, int] = {}

    def adaptations(self, url: str, model: str) -> tuple[str, ...]:
        """Return the names of the adaptations that requests to an endpoint need, in the order they were learned."""
        return self._adaptations.get((url, model), ())

    def add_adaptations(self, url: str, model: str, names: list[str]) -> None:
        """Remember that requests need these adaptations."""
        self._adaptations[url, model] = tuple(dict.fromkeys((*self.adaptations(url, model), *names)))

    def all_adaptations(self) -> tuple[str, ...]:
        """Return the names of the adaptations of all endpoints, without those that concern some files only."""
        found = (name for names in self._adaptations.values() for name in names)
        return tuple(dict.fromkeys(name for name in found if OF_FILES not in name))

    def prompt_limit(self, base_url: str, model: str) -> int | None:
        """Return the longest prompt (estimated tokens) known to be accepted; None if nothing was refused yet."""
        return self._prompt_limits.get((base_url, model))

    def set_prompt_limit(self, base_url: str, model: str, tokens: int) -> None:
        """Remember the longest prompt (estimated tokens) to send."""
        self._prompt_limits[base_url, model] = tokens
