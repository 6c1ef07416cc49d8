"""Latency from the server's first token to the first output that the front end receives."""

from __future__ import annotations

from common import figure, kernel, median, server, spread, table, title

KERNELS = 4
RUNS = 20
MODEL = "20@50+0.2"


def main() -> None:
    cold: list[float] = []
    warm: list[float] = []
    with server() as source:
        cell = f"%%chat -m openai:{MODEL} --base-url {source.url}\nGo on."
        for n in range(KERNELS):
            with kernel() as fresh:
                fresh.run("%load_ext lockbots_magic")
                for run in range(RUNS if n == 0 else 1):
                    shown, _ = fresh.run(cell, cell_id="cell").displays[0]
                    (warm if run else cold).append(shown - source.times()["first"])
    title("first token sent -> first output received, ms")
    rows = (f"first cell of {KERNELS} kernels", cold), (f"the {len(warm)} cells after it", warm)
    table(("", "median", "lowest", "highest"), *((name, *spread(times, 1, 1e3)) for name, times in rows))
    ordered = sorted(warm)
    title("distribution of the later cells, ms")
    shares = (10, 25, 50, 75, 90)
    table(("percentile", *shares), ("", *(f"{ordered[int(p / 100 * (len(ordered) - 1))] * 1e3:.1f}" for p in shares)))
    figure("first token to first output", f"{median(warm) * 1e3:.1f} ms", "<= 20 ms")
    figure("first token to first output, first cell", f"{median(cold) * 1e3:.1f} ms", "<= 40 ms")


if __name__ == "__main__":
    main()
