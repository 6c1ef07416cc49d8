"""Prompts that the toolkit writes itself, and stopping replies: `explain`, `fix`, `stop`."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable

from ...conversation.model_names import GUIDE
from ...errors import UsageError
from ...language import _, ngettext
from ...prompt.tracebacks import explain_prompt, fix_prompt
from ...reply import Reply
from ...schema.code_blocks import extract_code, find_code_blocks
from ..chat_command import resolve_system
from ..notebook_context import NotebookContext
from ..secret_filter import filter_prompt
from ..session import Session
from .command import argument, command
from .request_options import REQUEST_OPTIONS, chat_for
from .result import CodeResult, CommandResult, ReplyResult, TextResult

STOP_TIMEOUT = 1.0
"""Seconds that `stop` waits for replies to end."""

_MODEL = argument("-m", "--model", metavar="PROVIDER:MODEL", completer="model", help="Model for this prompt.")


@command(_MODEL, *REQUEST_OPTIONS, text="REMARK", make_is_argument=lambda: lambda _: False, needs_text=False)
def explain(session: Session, options: Namespace) -> CommandResult:
    """Explain the last error, with its traceback and the code of its cell."""
    return _error_result(session, options, explain_prompt)


@command(_MODEL, *REQUEST_OPTIONS, text="REMARK", make_is_argument=lambda: lambda _: False, needs_text=False)
def fix(session: Session, options: Namespace) -> CommandResult:
    """Fix the code of the last error's cell: show the changes, and put the result into a new cell."""
    return _error_result(session, options, fix_prompt, as_code=True)


def _error_result(
    session: Session, options: Namespace, word: Callable[[BaseException, str], str], *, as_code: bool = False
) -> ReplyResult:
    if session.cells.last_error is None:
        raise UsageError(_("No cell has failed since lockbots_magic was loaded."))
    chat = chat_for(session, options, options.model)
    if chat.provider.name == GUIDE:
        raise UsageError(
            _(
                "This needs a model, which the built-in guide is not: choose one, such as `%lockbots use "
                "ollama:llama3.2`, or one of a service by `%lockbots login openai` and `%lockbots use openai`."
            )
        )
    system = None if chat.conversation.system else resolve_system(session, None, NotebookContext(session.namespace))
    error, source = session.cells.last_error
    prompt = "\n\n".join(filter(None, [word(error, source), options.text]))
    prompt, notes = filter_prompt(session, prompt, session.namespace)
    origin = session.cells.origin()

    def send() -> Reply:
        reply = chat.stream(prompt, system=system, origin=origin)
        session.conversations.keep(chat.conversation)
        return reply

    return ReplyResult(send, chat.conversation, as_code, notes, source if as_code else "")


@command(
    argument("n", nargs="?", type=int, metavar="N", help="Number of the block; by default all that belong together.")
)
def code(session: Session, options: Namespace) -> CommandResult:
    """Put the code of the last reply into a new cell."""
    turn = session.last_turn
    if turn is None:
        raise UsageError(_("No cell has shown a reply yet."))
    blocks = find_code_blocks(turn.reply)
    if options.n is None:
        found = extract_code(turn.reply)
    elif blocks and not 1 <= options.n <= len(blocks):
        raise UsageError(
            _(
                "N must be 1-{n}, the number of code blocks in the last reply; got {given}.",
                n=len(blocks),
                given=options.n,
            )
        )
    else:
        found = blocks[options.n - 1].text.rstrip("\n") if blocks else None
    if found is None:
        raise UsageError(_("The last reply has no code block."))
    return CodeResult(found)


@command(
    argument(
        "name", nargs="?", metavar="NAME", completer="conversation", help="Conversation; by default all replies stop."
    )
)
def stop(session: Session, options: Namespace) -> CommandResult:
    """Stop background replies; the text so far is kept."""
    stopped = session.stop(options.name)
    if not stopped:
        return TextResult(_("No reply is in progress."))
    deadline = time.monotonic() + STOP_TIMEOUT
    while any(reply.in_progress for reply in stopped) and time.monotonic() < deadline:
        time.sleep(0.01)
    parts = [ngettext("Stopped {n} reply.", "Stopped {n} replies.", len(stopped))]
    if late := sum(reply.in_progress for reply in stopped):
        parts.append(_("{n} of them will end when a running tool returns.", n=late))
    return TextResult(" ".join(parts))
