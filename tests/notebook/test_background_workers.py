"""Threads of background replies: how they start, stop and are forgotten."""

import gc
import threading
import weakref

from lockbots_magic import Chat
from lockbots_magic.conversation.messages import Delta
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.background import Background
from lockbots_magic.notebook.live_output import output_in_background
from lockbots_magic.notebook.session import Session
from lockbots_magic.rendering.terminal.output import TerminalOutput
from lockbots_magic.security.secrets import Secret

TIMEOUT = 20


class Output:
    """Takes what a worker shows."""

    def run(self, work):
        work()

    def feed(self, delta):
        pass


def start(background, model, cell_id="c1"):
    """Start a background reply; return it, with an event set when it has ended and its error messages."""
    reply, ended, errors = Chat(model).stream("hi"), threading.Event(), []

    def finish(messages):
        errors.extend(messages)
        ended.set()

    background.start(reply, Output(), finish, cell_id)
    return reply, ended, errors


def wait_for_workers():
    for thread in threading.enumerate():
        if thread.name == "lockbots background":
            thread.join(TIMEOUT)
            assert not thread.is_alive()


def test_a_reply_that_has_ended_is_forgotten():
    background, session = Background(), Session()
    for cell_id in ("c1", "c2", None):
        reply, ended, _ = start(background, lambda prompt: prompt, cell_id)
        kept = weakref.ref(session.watch(reply))
        assert ended.wait(TIMEOUT)
        wait_for_workers()
        del reply
        gc.collect()
        assert kept() is None
    assert not background._workers
    assert not session._replies


def test_a_reply_that_fails_is_forgotten_and_its_error_is_shown():
    def broken(prompt):
        raise OSError("disk full")

    background = Background()
    _, ended, errors = start(background, broken)
    assert ended.wait(TIMEOUT)
    wait_for_workers()
    assert "OSError: disk full" in errors[0]
    assert not background._workers


def test_a_cell_that_runs_again_stops_its_earlier_reply_only():
    release = threading.Event()

    def slow(prompt):
        yield "one"
        release.wait(TIMEOUT)
        yield "two"

    background = Background()
    first, _, _ = start(background, slow, "c1")
    second, ended, _ = start(background, slow, "c2")
    threading.Timer(0.05, release.set).start()
    background.retire("c1")
    assert ended.wait(TIMEOUT)
    wait_for_workers()
    assert first.turn.status == "interrupted"
    assert second.turn.status == "complete"


def test_an_error_message_in_a_terminal_has_no_credential_and_no_escape_sequence(capsys):
    secret = Secret("planted-credential-0123")
    TerminalOutput().finish(Turn("hi", status="error"), [f"OSError: {secret.reveal()}\033[2J"])
    assert capsys.readouterr().out == "[OSError: ***[2J]\n"


def test_a_terminal_shows_a_background_reply_when_it_has_ended(shell, capsys):
    output = output_in_background(shell)
    output.feed(Delta("who"))
    assert capsys.readouterr().out == ""
    output.finish(Turn("hi", "whole"))
    assert capsys.readouterr().out == "whole\n"
