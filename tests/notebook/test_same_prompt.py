"""The same question is the same text in every kernel, so that its recording is found."""

import pytest

SETUP = """
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt, numpy as np, pandas as pd, polars as pl
class Model: pass
words = {"alpha", "beta", "gamma", "delta", "epsilon"}
figure, axes = plt.subplots(); axes.plot([1, 2])
groups = pl.DataFrame({"k": list("cab" * 5)}).group_by("k")
values = {"set": words, "model": Model(), "frozen": [frozenset(words)], "array": np.array([0.1], dtype="float32")}
print(words, Model())
"""
QUESTION = "%%chat --no-history --image figure --cells 1\n"
QUESTION += "{{ values }} {{ words }} {{ axes }} {{ groups }} {{ Model().__init__ }}"


@pytest.mark.kernel
def test_recording_of_one_kernel_is_replayed_by_another(tmp_path, mock_server):
    for module in ("ipykernel", "matplotlib", "pandas", "polars"):
        pytest.importorskip(module)
    from tests.kernels import Kernel, visible

    tape = tmp_path / "talk.jsonl"
    load = f"%load_ext lockbots_magic\n%lockbots use openai:demo --base-url {mock_server.url('openai')}\n%lockbots"
    shown = []
    for command in (f"{load} record {tape}", f"{load} replay {tape}"):
        with Kernel() as kernel:
            assert kernel.run(SETUP).reply["status"] == "ok"
            kernel.run(command)
            execution = kernel.run(QUESTION)
            assert execution.reply["status"] == "ok", execution.printed
            shown.append(visible(execution.outputs[-1]["data"]))
    assert len(mock_server.requests) == 1
    assert "may not be found in another run: the prompt holds a picture" in shown[0]
    assert "may not be found" not in shown[1]


def test_detail_of_the_run_is_named_when_it_is_recorded(run, mock_server, tmp_path):
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
    assert "may not be found" not in run("%%chat\n{{ '%s' % object() }}").outputs[0].data["text/html"]
    run(f"%lockbots record {tmp_path / 'talk.jsonl'}")
    assert "the prompt holds a memory address" in run("%%chat\n{{ '%s' % object() }}").outputs[0].data["text/html"]
    assert "may not be found" not in run("%%chat\n{{ 1 + 1 }}").outputs[0].data["text/html"]


def test_comparison_says_what_was_cut(run, mock_server):
    pytest.importorskip("pandas")
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
    run("import pandas as pd\nframe = pd.DataFrame({'a': range(1000)})")
    shown = run("%lockbots compare openai:demo -- {{ frame }}")
    assert "frame: only 40 of 1,000 rows were sent" in shown.stdout + str([one.data for one in shown.outputs])
