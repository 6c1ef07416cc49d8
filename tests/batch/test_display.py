"""How a batch is shown: a head of constant size while it runs, one output at the end, nothing where nobody watches."""

import io
import itertools
from types import SimpleNamespace

import pandas as pd
import pytest

from lockbots_magic import Chat
from lockbots_magic.batch.displays import find_display
from lockbots_magic.batch.progress import NO_DISPLAY, BatchProgress
from lockbots_magic.batch.row import BatchRow
from lockbots_magic.batch.run import BatchPlan
from lockbots_magic.batch.usage import BatchUsage
from lockbots_magic.notebook import batch_output
from lockbots_magic.rendering.batch_table import format_time, progress_bundle, result_bundle
from lockbots_magic.rendering.terminal import batch_progress


def shout(prompt):
    return prompt.upper()


@pytest.fixture
def shown(monkeypatch):
    outputs = []
    monkeypatch.setattr(
        batch_output, "show", lambda data, display_id=None, update=False: outputs.append((data, display_id, update))
    )
    return outputs


def run(display, rows=40):
    return BatchPlan(Chat(shout), "{{ x }}", pd.DataFrame({"x": [f"row {n}" for n in range(rows)]})).run(display)


def test_cell_is_updated_four_times_a_second_and_ends_as_one_output(shown, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(batch_output, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.05))
    batch = run(batch_output.CellBatchOutput(live=True))
    *live, (last, display_id, update) = shown
    assert 2 <= len(live) <= 12, "an update for every row"
    assert [update for _, _, update in live] == [False] + [True] * (len(live) - 1)
    assert {one for _, one, _ in live} == {display_id}
    assert update, "the end stands beside what was shown, not in its place"
    assert "<progress" in live[-1][0]["text/html"]
    assert last == result_bundle(batch)


def test_end_is_the_same_watched_or_not_and_at_every_run(shown):
    run(batch_output.CellBatchOutput(live=True))
    watched = shown[-1][0]
    shown.clear()
    run(batch_output.CellBatchOutput(live=False))
    assert [(data, update) for data, _, update in shown] == [(watched, False)]
    assert "rows/s" not in watched["text/plain"]
    assert "35 more rows" in watched["text/plain"]


def test_size_of_the_head_is_bounded():
    usage = BatchUsage(rows=10)
    progress = BatchProgress(usage, 10_000, 0.0, ["reply"])
    for position in (7, 3, 9, 1, 5, 2, 8):
        progress.add(BatchRow(position, "x" * 10_000, "", False, position))
    assert [row.index for row in progress.head] == [1, 2, 3, 5, 7]
    size = len(progress_bundle(progress, ["reply"])["text/html"])
    for position in range(10, 500):
        progress.add(BatchRow(position, "y" * 10_000, "e" * 10_000, False, position))
    assert len(progress_bundle(progress, ["reply"])["text/html"]) < size + 500


def test_cells_are_text():
    batch = Chat(lambda prompt: "<script>alert(1)</script>\x1b[2J").map("{{ x }}", [{"x": "<b>"}], progress=False)
    html = result_bundle(batch)["text/html"]
    assert "<script>" not in html
    assert "\x1b" not in html + result_bundle(batch)["text/plain"]


def test_terminal_shows_a_bar_and_leaves_the_counts(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    display = batch_progress.open_display()
    run(display)
    written = terminal.getvalue()
    assert "rows/s" in written
    assert "40 rows: 40 asked" in written.splitlines()[-1]


def test_nobody_watches_a_script(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert find_display() is NO_DISPLAY
    Chat(shout).map("{{ value }}", list("abc"))
    assert capsys.readouterr().out == ""


def test_durations_are_written_shortly():
    assert [format_time(s) for s in (7, 754, 3723)] == ["0:07", "12:34", "1:02:03"]
