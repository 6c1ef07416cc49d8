"""Replies that go on when their cell has ended, in a real kernel."""

import pytest

pytest.importorskip("ipykernel")
pytestmark = pytest.mark.kernel

from tests.kernels import Execution, Kernel, visible  # noqa: E402  # after the skip


@pytest.fixture(scope="module")
def _kernel():
    with Kernel() as kernel:
        assert kernel.run("%load_ext lockbots_magic").reply["status"] == "ok"
        kernel.run("from lockbots_magic.notebook.extension import session_of\nsession = session_of(get_ipython())")
        yield kernel


@pytest.fixture
def kernel(_kernel):
    """A kernel whose conversations are as new."""
    _kernel.run("%lockbots stop\nsession.conversations._named.clear()")
    return _kernel


def use(kernel, url):
    assert kernel.run(f"%lockbots use openai:demo --base-url {url}").reply["status"] == "ok"


def value(kernel, expression):
    return eval(kernel.run(expression).of("execute_result")[0]["data"]["text/plain"])


def wait_until(kernel, expression):
    """Wait, in the kernel, until `expression` holds."""
    waiting = (
        f"import time\nfor _ in range(1000):\n    if {expression}: break\n    time.sleep(0.02)\nassert {expression}"
    )
    assert kernel.run(waiting).reply["status"] == "ok"


def background(kernel, prompt, options="", cell_id="c1"):
    """Run a cell in the background; return what it had sent when it returned."""
    return kernel.run(f"%%chat --background {options}\n{prompt}", cell_id=cell_id)


def test_the_cell_returns_at_once_and_its_output_goes_on(kernel, mock_server):
    use(kernel, mock_server.url("openai", rate=40))
    started = background(kernel, "count to 60", "--to numbers")
    (first,) = started.of("display_data")
    assert "background" in visible(first["data"])
    later = Execution()
    while not (later.messages and "60" in str(later.messages[-1]["content"].get("data", {}).get("text/plain"))):
        message = kernel.client.get_iopub_msg(timeout=30)
        if message["msg_type"] == "update_display_data":
            assert message["content"]["transient"] == first["transient"]
            later.messages.append(message)
    assert len(later.messages) > 2
    assert "lockbots" in later.messages[-1]["content"]["metadata"], "the turn is saved with the output"
    wait_until(kernel, "not session.stop()")
    assert value(kernel, "numbers").endswith("59 60")
    assert value(kernel, "[t.status for t in session.conversations.get().turns]") == ["complete"]


def test_other_cells_run_meanwhile_and_their_outputs_are_their_own(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="silence-midway"))
    background(kernel, "count to 20")
    other = kernel.run("print('mine')", cell_id="c2")
    assert other.printed == "mine\n"
    assert not other.of("update_display_data", "display_data")
    mock_server.wait_for_request()
    kernel.run("%lockbots stop")
    mock_server.wait_for_disconnect()


def wait_for_notice(kernel, request):
    """Return the first output of a cell that waits."""
    for message in kernel.messages(request):
        if message["msg_type"] == "display_data":
            return message["content"]
    raise AssertionError("no output")


def test_the_next_turn_waits_its_turn_with_a_notice_that_is_gone_in_the_end(kernel, mock_server):
    use(kernel, mock_server.url("openai", rate=20))
    background(kernel, "count to 30")
    execution = kernel.run("%%chat\nsay on", cell_id="c2")
    assert execution.reply["status"] == "ok"
    first = execution.of("display_data")[0]
    assert "Waiting for the reply in progress in conversation main" in visible(first["data"])
    assert execution.text == "on"
    turns = value(kernel, "[(t.prompt, t.status) for t in session.conversations.get().turns]")
    assert turns == [("count to 30", "complete"), ("say on", "complete")]
    assert "count to 30" in str(mock_server.requests[-1].json), "it is sent with the reply it waited for"


def test_it_waits_where_nobody_watches_and_in_another_conversation_it_needn_t(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="silence-midway"))
    background(kernel, "count to 20")
    use(kernel, mock_server.url("openai"))
    for options in ("-c other", "--no-history"):
        assert kernel.run(f"%%chat {options}\nsay on", cell_id="c2").text == "on"
    kernel.run("import threading; threading.Timer(0.5, session.stop).start()")
    execution = kernel.run("%%chat\nsay on")
    assert execution.text == "on"
    assert len(execution.of("display_data", "update_display_data")) == 1


def test_the_wait_can_be_interrupted_and_nothing_is_sent(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="silence-midway"))
    background(kernel, "count to 20")
    mock_server.wait_for_request()
    sent = len(mock_server.requests)
    request = kernel.send("%%chat\nsay on", cell_id="c2")
    notice = wait_for_notice(kernel, request)
    kernel.manager.interrupt_kernel()
    execution = kernel.finish(request)
    assert execution.reply["ename"] == "Interrupted"
    (update,) = execution.of("update_display_data")
    assert update["transient"] == notice["transient"]
    assert "the reply in progress goes on" in visible(update["data"])
    assert not execution.of("error", "stream"), "one grey line, no red one"
    assert len(mock_server.requests) == sent
    assert kernel.run("%lockbots stop main").printed == "Stopped 1 reply.\n"
    mock_server.wait_for_disconnect()


def test_a_failure_is_shown_in_the_output_of_the_cell(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="http-401"))
    started = background(kernel, "hello")
    updates = [visible(m["data"]) for m in started.of("update_display_data")]
    while not any("credential" in shown for shown in updates):
        message = kernel.client.get_iopub_msg(timeout=30)
        if message["msg_type"] == "update_display_data":
            updates.append(visible(message["content"]["data"]))
    assert value(kernel, "len(session.conversations.get().turns)") == 1


def test_where_nobody_watches_the_cell_waits_for_the_end(kernel, mock_server):
    use(kernel, mock_server.url("openai", rate=200))
    execution = kernel.run("%%chat --background\ncount to 10")
    assert execution.text == "1 2 3 4 5 6 7 8 9 10"
    assert not execution.of("update_display_data")


def test_plain_text_goes_into_the_cell_that_asked(kernel, mock_server):
    use(kernel, mock_server.url("openai", rate=40))
    asking = kernel.send("%%chat --background --as text --to numbers\ncount to 40", cell_id="c1")
    other = kernel.send("print('mine')", cell_id="c2")
    printed, pieces = {asking: "", other: ""}, []
    while not (printed[asking].endswith("40\n") and printed[other]):
        message = kernel.client.get_iopub_msg(timeout=30)
        if message["msg_type"] == "stream":
            printed[message["parent_header"]["msg_id"]] += message["content"]["text"]
            pieces.append(message["parent_header"]["msg_id"])
        assert "display_data" not in message["msg_type"]
    assert printed == {asking: " ".join(map(str, range(1, 41))) + "\n", other: "mine\n"}
    assert asking in pieces[pieces.index(other) + 1 :], "it goes on after the next cell has run"
    wait_until(kernel, "'numbers' in globals()")
    assert value(kernel, "numbers").endswith("39 40")


def test_without_history_it_can_be_stopped_too(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="silence-midway"))
    background(kernel, "count to 20", "--no-history")
    mock_server.wait_for_request()
    assert kernel.run("%lockbots stop").printed == "Stopped 1 reply.\n"
    mock_server.wait_for_disconnect()
    assert value(kernel, "len(session.conversations.get().turns)") == 0


def test_a_cell_that_runs_again_stops_its_earlier_reply_and_takes_its_place(kernel, mock_server):
    use(kernel, mock_server.url("openai", fault="silence-midway"))
    background(kernel, "count to 20")
    use(kernel, mock_server.url("openai"))
    again = kernel.run("%%chat\nsay again", cell_id="c1")
    assert again.text == "again"
    assert value(kernel, "[(t.reply, t.status) for t in session.conversations.get().turns]") == [("again", "complete")]


def test_what_a_function_prints_stands_in_the_cell_that_asked(kernel, mock_server):
    use(kernel, mock_server.url("openai"))
    kernel.run("import threading\ngo, gone = threading.Event(), threading.Event()")
    kernel.run("def late():\n    'Late.'\n    go.wait(30)\n    print('PRINTED', flush=True)\n    gone.set()")
    request = kernel.send("%%chat --background --tools late\ncall late {}", cell_id="c1")
    kernel.finish(request)
    other = kernel.send("go.set()\ngone.wait(30)", cell_id="c2")
    printed = None
    while printed is None:
        message = kernel.client.get_iopub_msg(timeout=30)
        if message["msg_type"] == "stream" and "PRINTED" in message["content"]["text"]:
            printed = message["parent_header"]["msg_id"]
    assert printed == request
    while kernel.client.get_shell_msg(timeout=30)["parent_header"]["msg_id"] != other:
        pass
    wait_until(kernel, "session.conversations.get().turns")


def test_a_stop_ends_a_reply_whose_function_can_not_be_stopped_and_tells_so(kernel, mock_server):
    use(kernel, mock_server.url("openai"))
    kernel.run("import threading\ngo, there = threading.Event(), threading.Event()")
    kernel.run("def late():\n    'Late.'\n    there.set()\n    go.wait(30)")
    background(kernel, "call late {}", "--tools late")
    kernel.run("there.wait(30)")
    assert kernel.run("%lockbots stop").printed == "Stopped 1 reply.\n"
    wait_until(kernel, "session.conversations.get().turns")
    assert "still running" in value(kernel, "session.conversations.get().turns[0].calls[0].result")
    kernel.run("go.set()")


def test_several_long_tries_and_what_functions_print_stay_in_the_cell(kernel, mock_server):
    use(kernel, mock_server.url("openai", tokens=6000))
    tries = kernel.run("%%chat --as json\ngo", cell_id="c1")
    assert len([one for one in tries.outputs if one["type"] == "display_data"]) == 3
    use(kernel, mock_server.url("openai"))
    kernel.run("def f():\n    'F.'\n    print('mine')\n    return 'word ' * 3900")
    printed = kernel.run("%%chat --tools f\ncall f {}", cell_id="c2")
    assert "".join(one["text"] for one in printed.outputs if one["type"] == "stream") == "mine\n"


def test_what_a_comparison_showed_can_go_into_a_prompt(kernel, mock_server):
    use(kernel, mock_server.url("openai"))
    kernel.run("%lockbots compare openai:demo openai:gpt-4 -- count to 3", cell_id="c1")
    number = value(kernel, "len(In) - 2")
    kernel.run(f"%%chat --cells {number}\nWhich is better?", cell_id="c2")
    asked = mock_server.requests[-1].json["messages"][-1]["content"]
    assert "openai:gpt-4" in asked
    assert "1 2 3" in asked


def test_nothing_to_stop_is_told(kernel):
    assert kernel.run("%lockbots stop").printed == "No reply is in progress.\n"
