"""Questions that the toolkit words itself, and replies that are to end."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable

from ...errors import UsageError
from ...reply import Reply
from ..chat_command import NotebookContext, system_of
from ..session import Lockbots
from .command import Coded, argument, command, counted

TIME_TO_STOP = 1.0
"""How long (s) `stop` waits for the replies to end."""

_MODEL = argument("-m", "--model", metavar="PROVIDER:MODEL", completer="model", help="ask this model, this once")


@command(_MODEL, text="REMARK")
def explain(session: Lockbots, options: Namespace) -> Reply:
    """Ask what the last error means, with its traceback and the code of its cell."""
    from ...prompt.tracebacks import explain_prompt  # noqa: PLC0415  # needed after an error only

    return _asked(session, options, explain_prompt)


@command(_MODEL, text="REMARK")
def fix(session: Lockbots, options: Namespace) -> Coded:
    """Ask for the code of the last error's cell without the mistake; it becomes a new cell."""
    from ...prompt.tracebacks import fix_prompt  # noqa: PLC0415  # needed after an error only

    return Coded(_asked(session, options, fix_prompt))


def _asked(session: Lockbots, options: Namespace, word: Callable[[BaseException, str], str]) -> Reply:
    if session.cells.last_error is None:
        raise UsageError("no cell has failed since lockbots_magic was loaded")
    chat = session.chat(options.model)
    system = None if chat.conversation.system else system_of(session, None, NotebookContext(session.namespace))
    prompt = "\n\n".join(filter(None, [word(*session.cells.last_error), options.text]))
    reply = chat.stream(prompt, system=system, origin=session.cells.origin())
    session.keep(chat.conversation)
    return reply


@command(
    argument(
        "name",
        nargs="?",
        metavar="NAME",
        completer="conversation",
        help="the conversation; without one, all replies are stopped",
    )
)
def stop(session: Lockbots, options: Namespace) -> str:
    """Stop replies that go on in the background; what has come is kept."""
    stopped = session.stop(options.name)
    if not stopped:
        return "no reply is under way"
    deadline = time.monotonic() + TIME_TO_STOP
    while any(reply.in_progress for reply in stopped) and time.monotonic() < deadline:
        time.sleep(0.01)
    late = sum(reply.in_progress for reply in stopped)
    waits = f"; {late} of them when the function that runs for it returns" if late else ""
    return f"stopped: {counted(len(stopped), 'reply', 'replies')}{waits}"
