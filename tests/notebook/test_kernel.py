"""In a real kernel: what a front end sees while a reply streams, is interrupted, or fails."""

from itertools import pairwise

import pytest

pytest.importorskip("ipykernel")
pytestmark = pytest.mark.kernel

from tests.kernels import Execution, Kernel, visible  # noqa: E402  # after the skip


@pytest.fixture(scope="module")
def _kernel():
    with Kernel() as kernel:
        yield kernel


@pytest.fixture
def kernel(_kernel):
    """A kernel whose session is as new."""
    assert _kernel.run("%reset -f\n%unload_ext lockbots_magic").reply
    as_new = """
%load_ext lockbots_magic
from lockbots_magic.notebook.extension import session_of
session = session_of(get_ipython())
session.conversations._named.clear()
session.conversations.current, session.settings.model, session.settings.providers = "main", "guide", {}
"""
    loaded = _kernel.run(as_new)
    assert loaded.reply["status"] == "ok"
    return _kernel


def use(kernel, url, model="openai:demo"):
    assert kernel.run(f"%lockbots use {model} --base-url {url}").reply["status"] == "ok"


def turns(kernel):
    shown = kernel.run("[(t.prompt, t.reply, t.status) for t in session.conversations.get().turns]")
    return eval(shown.of("execute_result")[0]["data"]["text/plain"])


def shown_texts(execution):
    return [visible(c["data"]) for c in execution.of("display_data", "update_display_data")]


def test_the_reply_grows_in_the_cell_and_ends_as_one_output(kernel, mock_server):
    use(kernel, mock_server.url("openai", rate=30))
    execution = kernel.run("%%chat\ncount to 20", cell_id="c1")
    texts = [text for text in shown_texts(execution) if text[:1].isdigit()]  # a slow machine shows a line before
    assert len(texts) > 3
    assert all(after.startswith(before) for before, after in pairwise(texts))
    assert texts[0].startswith("1")
    assert len(execution.of("display_data")) == 1
    assert set(execution.outputs[0]["data"]) == {"text/html", "text/markdown", "text/plain"}
    assert execution.text == " ".join(map(str, range(1, 21)))


def test_the_first_text_is_shown_before_the_second_is_sent(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="silence-midway"))
    request = kernel.send("%%chat\ncount to 20", cell_id="c1")
    seen = next(m for m in kernel.messages(request) if m["msg_type"] == "display_data")
    assert visible(seen["content"]["data"]).startswith("1")
    kernel.manager.interrupt_kernel()
    kernel.finish(request)


def test_text_just_before_a_pause_is_shown_during_the_pause(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="silence-midway"))
    request = kernel.send("%%chat\ncount to 20", cell_id="c1")
    whole = "1 2 3 4 5 6 7 8 9 10"
    for message in kernel.messages(request):
        if visible(message["content"].get("data", {})) == whole:
            break
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).reply["status"] == "error"


def test_frames_are_as_few_as_their_minimum_interval_says(kernel, mock_server):
    use(kernel, mock_server.url("openai", tokens=2000, rate=2000))
    kernel.run("from lockbots_magic.rendering import frame_loop\nusual, frame_loop.FRAME = frame_loop.FRAME, 3600")
    execution = kernel.run("%%chat\ngo", cell_id="c1")
    kernel.run("frame_loop.FRAME = usual")
    assert len(shown_texts(execution)) == 2, "the first frame and the whole reply"


@pytest.mark.parametrize("how", ["no cell id", "off"])
def test_where_nobody_watches_there_is_one_display_data_only(kernel, mock_server, how):
    use(kernel, mock_server.url("openai", rate=200))
    if how == "off":
        kernel.run("%lockbots set live off")
    execution = kernel.run("%%chat\ncount to 20", cell_id="c1" if how == "off" else None)
    kernel.run("%lockbots set live auto")
    assert not execution.of("update_display_data")
    assert len(execution.of("display_data")) == 1
    assert "display_id" not in execution.of("display_data")[0].get("transient", {})


def test_captured_output_is_one_output(kernel):
    kernel.run("%%capture seen\n%chat hello", cell_id="c1")
    assert kernel.run("len(seen.outputs)").of("execute_result")[0]["data"]["text/plain"] == "1"


def test_a_cell_run_again_owns_its_turn(kernel, mock_server):
    use(kernel, mock_server.url("openai"))
    for source in ("count to 2", "count to 3"):
        kernel.run(f"%%chat\n{source}", cell_id="c1")
    assert turns(kernel) == [("count to 3", "1 2 3", "complete")]


def test_an_interrupt_closes_the_connection_keeps_the_text_and_stops_run_all(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="silence-midway"))
    execution = Execution()
    request = kernel.send("%%chat\ncount to 20", cell_id="c1")
    queued = kernel.send("ran = True", cell_id="c2")
    for message in kernel.messages(request):
        execution.messages.append(message)
        if visible(message["content"].get("data", {})).startswith("1 2"):
            break
    kernel.manager.interrupt_kernel()
    mock_server.wait_for_disconnect()
    kernel.finish(request, execution)
    assert execution.reply["status"] == "error"
    assert not execution.of("error", "stream"), "one grey line, no red one"
    (output,) = execution.outputs
    reply = output["data"]
    assert reply["text/plain"].startswith("1 2")
    assert "Interrupted; the text so far is kept." in reply["text/html"]
    aborted = kernel.client.get_shell_msg(timeout=30)
    while aborted["parent_header"]["msg_id"] != queued:
        aborted = kernel.client.get_shell_msg(timeout=30)
    assert aborted["content"]["status"] in ("aborted", "error")
    (turn,) = turns(kernel)
    assert turn[2] == "interrupted"
    use(kernel, mock_server.url("openai"))
    assert kernel.run("%%chat\nsay again", cell_id="c3").text == "again"


def test_an_interrupt_before_the_first_text_is_as_quick(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="silence"))
    request = kernel.send("%%chat\nhi", cell_id="c1")
    mock_server.wait_for_request()
    kernel.manager.interrupt_kernel()
    mock_server.wait_for_disconnect()
    execution = kernel.finish(request)
    assert execution.reply["ename"] == "Interrupted"
    assert [visible(output["data"]) for output in execution.outputs] == ["Interrupted before the first word."]


def test_an_interrupt_during_a_pause_before_a_retry_ends_it(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="http-503", retry_after=30))
    request = kernel.send("%%chat\nhi", cell_id="c1")
    notice = next(m for m in kernel.messages(request) if m["msg_type"] == "display_data")
    assert "Retrying in 30 s" in notice["content"]["data"]["text/html"]
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request, timeout=25).reply["status"] == "error"


def test_a_retry_is_told_and_forgotten_once_it_works(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="http-503", times=1, retry_after=0.2))
    execution = kernel.run("%%chat\nsay fine", cell_id="c1")
    assert "Retrying in" in execution.of("display_data")[0]["data"]["text/html"]
    assert "Retrying in" not in execution.outputs[0]["data"]["text/html"]
    assert execution.text == "fine"


def test_a_failure_is_one_message_and_status_error(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="http-401"))
    for mode in ("Verbose", "Context"):
        kernel.run(f"%xmode {mode}")
        execution = kernel.run("%%chat\nhi", cell_id="c1")
        (error,) = execution.of("error")
        assert (execution.reply["status"], error["ename"]) == ("error", "AuthenticationError")
        assert len("".join(error["traceback"])) < 300


def test_loading_prints_nothing(kernel):
    kernel.run("%unload_ext lockbots_magic")
    assert kernel.run("%load_ext lockbots_magic", cell_id="c0").outputs == []


def test_a_chat_in_the_cell_that_loads_the_extension_belongs_to_that_cell(kernel):
    source = "%load_ext lockbots_magic\n%chat how do I save"
    for _ in range(2):
        kernel.run("%unload_ext lockbots_magic")
        kernel.run(source, cell_id="both")
    assert len(turns(kernel)) == 1


def test_login_where_the_front_end_can_not_ask_is_one_message(kernel):
    execution = kernel.run("%lockbots login openai")
    assert "OPENAI_API_KEY" in execution.of("error")[0]["evalue"]


def test_login_asks_hidden_and_keeps_it_out_of_everything_that_is_sent(kernel, mock_server):
    request = kernel.send("%lockbots login liaobots", allow_stdin=True)
    asked = kernel.client.get_stdin_msg(timeout=30)
    assert asked["content"]["password"] is True
    kernel.client.input("mock-planted-credential")
    execution = kernel.finish(request)
    assert execution.reply["status"] == "ok"
    assert "saved in this kernel" in execution.outputs[0]["text"]
    execution.messages += kernel.run("%lockbots status\n%lockbots providers\n%lockbots history").messages
    assert "planted" not in str(execution.messages)
    kernel.run("%lockbots logout liaobots")


def test_ipython_config_chooses_the_model(kernel):
    source = """
from traitlets.config import Config
from lockbots_magic.notebook.session import Session
Session(Config({"Lockbots": {"model": "ollama:llama3.2", "temperature": 0.5}})).chat().params
"""
    assert kernel.run(source).of("execute_result")[0]["data"]["text/plain"] == "{'temperature': 0.5}"


def test_two_threads_that_chat_at_once_do_not_mix(kernel, mock_server):
    source = f"""
from concurrent.futures import ThreadPoolExecutor
from lockbots_magic import Chat
ask = lambda n: Chat("openai:demo", base_url={mock_server.url("openai", rate=200)!r}).ask(f"count to {{n}}").reply
list(ThreadPoolExecutor().map(ask, [5, 9]))
"""
    shown = kernel.run(source).of("execute_result")[0]["data"]["text/plain"]
    assert eval(shown) == ["1 2 3 4 5", "1 2 3 4 5 6 7 8 9"]


def test_tables_are_html_in_a_notebook(kernel):
    data = kernel.run("%lockbots status").outputs[0]["data"]
    assert "<table>" in data["text/html"]
    assert "guide:help" in data["text/plain"]


IN_A_THREAD = """
import threading
thread = threading.Thread(target=get_ipython().run_cell_magic, args=("chat", "-c {name}", {prompt!r}))
thread.start()
started = True
"""


def test_replies_of_two_cells_that_stream_at_once_in_threads_stay_in_their_cells(kernel, mock_server):
    use(kernel, mock_server.url("openai", rate=40))
    first = kernel.send(IN_A_THREAD.format(name="a", prompt="count to 60"), cell_id="c1")
    kernel.finish(first)
    second = kernel.send(IN_A_THREAD.format(name="b", prompt="say " + "word " * 60), cell_id="c2")
    kernel.finish(second)
    shown = {first: "", second: ""}
    while not ("59 60" in shown[first] and shown[second].count("word") == 60):
        message = kernel.client.get_iopub_msg(timeout=30)
        cell = message["parent_header"].get("msg_id")
        if "display_data" in message["msg_type"]:
            shown[cell] = visible(message["content"]["data"]) or shown[cell]
            assert "word" not in shown[first]
            assert "1 2" not in shown[second]


def test_plain_text_streams_to_where_no_frame_can_be_drawn(kernel, mock_server):
    use(kernel, mock_server.url("openai", rate=40))
    kernel.run("%lockbots set live text")
    execution = kernel.run("%%chat\ncount to 20")
    kernel.run("%lockbots set live auto")
    assert not execution.of("display_data")
    texts = [c["text"] for c in execution.of("stream")]
    assert len(texts) > 1, "it streams"
    assert "".join(texts) == " ".join(map(str, range(1, 21))) + "\n"
