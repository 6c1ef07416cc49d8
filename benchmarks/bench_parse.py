"""Speed of reading a stream: our provider, a plain loop over requests, and the openai client."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import openai
import requests
from common import Server, figure, median, read_bytes, reply, server, spread, table, title

from lockbots_magic.providers.openai_compatible import OpenAICompatible

TOKENS = 20_000
REPETITIONS = 7
MESSAGES = [{"role": "user", "content": "Go on."}]
MODEL = str(TOKENS)


def ours(url: str) -> Iterator[str]:
    return OpenAICompatible.create_completion(MODEL, MESSAGES, base_url=url)


def with_requests(url: str) -> Iterator[str]:
    body = {"model": MODEL, "messages": MESSAGES, "stream": True}
    with requests.post(f"{url}/chat/completions", json=body, stream=True, timeout=60) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if not line.startswith(b"data: "):
                continue
            data = line[len(b"data: ") :]
            if data == b"[DONE]":
                break
            choices = json.loads(data)["choices"]
            if choices and (text := choices[0]["delta"].get("content")):
                yield text


def with_openai(url: str) -> Iterator[str]:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        for chunk in client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True):
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text


def bytes_alone(url: str) -> Iterator[str]:
    """Read without parsing, to show whether the others wait for the server."""
    read_bytes(url, MODEL)
    return iter(())


READERS: dict[str, Callable[[str], Iterator[str]]] = {
    "the bytes alone": bytes_alone,
    "OpenAICompatible": ours,
    "requests, iter_lines": with_requests,
    "openai client": with_openai,
}


def timed(reader: Callable[[str], Iterator[str]], source: Server) -> tuple[float, float]:
    """Return wall and processor time (s)."""
    wall, processor = time.perf_counter(), time.process_time()
    text = "".join(reader(source.url))
    taken = time.perf_counter() - wall, time.process_time() - processor
    if reader is not bytes_alone and text != reply(TOKENS):
        raise RuntimeError("the text is not the reply")
    return taken


def main() -> None:
    wall: dict[str, list[float]] = {name: [] for name in READERS}
    processor: dict[str, list[float]] = {name: [] for name in READERS}
    with server() as source:
        for n in range(REPETITIONS + 1):
            for name, reader in READERS.items():
                taken = timed(reader, source)
                if n:  # the first round warms up
                    wall[name].append(taken[0])
                    processor[name].append(taken[1])
    base = median(processor["OpenAICompatible"])
    title(f"parsing {TOKENS:,} tokens, not throttled, {REPETITIONS} interleaved runs each")
    rows = []
    for name in READERS:
        token, ratio = median(processor[name]) / TOKENS * 1e6, median(processor[name]) / base
        rows.append((name, *spread(wall[name]), *spread(processor[name]), f"{token:.1f}", f"{ratio:.2f} x"))
    table(
        ("reader", "wall s", "lowest", "highest", "processor s", "lowest", "highest", "us/token", "over ours"),
        *rows,
    )
    # Processor time excludes the wait for the server (first row) and other work on the machine.
    for name in ("requests, iter_lines", "openai client"):
        ratio = median(
            [theirs / own for theirs, own in zip(processor[name], processor["OpenAICompatible"], strict=True)]
        )
        figure(f"parsing, {name} over ours", f"{ratio:.2f} x", "> 1 x")


if __name__ == "__main__":
    main()
