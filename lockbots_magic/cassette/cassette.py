"""Cassette: decides which recording answers a request, and which recordings a new one replaces."""

from __future__ import annotations

import math
import threading
import warnings
from pathlib import Path
from typing import Any, cast

from ..conversation.messages import Asker, Message, Tool
from ..errors import NotRecordedError, UsageError
from ..language import _, ngettext
from ..security.exits import clean_printed
from . import MODES, Mode
from .diff import changed_tools, difference
from .file import CassetteFile
from .recording import Recording
from .request import RecordedRequest
from .server_records import RecordKey, Served


class NotKeptError(Exception):
    """A recording could not be written; the message is the reason."""


class Cassette:
    """A cassette file in use: replays answers from it, and records answers to it.

    A copy is the same object, as both would write to one file. A loaded pickle opens the file again.

    Args:
        path: The file.
        mode: ``"replay"`` replays and sends nothing; ``"record"`` sends every request and replaces its answer;
            ``"auto"`` sends only requests without an answer; ``"new"`` sends every request and discards the old content
            of the file.
        speed: Replay speed: 1 is the recorded speed, 2 twice as fast, 0 without pauses. None: 1 if the output is live,
            else 0.
        hint: How to record missing answers, shown in errors; by default in terms of `Chat`.

    Raises:
        UsageError: If the file can't be read or written, or the mode or speed is invalid.

    Example:
        >>> cassette = Cassette("talk.jsonl", "replay")  # doctest: +SKIP
    """

    def __init__(self, path: str | Path, mode: str = "auto", speed: float | None = None, hint: str = "") -> None:
        if mode not in MODES:
            raise UsageError(
                _("Unknown cassette mode {mode!r}. Use one of {names}.", mode=mode, names=", ".join(MODES))
            )
        if speed is not None and not (math.isfinite(speed) and speed >= 0):
            raise UsageError(_("speed must be >= 0 (0: without pauses), got {speed!r}.", speed=speed))
        self.mode = cast("Mode", mode)
        self.speed = speed
        self.hint = hint or f"Chat(..., cassette={str(path)!r}, mode='auto')"
        self.way_out = ""
        """How to send prompts to the model again, shown where an answer is missing."""
        self.file = CassetteFile(path)
        if self.file.damage:
            warnings.warn(clean_printed(self.file.damage), stacklevel=2)
        self.played = 0
        """Number of answers replayed."""
        self.recorded = 0
        """Number of answers recorded."""
        self.lost = 0
        """Number of answers that could not be recorded."""
        self.defaults: dict[str, str] = {}
        """Default model of each provider, as its server named it."""
        self._earlier = {r.id for r in self.file.recordings}
        self._users: dict[str, Asker | None] = {}
        """Id of each recording replayed or made here -> the cell that got it."""
        self._served_here: set[RecordKey] = set()
        """Keys of what servers of tools gave and was recorded here."""
        self._made_by: dict[str, list[str]] = {}
        """Cell -> ids of the recordings made for it here."""
        self._lock = threading.Lock()
        if mode == "replay" and not self.file.path.exists():
            raise UsageError(_("There is no cassette file {path}. To record it:  {hint}", path=path, hint=self.hint))
        if mode != "replay":
            self.file.create()

    def __repr__(self) -> str:
        return f"Cassette({self.path.name!r}, {self.mode!r})"

    def __copy__(self) -> Cassette:
        return self

    def __deepcopy__(self, memo: object) -> Cassette:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Cassette, (self.path, self.mode, self.speed, self.hint)

    def __str__(self) -> str:
        count = len(self.file.recordings)
        counts = [
            ngettext("{n} answer", "{n} answers", count),
            *([_("{n} played", n=self.played)] if self.played else []),
            *([_("{n} recorded", n=self.recorded)] if self.recorded else []),
            *([_("{n} not recorded", n=self.lost)] if self.lost else []),
        ]
        return f"{self.path.name} ({', '.join([self.mode, *counts])})"

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self.file.path

    @property
    def sends_all(self) -> bool:
        """True if every request is sent, whatever the file holds."""
        return self.mode in ("record", "new")

    def answer(self, request: RecordedRequest, asker: Asker | None) -> Recording | None:
        """Return the next recorded answer; None if the request is to be sent.

        Equal requests get their answers in order. A cell that runs again gets the same answers again.

        Raises:
            NotRecordedError: If the mode is ``"replay"`` and no answer is left.
        """
        if self.sends_all:
            return None
        with self._lock:
            known = self.file.matching(request)
            for recording in known:
                if self._is_free(recording.id, asker) and (self.mode == "replay" or recording.ended == "complete"):
                    self._users[recording.id] = asker
                    self.played += 1
                    return recording
        if self.mode == "replay":
            raise NotRecordedError(self._describe_missing(request, len(known)))
        return None

    def keep(self, recording: Recording, asker: Asker | None) -> Recording:
        """Add a recording to the file, remove those it replaces, and return it with its id.

        Raises:
            NotKeptError: If the file can't be written; the message is the reason.
        """
        with self._lock:
            try:
                dropped = self._replaced_ids(recording, asker)
                kept = self.file.add(recording, dropped)
            except (OSError, UsageError) as error:
                self.lost += 1
                raise NotKeptError(str(getattr(error, "strerror", None) or error)) from error
            self._earlier -= {*dropped, kept.id}
            for name in dropped:
                self._users.pop(name, None)
            self._users[kept.id] = asker
            if asker:
                self._made_by.setdefault(asker[0], []).append(kept.id)
            self.recorded += 1
            return kept

    def default_model(self, provider: str) -> str:
        """Return the recorded default model of a provider; ``""`` if the server is to be asked.

        Raises:
            NotRecordedError: If the mode is ``"replay"`` and none is recorded.
        """
        if self.sends_all:
            return ""
        known = [r for r in self.file.recordings if r.default and r.request.provider == provider]
        if self.mode == "replay" and not known:
            raise NotRecordedError(
                _(
                    "{name} does not say which model is the default of {provider}. Name it: {provider}:MODEL",
                    name=self.path.name,
                    provider=provider,
                )
            )
        unplayed = (r.request.model for r in known if r.id not in self._users)
        return next(unplayed, known[-1].request.model if known else "")

    def results(self, request: RecordedRequest, asker: Asker | None) -> tuple[Message, ...]:
        """Return the recorded results of tool calls; empty if they are to be called, or are not recorded.

        Args:
            request: Messages up to the one that asks for the calls.
            asker: As for `answer`.
        """
        if self.sends_all:
            return ()
        with self._lock:
            free = [r.request for r in self.file.recordings if self._is_free(r.id, asker)]
        return next(filter(None, (_results_after(request, one) for one in free)), ())

    def tools(self, key: str) -> tuple[Tool, ...] | None:
        """Return the recorded list of tools that goes by `key`; None if the server is to be asked.

        Raises:
            NotRecordedError: If the mode is ``"replay"`` and none is recorded.
        """
        known = self._served((key, ""), _("the tools of {key}", key=key))
        return None if isinstance(known, str) else known

    def keep_tools(self, key: str, tools: tuple[Tool, ...]) -> None:
        """Write the list of tools that goes by `key`, in the place of an earlier one; in replay mode write nothing.

        Raises:
            NotKeptError: If the file can't be written; the message is the reason.
        """
        self._keep_served((key, ""), tools)

    def resource(self, key: str, uri: str) -> str | None:
        """Return the recorded text of a resource of the server that goes by `key`; errors as for `tools`."""
        known = self._served((key, uri), _("the resource {uri} of {key}", uri=uri, key=key))
        return known if isinstance(known, str) else None

    def keep_resource(self, key: str, uri: str, text: str) -> None:
        """Write the text of a resource; errors as for `keep_tools`."""
        self._keep_served((key, uri), text)

    def _served(self, key: RecordKey, what: str) -> Served | None:
        if self.sends_all:
            return None
        with self._lock:
            known = self.file.served.get(key)
        if known is None and self.mode == "replay":
            raise NotRecordedError(
                _(
                    "{name} lacks {what}, and no server is started in mode replay. To record it:  {hint}",
                    name=self.path.name,
                    what=what,
                    hint=self.hint,
                )
            )
        return known

    def _keep_served(self, key: RecordKey, value: Served) -> None:
        if self.mode == "replay":
            return
        with self._lock:
            dropped = [one for one in self.file.served if self.mode == "new" and one not in self._served_here]
            try:
                self.file.add_served(key, value, dropped)
            except (OSError, UsageError) as error:
                raise NotKeptError(str(getattr(error, "strerror", None) or error)) from error
            self._served_here.add(key)

    def _is_free(self, recording: str, asker: Asker | None) -> bool:
        if recording not in self._users:
            return True
        user = self._users[recording]
        return bool(asker and user) and asker[0] == user[0] and asker[1] != user[1]  # type: ignore[index]  # not None

    def _replaced_ids(self, recording: Recording, asker: Asker | None) -> set[str]:
        """Return the ids of the recordings that a new one replaces. A failure replaces no earlier success."""
        made = self._made_by.get(asker[0], []) if asker else []
        replaced = {i for i in made if i in self._users and self._is_free(i, asker)}  # its cell ran again
        is_complete = recording.ended == "complete"
        if self.mode == "new":
            return replaced | (self._earlier if is_complete else set())
        same = [r for r in self.file.matching(recording.request) if r.id in self._earlier]
        return replaced | {r.id for r in same if r.ended != "complete" or (is_complete and self.mode == "record")}

    def _describe_missing(self, request: RecordedRequest, played: int) -> str:
        name = self.path.name
        if played:
            return ngettext(
                "{name} has 1 answer to this request, played already. Open it again to start over.",
                "{name} has {n} answers to this request, played already. Open it again to start over.",
                played,
                name=name,
            )
        damage = f"{self.file.damage}\n" if self.file.damage else ""
        if not self.file.recordings:
            return _("{damage}{name} is empty. To record it:  {hint}", damage=damage, name=name, hint=self.hint)
        recorded = [r.request for r in self.file.recordings]
        diff = difference(request, recorded)
        changed = "".join(
            _("The tool {tool} has changed since it was recorded. ", tool=tool)
            for tool in changed_tools(request, recorded)
        )
        text = _(
            "{damage}{name} has no answer to this request. {changed}The nearest recorded request "
            "(-) differs from it (+):\n{diff}\nTo record what is missing:  {hint}",
            damage=damage,
            name=name,
            changed=changed,
            diff=diff,
            hint=self.hint,
        )
        return "\n".join(
            [text, *([_("To ask a model again:  {command}", command=self.way_out)] if self.way_out else [])]
        )


def _results_after(request: RecordedRequest, other: RecordedRequest) -> tuple[Message, ...]:
    """Return the tool results in `other` if it is `request` followed by nothing but all of them."""
    results = other.messages[len(request.messages) :]
    is_same = (request.provider, request.model, request.params) == (other.provider, other.model, other.params)
    if not is_same or other.thread[: len(request.thread)] != request.thread:
        return ()
    is_whole = len(results) == len(request.messages[-1].calls) and all(m.role == "tool" for m in results)
    return results if is_whole else ()
