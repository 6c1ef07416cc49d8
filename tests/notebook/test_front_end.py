"""In a real kernel: what front ends and widgets can't show comes in a form that they can."""

import pytest

pytest.importorskip("ipykernel")
pytestmark = pytest.mark.kernel

from lockbots_magic.storage.output_metadata import KEY  # noqa: E402  # after the skip
from lockbots_magic.storage.reply_form import reply_in  # noqa: E402  # after the skip
from tests.chatserver import chat_server, delta, events, say  # noqa: E402  # after the skip
from tests.kernels import Kernel  # noqa: E402

VS_CODE = "vscode-notebook-cell:/home/me/a.ipynb#W1sZmlsZQ=="
FORMULA = "Energy is $E = mc^2$."
LONG = [f"Line {number}: $x_{number}$.\n\n" for number in range(40)]


def answer(_number, body):
    asked = body["messages"][-1]["content"]
    if asked == "long":
        return events(*(delta(content=line) for line in LONG), delta("stop"))
    if asked == "think":
        return events(delta(reasoning_content="I *think*.\n# So"), delta(content=FORMULA), delta("stop"))
    return say(FORMULA if asked == "formula" else "No formula, 5 $.")


@pytest.fixture(scope="module")
def kernel():
    with chat_server(answer) as (url, _), Kernel() as kernel:
        kernel.run(f"%load_ext lockbots_magic\n%lockbots use openai:demo --base-url {url}")
        yield kernel


def kinds(execution):
    return [set(content["data"]) for content in execution.of("display_data", "update_display_data")]


def test_vs_code_gets_formulas_as_markdown(kernel):
    for cell_id, setting in ((VS_CODE, ""), ("c1", "__vsc_ipynb_file__ = '/home/me/a.ipynb'")):
        kernel.run(setting or "1")
        for cell in ("%%chat\nformula", "%chat --no-history formula", "%lockbots compare openai:a openai:b -- formula"):
            (output,) = kernel.run(cell, cell_id).outputs
            assert "text/html" not in output["data"]
            assert "$E = mc^2$" in output["data"]["text/markdown"]
        execution = kernel.run("%%chat\nlong", cell_id)
        assert not any(found == {"text/html"} for found in kinds(execution)[1:])
        assert len(execution.outputs) == 1
        (output,) = kernel.run("%%chat\nnone", cell_id).outputs
        assert "text/html" in output["data"]
    kernel.run("del __vsc_ipynb_file__")


def test_vs_code_gets_reasoning_beside_formulas_as_a_quote(kernel):
    for mode, quoted in (("fold", True), ("hide", False)):
        kernel.run(f"%lockbots set reasoning {mode}")
        (output,) = kernel.run("%%chat\nthink", VS_CODE).outputs
        assert "text/html" not in output["data"]
        markdown = output["data"]["text/markdown"]
        assert markdown.startswith("> *Reasoning*\n>\n> I \\*think\\*.  \n> \\# So  \n\n") == quoted
        assert FORMULA in markdown
    kernel.run("%lockbots set reasoning fold")


def test_other_front_ends_get_html(kernel):
    (output,) = kernel.run("%%chat\nformula", "c1").outputs
    assert "mathjax_process" in output["data"]["text/html"]


def test_an_output_widget_gets_the_whole_reply_at_once(kernel, mock_server):
    pytest.importorskip("ipywidgets")
    kernel.run("import ipywidgets\nout = ipywidgets.Output()\nrun = get_ipython().run_line_magic")
    slow = f"-m openai:demo --base-url {mock_server.url('openai', rate=40)} count to 15"
    for call in (f"run('chat', {slow!r})", "run('lockbots', 'compare openai:a openai:b -- long')"):
        execution = kernel.run(f"with out:\n    {call}", "c1")
        assert len(execution.of("display_data")) == 1
        assert not execution.of("update_display_data", "clear_output")
    assert kernel.run(f"run('chat', {slow!r})", "c1").of("update_display_data")  # outside, it is live


def test_plain_text_is_whole_where_somebody_may_read_it(kernel):
    whole = "".join(LONG).rstrip("\n")
    (saved,) = kernel.run("%%chat\nlong", "c1").outputs
    assert saved["data"]["text/plain"].startswith("Line 0: $x_0$.\n\nLine 1")
    assert saved["data"]["text/plain"].endswith(" more characters: text/markdown]")
    assert reply_in(saved["metadata"][KEY], saved["data"]).strip() == whole
    (console,) = kernel.finish(kernel.send("%%chat\nlong", allow_stdin=True)).outputs
    assert console["data"]["text/plain"].strip() == reply_in(console["metadata"][KEY], console["data"]).strip() == whole
    kernel.run("%%capture captured\n%chat long", "c2")
    length = kernel.run("len(captured.outputs[0].data['text/plain'].strip())").of("execute_result")[0]
    assert length["data"]["text/plain"] == str(len(whole))
