"""The variable of `--to` never keeps the value of an earlier cell when its own cell fails."""

from __future__ import annotations

import pytest

from tests.rawserver import RawServer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
FORMS = ["", "--as text", "--as code", "--as json", '--as json --schema "list[int]"', "--background"]
BODIES = {
    "empty": b"data: [DONE]\n\n",
    "error": b'data: {"choices": [{"delta": {"content": "[1"}}]}\n\ndata: {"error": "no"}\n\n',
    "limit": b'data: {"choices": [{"delta": {}, "finish_reason": "length"}]}\n\n',
    "filter": b'data: {"choices": [{"delta": {}, "finish_reason": "content_filter"}]}\n\n',
}
MISTAKES = [
    "-p nonsense=1", "-m nosuch:x", "--file /nowhere", "--tools undefined", "-s @nobody", "--background --as code",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_retries(run):
    assert run("%config Lockbots.max_retries = 0").error is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("body", BODIES)
def test_after_a_reply_that_failed(run, openai, shell, form, body):
    def script(peer):
        peer.request()
        peer.send(HEAD + BODIES[body])

    with RawServer(script) as server:
        shell.user_ns["answer"] = "old"
        run(f"%%chat -m openai:m --base-url {server.url} {form} --to answer\nhi")
        assert "answer" not in shell.user_ns


@pytest.mark.parametrize("mistake", MISTAKES)
def test_after_a_mistake_in_the_cell(run, openai, shell, mistake):
    before = len(openai.requests)
    for prompt in ("hi", "{{ undefined }}", ""):
        shell.user_ns["answer"] = "old"
        assert run(f"%%chat {mistake} --to answer\n{prompt}").error
        assert "answer" not in shell.user_ns
    assert len(openai.requests) == before


def test_variable_that_hides_one_of_python_is_told(run, openai, shell):
    try:
        assert "own max" in run("%%chat --to max\nhi").outputs[0].data["text/html"]
    finally:
        shell.user_ns.pop("max", None)
    commands = ("%%chat --to In\nhi", "%%chat --to __builtins__\nhi", "%lockbots compare openai:m --to Out -- hi")
    for command in commands:
        assert "Choose another name" in str(run(command).error)
    assert {"In", "Out"} <= {*shell.user_ns}


def test_after_a_comparison_that_failed(run, openai, shell):
    for prompt in ("{{ undefined }}", "hi"):
        shell.user_ns["answer"] = "old"
        run(f"%lockbots compare nosuch:a nosuch:b --to answer -- {prompt}")
        assert shell.user_ns.get("answer") != "old"


def test_the_prompt_may_use_the_old_value(run, openai, shell):
    run("%%chat --to answer\nsay {one}")
    assert run("%%chat --to answer\nsay {again {{ answer }}}").error is None
    assert shell.user_ns["answer"] == "{again {one}}"


def test_a_dry_run_leaves_it(run, openai, shell):
    shell.user_ns["answer"] = "old"
    run("%%chat --dry-run --to answer\nhi")
    run("%%chat --dry-run --to answer\n{{ undefined }}")
    assert shell.user_ns["answer"] == "old"
