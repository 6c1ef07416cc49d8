"""Asking the user about a call: by the front end's input line in a cell, by a key in a terminal.

Nobody is there without either: in nbconvert, in CI, in a script without a terminal, and in any thread but the main one.
"""

from __future__ import annotations

import builtins
import json
import sys
import threading
from collections.abc import Iterator
from types import MethodType
from typing import Any

from ..conversation.call_text import quote_name
from ..language import N_, _, ngettext
from ..security.exits import clean_printed
from .approval import ApprovalAnswer, ProposedCall

KEYS = N_("[y] yes   [s] yes, for this session   [n] no   [r] no, with a reason")
LINE = N_("Call it? y: yes, s: yes, for this session, n: no, or type why not: ")
INDENT = "    "
BAR = f"{INDENT}| "
"""Begins each line of a text of several lines, so that none passes for a line of the toolkit's."""

_YES = {"y", "yes"}
_SESSION = {"s", "session"}
_NO = {"", "n", "no"}


def ask_here(call: ProposedCall) -> ApprovalAnswer | None:
    """Ask where this thread reads input; None if it reads none.

    Raises:
        KeyboardInterrupt: If the user stopped the reply instead.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    if isinstance(builtins.input, MethodType):  # of the kernel, which puts it there while a cell runs
        return _ask_by_line(call) if getattr(builtins.input.__self__, "_allow_stdin", True) else None
    if _is_terminal(sys.stdin) and _is_terminal(sys.stdout):
        return _ask_by_key(call)
    return None


def describe_question(call: ProposedCall) -> str:
    """Return what the user is asked about, a line each: the whole call, with nothing that hides or poses as more.

    Example:
        >>> print(describe_question(ProposedCall("rm", {"path": "a.txt"}, "files")))
        The model asks to call rm of files:
            path = "a.txt"
    """
    changed = [_("The source describes this tool otherwise than before:"), *_block(call.description)]
    name, source = escape_hidden(quote_name(call.name)), escape_hidden(call.source)
    if source:
        head = _("The model asks to call {name} of {source}:", name=name, source=source)
    else:
        head = _("The model asks to call {name}:", name=name)
    arguments = [line for name, value in call.arguments.items() for line in _argument_lines(name, value)]
    return "\n".join([*(changed if call.is_changed else ()), head, *(arguments or [INDENT + _("(no arguments)")])])


def escape_hidden(text: str) -> str:
    """Return a text with what is not seen, or reorders a line, as its escape."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def parse_answer(text: str) -> ApprovalAnswer:
    """Return what a typed line answers; anything but yes and no is the reason for a no."""
    word = text.strip()
    if word.lower() in _YES:
        return ApprovalAnswer("yes")
    if word.lower() in _SESSION:
        return ApprovalAnswer("session")
    return ApprovalAnswer("no", "" if word.lower() in _NO else word)


def _argument_lines(name: str, value: Any) -> Iterator[str]:
    shown_name = escape_hidden(quote_name(name))
    if isinstance(value, str) and "\n" in value:
        lines = value.count("\n") + 1
        yield INDENT + ngettext("{name} = text of {n} line:", "{name} = text of {n} lines:", lines, name=shown_name)
        yield from _block(value)
    else:
        yield f"{INDENT}{shown_name} = {escape_hidden(json.dumps(value, ensure_ascii=False))}"


def _block(text: str) -> list[str]:
    return [f"{BAR}{escape_hidden(line)}" for line in text.split("\n")]


def _ask_by_line(call: ProposedCall) -> ApprovalAnswer | None:
    _print(describe_question(call))
    try:
        return parse_answer(input(_(LINE)))
    except (EOFError, NotImplementedError, RuntimeError):  # this front end has no input line after all
        return None


def _ask_by_key(call: ProposedCall) -> ApprovalAnswer | None:
    _print(f"{describe_question(call)}\n{_(KEYS)}")
    try:
        while True:
            key = _read_key().lower()
            if key in _YES:
                return ApprovalAnswer("yes")
            if key in _SESSION:
                return ApprovalAnswer("session")
            if key == "r":
                return ApprovalAnswer("no", input(_("Why not? ")))
            if key in {"n", "\x1b", "\x04", ""}:
                return ApprovalAnswer("no")
    except EOFError:
        return None


def _read_key() -> str:
    """Return the next key that is pressed, without waiting for the end of the line where the system allows that.

    Raises:
        EOFError: If the input has ended.
        KeyboardInterrupt: If the key interrupts.
    """
    try:
        import termios  # noqa: PLC0415  # there is none on Windows
        import tty  # noqa: PLC0415
    except ImportError:
        return input("> ").strip()[:1]
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        tty.setcbreak(handle)
        key = sys.stdin.read(1)
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
    if not key:
        raise EOFError
    return key


def _print(text: str) -> None:
    sys.stdout.write(f"{clean_printed(text)}\n")
    sys.stdout.flush()


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # closed, or none at all
        return False
