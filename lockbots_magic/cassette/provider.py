"""A provider that wraps a provider: it plays the answers it has, and records the others."""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast, get_args

from ..conversation.cancellation import Cancellation
from ..conversation.messages import Asker, ChatRequest, Delta, Message, ModelInfo
from ..errors import Cancelled, NotRecordedError, ProviderError, UsageError
from ..providers.base import Provider, closed
from ..security.secrets import redacted
from .diff import difference
from .entry import Ending, Question, Recording, anonymous, described, rhythm_of
from .file import CassetteFile

Mode = Literal["replay", "record", "auto", "new"]
MODES = get_args(Mode)

DECLARED = (
    *("name", "url", "models", "default_model", "supports_stream", "needs_auth"),
    *("aliases", "parameters", "credential_env", "takes_images", "takes_tools"),
)
"""What a provider declares of itself."""


class Cassette:
    """A file of recorded answers, and what is done with it.

    Args:
        path: the file.
        mode: ``"replay"`` plays and never asks, ``"record"`` asks everything anew, ``"auto"`` asks what is missing,
            ``"new"`` asks everything anew and drops whatever else was there.
        speed: how fast answers are played: 1 is as they came, 2 twice as fast, 0 at once; by default 1 where somebody
            watches, else at once.
        hint: how to record what is missing, for whoever opened it in a way of their own.

    Raises:
        UsageError: the file can't be read or written, or the mode or the speed is none.
    """

    def __init__(self, path: str | Path, mode: str = "auto", speed: float | None = None, hint: str = "") -> None:
        if mode not in MODES:
            raise UsageError(f"a cassette's mode is one of {', '.join(MODES)}, not {mode!r}")
        if speed is not None and not (math.isfinite(speed) and speed >= 0):
            raise UsageError(f"the speed is 0 (at once) or more, not {speed!r}")
        self.mode = cast("Mode", mode)
        self.speed = speed
        self.hint = hint or f"Chat(..., cassette={str(path)!r}, mode='auto')"
        self.tape = CassetteFile(path)
        self.played = 0
        self.recorded = 0
        self.defaults: dict[str, str] = {}
        """Which model is a provider's default, as its server said: provider -> model."""
        self._earlier = {r.id for r in self.tape.recordings}
        self._owners: dict[str, Asker | None] = {}
        self._lock = threading.Lock()
        if mode == "replay" and not self.tape.path.exists():
            raise UsageError(f"there is no cassette {path}; to record it:  {self.hint}")
        if mode != "replay":
            self.tape.create()

    def __repr__(self) -> str:
        return f"Cassette({self.tape.path.name!r}, {self.mode!r})"

    @property
    def path(self) -> Path:
        """The file."""
        return self.tape.path

    def __str__(self) -> str:
        held = len(self.tape.recordings)
        return f"{self.path.name} ({', '.join([self.mode, f'{held} answer' + 's' * (held != 1), *self.counts])})"

    @property
    def counts(self) -> list[str]:
        """What was done with it, in words."""
        return [f"{n} {what}" for n, what in ((self.played, "played"), (self.recorded, "recorded")) if n]

    def answer(self, question: Question, asker: Asker | None) -> Recording | None:
        """Return the next recorded answer, None if the question is to be asked.

        The same question gets its answers in their order. A cell that is run again gets those it had.

        Raises:
            NotRecordedError: in the mode ``"replay"``, when there is none left.
        """
        if self.mode in ("record", "new"):
            return None
        with self._lock:
            known = self.tape.of(question)
            for one in known:
                if self._is_free(one.id, asker) and (self.mode == "replay" or one.ended == "complete"):
                    self._owners[one.id] = asker
                    self.played += 1
                    return one
        if self.mode == "replay":
            raise NotRecordedError(self._missing(question, len(known)))
        return None

    def keep(self, recording: Recording, asker: Asker | None) -> None:
        """Add a recording to the file. What it takes the place of goes: a reply is worth more than its recording,
        so a file that can't be written is a warning."""
        with self._lock:
            try:
                dropped = self._replaced(recording, asker)
                kept = self.tape.add(recording, dropped)
            except (OSError, UsageError) as error:
                why = getattr(error, "strerror", None) or error
                warnings.warn(f"the reply was not recorded: {why}", stacklevel=2)
                return
            self._earlier -= {*dropped, kept.id}
            self._owners = {name: owner for name, owner in self._owners.items() if name not in dropped}
            self._owners[kept.id] = asker
            self.recorded += 1

    def default_model(self, provider: str) -> str:
        """The model that answered when `provider` was asked for its default; ``""`` where that is to be asked.

        Raises:
            NotRecordedError: nobody may be asked.
        """
        if self.mode in ("record", "new"):
            return ""
        known = [r for r in self.tape.recordings if r.default and r.question.provider == provider]
        if self.mode == "replay" and not known:
            hint = f"name it: {provider}:MODEL"
            raise NotRecordedError(f"{self.path.name} does not say which model {provider} takes by default; {hint}")
        unplayed = (r.question.model for r in known if r.id not in self._owners)
        return next(unplayed, known[-1].question.model if known else "")

    def results(self, question: Question, asker: Asker | None) -> tuple[str, ...]:
        """Return what functions returned when this was recorded; nothing if it is not to be played, or not there.

        Args:
            question: up to the message that asks for their calls.
            asker: as for `answer`.
        """
        if self.mode in ("record", "new"):
            return ()
        with self._lock:
            free = [r.question for r in self.tape.recordings if self._is_free(r.id, asker)]
        return next(filter(None, (_results_after(question, one) for one in free)), ())

    def _is_free(self, recording: str, asker: Asker | None) -> bool:
        if recording not in self._owners:
            return True
        owner = self._owners[recording]
        return bool(asker and owner) and asker[0] == owner[0] and asker[1] != owner[1]  # type: ignore[index]  # not None

    def _replaced(self, recording: Recording, asker: Asker | None) -> set[str]:
        """The ids of the recordings that a new one takes the place of; a failure takes that of no earlier success."""
        made_here = (i for i in self._owners if i not in self._earlier)
        replaced = {i for i in made_here if asker and self._is_free(i, asker)}  # its cell was run again
        whole = recording.ended == "complete"
        if self.mode == "new":
            return replaced | (self._earlier if whole else set())
        same = [r for r in self.tape.of(recording.question) if r.id in self._earlier]
        return replaced | {r.id for r in same if r.ended != "complete" or (whole and self.mode == "record")}

    def _missing(self, question: Question, played: int) -> str:
        name = self.path.name
        if played:
            many = "1 answer" if played == 1 else f"{played} answers"
            return f"{name} has {many} to this question, played already. Open it anew to start over"
        if not self.tape.recordings:
            return f"{name} is empty; to record it:  {self.hint}"
        differs = difference(question, [r.question for r in self.tape.recordings])
        return (
            f"{name} has no answer to this. The nearest question on it (-) differs from the one asked (+):\n{differs}\n"
            f"To record what is missing:  {self.hint}"
        )


def _results_after(question: Question, other: Question) -> tuple[str, ...]:
    """The results in `other`, if it is `question` and nothing but those."""
    results = other.messages[len(question.messages) :]
    is_that = (question.provider, question.model, question.params) == (other.provider, other.model, other.params)
    if not is_that or other.thread[: len(question.thread)] != question.thread:
        return ()
    whole = len(results) == len(question.messages[-1].calls) and all(m.role == "tool" for m in results)
    return tuple(m.content for m in results) if whole else ()


class CassetteProvider(Provider):
    """Stands before a provider: plays the cassette's answers, and records what the provider says.

    Args:
        provider: who is asked what the cassette does not know.
        cassette: plays and records.
    """

    def __init__(self, provider: Provider, cassette: Cassette) -> None:
        vars(self).update(vars(provider), **{name: getattr(provider, name) for name in DECLARED})
        self.provider = provider
        self.cassette = cassette

    def __repr__(self) -> str:
        return f"CassetteProvider({self.provider!r}, {self.cassette!r})"

    def model_info(self, model: str) -> ModelInfo:
        """What the provider knows of `model`, without asking anybody."""
        return self.provider.model_info(model)

    def resolved(self, model: str, cancellation: Cancellation) -> ModelInfo:
        """What is known of `model`; which model is the default stands on the cassette, too."""
        info = self.provider.model_info(model)
        if info.id:
            return info
        if recorded := self.cassette.default_model(self.name):
            return self.provider.model_info(recorded)
        asked = self.provider.resolved(model, cancellation)
        self.cassette.defaults[self.name] = asked.id
        return asked

    def recorded_results(self, request: ChatRequest, calls: Message) -> tuple[str, ...]:
        """What the functions returned when this was recorded, if it is played."""
        model = self.resolved(request.model, request.cancellation).id
        question = Question.of(self.name, model, replace(request, messages=(*request.messages, calls)))
        return self.cassette.results(question, request.asker)

    def list_models(self) -> list[ModelInfo]:
        """The models of the provider's own table where nobody may be asked."""
        if self.cassette.mode == "replay":
            return list(self.provider.models.values())
        return self.provider.list_models()

    def takes(self, param: str) -> bool:
        """Whether the provider takes this parameter."""
        return self.provider.takes(param)

    def ready(self) -> None:
        """Whoever plays needs no credential; one that is missing is told when the provider is about to be asked."""
        if self.cassette.mode in ("record", "new"):
            self.provider.ready()

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the recorded answer, or the provider's.

        Raises:
            NotRecordedError: the cassette may only be played, and has no answer.
            ProviderError: as recorded, or as the provider raises it.
            Cancelled: the request was cancelled, or the recorded reply was.
            KeyboardInterrupt: the recorded reply was interrupted.
        """
        model = self.resolved(request.model, request.cancellation).id
        question = Question.of(self.name, model, request)
        recording = self.cassette.answer(question, request.asker)
        if recording is None:
            return self._asked(question, replace(request, model=model))
        return self._played(recording, request)

    def _played(self, recording: Recording, request: ChatRequest) -> Iterator[Delta]:
        speed = self.cassette.speed
        if speed is None:
            speed = 1.0 if request.watched else 0.0
        began = time.monotonic()
        for at, delta in recording.deltas():
            pause = at / speed - (time.monotonic() - began) if speed else 0.0
            if request.cancellation.wait(max(pause, 0.0)):
                raise Cancelled
            yield delta
        if recording.ended == "interrupted":
            raise KeyboardInterrupt
        if recording.ended == "cancelled":
            raise Cancelled
        if recording.ended == "error":
            raise recording.failure()

    def _asked(self, question: Question, request: ChatRequest) -> Iterator[Delta]:
        self.provider.ready()  # a missing credential is no answer
        default = self.cassette.defaults.get(self.name) == question.model
        take = _Take(question, self.provider.base_url, default=default)
        try:
            with closed(self.provider.stream(request)) as deltas:
                for delta in deltas:
                    take.note(delta)
                    yield delta
        except UsageError:
            raise  # nothing was sent
        except KeyboardInterrupt:
            self.cassette.keep(take.made("interrupted"), request.asker)
            raise
        except (GeneratorExit, Cancelled):
            self.cassette.keep(take.made("cancelled"), request.asker)
            raise
        except Exception as error:
            self.cassette.keep(take.made("error", error), request.asker)
            if isinstance(error, ProviderError):  # told as it will be told when it is played
                error.args = (anonymous(str(error), self.provider.base_url),)
            raise
        self.cassette.keep(take.made("complete"), request.asker)


class _Take:
    """A recording while it is made."""

    def __init__(self, question: Question, base_url: str, *, default: bool) -> None:
        self._question = question
        self._base_url = base_url
        self._default = default
        self._began = time.monotonic()
        self._deltas: list[tuple[float, Delta]] = []

    def note(self, delta: Delta) -> None:
        """One step, which comes now."""
        self._deltas.append((time.monotonic() - self._began, delta))

    def made(self, ended: Ending, error: Exception | None = None) -> Recording:
        """The recording of what has come."""
        elapsed = time.monotonic() - self._began
        deltas = [delta for _, delta in self._deltas]
        noted = [
            (at, d._replace(notice=anonymous(d.notice, self._base_url)) if d.notice else d) for at, d in self._deltas
        ]
        return Recording(
            self._question,
            redacted("".join(d.text for d in deltas)),
            redacted("".join(d.reasoning for d in deltas)),
            rhythm_of(noted, elapsed),
            ended,
            next((d.finish_reason for d in reversed(deltas) if d.finish_reason), ""),
            {} if error is None else described(error, self._base_url),
            next((d.usage for d in reversed(deltas) if d.usage), None),
            self._default,
            calls=tuple(call._replace(arguments=redacted(call.arguments)) for d in deltas for call in d.calls),
        )
