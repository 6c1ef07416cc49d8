"""Throughput: time from running a cell to its final output, divided by the time to read the bytes alone."""

from __future__ import annotations

import re

from common import Execution, figure, kernel, median, read_bytes, reply, server, spread, table, title

REPETITIONS = 3
STREAMS = {
    "20,000 tokens at 4,000/s": "20000@4000",
    "the same, one code block": "20000@4000-code",
    "2,000 tokens over 5 s": "2000@400",
}


def text_of(model: str) -> str:
    count, kind = re.fullmatch(r"(\d+)@\d+(?:-(\w+))?", model).groups()
    return reply(int(count), kind or "mixed")


def size(execution: Execution) -> int:
    """Return the number of characters displayed."""
    return sum(len(form) for _, kind, c in execution.outputs if "display" in kind for form in c["data"].values())


def main() -> None:
    rows, ratios = [], {}
    with server() as source, kernel() as running:
        running.run("%load_ext lockbots_magic")
        running.run(f"%%chat -m openai:20@50 --base-url {source.url}\nGo on.", cell_id="warm-up")
        for name, model in STREAMS.items():
            cell = f"%%chat -m openai:{model} --base-url {source.url}\nGo on."
            server_times, cell_times, frames, shown = [], [], [], []
            for _ in range(REPETITIONS):
                server_times.append(read_bytes(source.url, model))
                execution = running.run(cell, cell_id=model)
                arrived, text = execution.displays[-1]
                if text != text_of(model):
                    raise RuntimeError("the final output is not the reply")
                cell_times.append(arrived - execution.sent)
                frames.append(len(execution.displays))
                shown.append(size(execution))
            ratios[name] = [c / s for c, s in zip(cell_times, server_times, strict=True)]
            seconds = f"{median(server_times):.3f}", f"{median(cell_times):.3f}"
            rows.append((name, *seconds, *spread(ratios[name]), median(frames), f"{median(shown) / 1e6:.1f}"))
    title(f"from running the cell to its final output, over the same stream read alone, {REPETITIONS} runs each")
    table(("stream", "server s", "cell s", "ratio", "lowest", "highest", "frames", "displayed MB"), *rows)
    for name, values in ratios.items():
        figure(name, f"{median(values):.3f} x", "<= 1.05 x")


if __name__ == "__main__":
    main()
