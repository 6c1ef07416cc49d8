"""Cassette of 1,000 turns: time to open it, time to find a turn, and cost of recording a stream."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import figure, median, reply, server, spread, table, title

from lockbots_magic import Chat
from lockbots_magic.cassette.cassette import Cassette
from lockbots_magic.cassette.request import RecordedRequest
from lockbots_magic.conversation.messages import ChatRequest, Message
from lockbots_magic.errors import NotRecordedError

TURNS = 1000
REPETITIONS = 7
STREAMS = {"20,000 tokens at 4,000/s": "20000@4000", "20,000 tokens at once": "20000"}


def model(prompt: str):
    yield from (TEXT[start : start + 5] for start in range(0, 1000, 5))


TEXT = reply(250)[:1000].ljust(1000)


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def recorded(path: Path, *, one_talk: bool) -> None:
    chat = Chat(model, cassette=path, mode="new")
    for number in range(TURNS):
        if not one_talk:
            chat.clear()
        chat.ask(f"RecordedRequest {number}: what is item {number}?")


def parsed(path: Path) -> None:
    for line in path.read_bytes().splitlines():
        json.loads(line)


def recorded_form(request: ChatRequest) -> RecordedRequest:
    return RecordedRequest.from_request("function", "model", request)


def missed(cassette: Cassette, question: RecordedRequest) -> None:
    try:
        cassette.answer(question, None)
    except NotRecordedError:
        return
    raise RuntimeError("this was never recorded")


def bench_file(folder: Path) -> None:
    rows = []
    for name, one_talk in (("1,000 questions", False), ("one talk of 1,000 turns", True)):
        path = folder / f"{one_talk}.jsonl"
        recorded(path, one_talk=one_talk)
        opened = [timed(lambda path=path: Cassette(path, "replay")) for _ in range(REPETITIONS)]
        baseline = [timed(lambda path=path: parsed(path)) for _ in range(REPETITIONS)]
        cassette = Cassette(path, "replay")
        found, missing = [], []
        for recording in cassette.file.recordings[-REPETITIONS:]:
            messages = tuple(Message(m.role, m.content) for m in recording.request.messages)
            request = ChatRequest("model", messages)
            found.append(
                timed(
                    lambda r=request, c=cassette: c.answer(RecordedRequest.from_request("function", "model", r), None)
                )
            )
            other = ChatRequest("model", (*messages[:-1], Message("user", "Something else")))
            missing.append(
                timed(lambda r=other, c=cassette: missed(c, RecordedRequest.from_request("function", "model", r)))
            )
        size = f"{path.stat().st_size / 1e6:.1f}"
        rows.append(
            (name, size, *(f"{median(v) * 1000:.1f}" for v in (baseline, opened)), f"{median(found) * 1000:.2f}")
        )
        rows[-1] += (f"{median(missing) * 1000:.1f}",)
        figure(f"{name}, open (s)", "{}, {} to {}".format(*spread(opened)), "<= 0.2")
        figure(f"{name}, open, over parsing its JSON", f"{median(opened) / median(baseline):.1f} x", "none")
        figure(f"{name}, find a turn (ms)", "{}, {} to {}".format(*spread(found, 2, 1000)), "<= 1")
    title(f"a cassette of {TURNS} turns of 1 KB, median of {REPETITIONS}")
    table(("cassette", "MB", "parse JSON ms", "open ms", "find ms", "say what differs ms"), *rows)


def bench_recording(folder: Path) -> None:
    rows = []
    with server() as source:
        for name, spec in STREAMS.items():
            bare, kept = [], []
            for number in range(REPETITIONS if "@" not in spec else 3):
                for cassette, times in ((None, bare), (folder / f"{spec}-{number}.jsonl", kept)):
                    chat = Chat(f"openai:{spec}", base_url=source.url, cassette=cassette)
                    times.append(timed(lambda chat=chat: chat.ask("Go on.")))
            ratios = [with_it / without for with_it, without in zip(kept, bare, strict=True)]
            rows.append((name, f"{median(bare):.3f}", f"{median(kept):.3f}", *spread(ratios)))
            figure(f"{name}, recorded over not", f"{median(ratios):.3f} x", "<= 1.05 x" if "@" in spec else "none")
    title("a stream with and without recording it")
    table(("stream", "bare s", "recorded s", "ratio", "lowest", "highest"), *rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        bench_file(Path(name))
        bench_recording(Path(name))
