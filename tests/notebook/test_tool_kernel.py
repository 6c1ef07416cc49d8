"""In a real kernel: who is asked about a tool call, and what a cell shows while it runs."""

import pytest

pytest.importorskip("ipykernel")
pytestmark = pytest.mark.kernel

from tests.kernels import Kernel, visible  # noqa: E402  # after the skip

SETUP = """
%load_ext lockbots_magic
%lockbots use openai:m --base-url {url}
from lockbots_magic import Chat
from lockbots_magic.notebook.extension import session_of
import time

def remove(path: str) -> str:
    "Remove a file."
    return "removed " + path

def sleep() -> str:
    "Sleep."
    time.sleep(60)

group = [remove]
chat = Chat("openai:m", base_url={url!r}, auth="mock")

def last():
    return [(c.result, c.approved_by) for c in session_of(get_ipython()).conversations.get().turns[-1].calls]
"""
NOBODY = "refused: This call needs approval, and nobody is there to ask."


@pytest.fixture(scope="module")
def kernel():
    from lockbots_magic.testing.mock_server.server import MockServer

    with MockServer() as server, Kernel() as kernel:
        assert kernel.run(SETUP.format(url=server.url("openai"))).reply["status"] == "ok"
        yield kernel


def value(kernel, expression):
    return eval(kernel.run(expression).of("execute_result")[0]["data"]["text/plain"])


def answered(kernel, cell, answer):
    """Run a cell that asks once; return the execution."""
    request = kernel.send(cell, cell_id=f"c{answer}", allow_stdin=True)
    asked = kernel.client.get_stdin_msg(timeout=60)
    assert asked["content"]["prompt"].startswith("Call it? y: yes")
    kernel.client.input(answer)
    return kernel.finish(request)


def test_a_cell_asks_by_the_input_line_and_shows_the_whole_call(kernel):
    cell = '%%chat --tools group\ncall remove {"path": "a"}'
    shown = answered(kernel, cell, "y")
    assert 'The model asks to call remove:\n    path = "a"\n' in shown.printed
    (reply,) = (one["data"] for one in shown.outputs if "data" in one)  # it may stand above the question
    assert 'remove(path="a") -> removed a' in reply["text/markdown"]
    assert value(kernel, "last()") == [("removed a", "user")]
    answered(kernel, cell, "not that one")
    assert value(kernel, "last()") == [("refused: The user did not approve this call. not that one", "")]
    answered(kernel, cell, "s")
    assert kernel.run(cell).reply["status"] == "ok"
    assert value(kernel, "last()") == [("removed a", "session")]


def test_a_chat_of_its_own_asks_too(kernel):
    asked = """print([c.approved_by for c in chat.ask('call remove {"path": "a"}', tools=[group]).calls])"""
    assert answered(kernel, asked, "y").printed.endswith("['user']\n")


def test_without_an_input_line_the_answer_is_no(kernel):
    told = kernel.run("""print(chat.ask('call remove {"path": "b"}', tools=[group]).calls[0].result)""")
    assert told.printed == f"{NOBODY}\n"


def test_a_call_is_shown_while_it_runs_and_an_interrupt_ends_it(kernel):
    kernel.run("%lockbots set live on")
    request = kernel.send("%%chat --tools sleep\ncall sleep {}", cell_id="c9")
    for message in kernel.messages(request):
        content = message["content"]
        if message["msg_type"] == "display_data" and "sleep() …" in visible(content["data"]):
            break
    kernel.manager.interrupt_kernel()
    shown = kernel.finish(request)
    (final,) = shown.of("update_display_data")[-1:]
    assert "`sleep() -> interrupted`" in final["data"]["text/markdown"]
