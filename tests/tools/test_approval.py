"""Approval of calls: policies, what is asked, and what the model is told."""

import io
import json
import sys
from dataclasses import replace

import pytest

from lockbots_magic.conversation.messages import Tool, ToolCall
from lockbots_magic.errors import UsageError
from lockbots_magic.tools import asking
from lockbots_magic.tools.approval import Approval, ApprovalAnswer, ApprovalMemory, ProposedCall
from lockbots_magic.tools.asking import ask_here, describe_question, parse_answer
from lockbots_magic.tools.function_tool import tool
from lockbots_magic.tools.loop import ToolLoop
from lockbots_magic.tools.tool_source import ToolOutput, fingerprint_of
from lockbots_magic.tools.toolbox import Toolbox
from tests.tools.test_toolbox import Model, add, request, says, untimed, wants


def remove(path: str = "") -> str:
    """Remove a file."""
    return f"removed {path}"


class Offered:
    """A tool of a server."""

    default_approval = "ask"
    is_parallel = False

    def __init__(self, name="search", description="Searches.", source="docs"):
        self.tool = Tool(name, description, {"type": "object", "properties": {}})
        self.source = source

    @property
    def fingerprint(self):
        return fingerprint_of(self.tool)

    def call(self, arguments, cancellation):
        return ToolOutput(f"{self.source} {self.tool.name} {arguments}")


class Source:
    """A server."""

    def __init__(self, *offered, name="docs", key="run docs"):
        self.offered, self.name, self.recorded_key = offered, name, key
        self.listed = 0

    def list_tools(self, cancellation):
        self.listed += 1
        return self.offered


def reply(tools, calls, approval=None):
    """Return the calls of one reply: name, result and who approved."""
    model = Model(wants(*calls), says("done"))
    deltas = untimed(ToolLoop(Toolbox(tools), approval or Approval()).stream(model, request()))
    return [(c.name, c.result, c.approved_by) for d in deltas for c in d.calls if c.result is not None]


def asker(*answers):
    """Return what asks the user, who gives these answers, and the list of the calls asked about."""
    asked, left = [], list(answers)

    def ask(call):
        asked.append(call)
        return left.pop(0)

    return ask, asked


YES, SESSION, NO = ApprovalAnswer("yes"), ApprovalAnswer("session"), ApprovalAnswer("no")
REFUSED = "refused: The user did not approve this call."
NOBODY = "refused: This call needs approval, and nobody is there to ask."


def test_functions_named_one_by_one_are_called_and_all_else_is_asked_about():
    named = tool(approve="ask")(remove)
    tools = [add, [named], Source(Offered())]
    called = reply(tools, [("add", '{"x": 1}'), ("remove", "{}"), ("search", "{}")])
    assert called == [("remove", NOBODY, ""), ("search", NOBODY, ""), ("add", "2", "default")]
    assert reply([(add,)], [("add", '{"x": 1}')]) == [("add", NOBODY, "")]
    assert reply([tool(add)], [("add", '{"x": 1}')]) == [("add", "2", "default")]


@pytest.mark.parametrize(("policy", "result", "by"), [
    ("auto", "removed a", "policy"), ("never", "refused: The user's policy does not allow this tool.", ""),
    ("ask", NOBODY, ""), ({"re*": "auto", "*": "never"}, "removed a", "policy"),
    ({"*": "never", "re*": "auto"}, "refused: The user's policy does not allow this tool.", ""),
    ({"other": "never"}, "removed a", "default"), ({"remove": True}, "removed a", "policy"),
    ({"remove": lambda call: "too late"}, f"{REFUSED} too late", ""), ({}, "removed a", "default"),
    (lambda call: call.arguments == {"path": "a"}, "removed a", "policy"), (lambda call: False, REFUSED, ""),
    (lambda call: f"not {call.name}", f"{REFUSED} not remove", ""),
    (lambda call: replace(call, arguments={"path": "b"}),
     '(The user had remove(path="b") called instead.)\nremoved b', "policy"),
])  # fmt: skip
def test_a_policy_decides(policy, result, by):
    assert reply([remove], [("remove", '{"path": "a"}')], Approval(policy)) == [("remove", result, by)]


@pytest.mark.parametrize("policy", ["maybe", 7, {"a": "maybe"}, {1: "auto"}, ["auto"], {"a": None}])
def test_an_invalid_policy_is_refused(policy):
    with pytest.raises(UsageError, match="approve"):
        Approval(policy)


@pytest.mark.parametrize("policy", [lambda call: None, lambda call: 1, lambda call: call.nothing])
def test_a_policy_that_fails_stops_the_reply_before_any_call(policy):
    ran = []

    def note():
        ran.append(1)

    with pytest.raises(UsageError, match=r"^approve: <lambda>"):
        reply([note], [("note", "{}")], Approval(policy))
    assert not ran


def test_a_policy_can_not_change_the_arguments_in_place():
    def policy(call):
        call.arguments["path"] = "other"
        return True

    assert reply([remove], [("remove", '{"path": "a"}')], Approval(policy)) == [("remove", "removed a", "policy")]


def test_calls_are_asked_about_one_by_one_before_any_is_made():
    ask, asked = asker(YES, ApprovalAnswer("no", "not today"))
    calls = [("remove", '{"path": "a"}'), ("remove", '{"path": "b"}')]
    assert reply([remove], calls, Approval("ask", ask)) == [
        ("remove", f"{REFUSED} not today", ""), ("remove", "removed a", "user")
    ]  # fmt: skip
    assert [call.arguments for call in asked] == [{"path": "a"}, {"path": "b"}]


def test_a_yes_for_the_session_holds_for_the_tool_as_it_was_described():
    memory, server = ApprovalMemory(), Offered()
    ask, asked = asker(SESSION, YES, NO)
    for _ in range(2):
        approval = Approval(None, ask, memory)
        reply([Source(server)], [("search", "{}")], approval)
    assert len(asked) == 1
    server.tool = replace(server.tool, description="Deletes.")
    assert reply([Source(server)], [("search", "{}")], Approval(None, ask, memory))[0][2] == "user"
    assert asked[-1].is_changed
    assert reply([Source(server)], [("search", "{}")], Approval(None, ask, memory))[0][1] == REFUSED
    assert not asked[-1].is_changed


def test_a_policy_learns_that_a_tool_is_described_otherwise():
    memory, server, seen = ApprovalMemory(), Offered(), []

    def policy(call):
        seen.append(call.is_changed)
        return not call.is_changed

    for description in ("Searches.", "Deletes."):
        server.tool = replace(server.tool, description=description)
        reply([Source(server)], [("search", "{}")], Approval(policy, memory=memory))
    assert seen == [False, True]


def test_an_interrupt_while_asked_makes_no_call():
    ran = []

    def note():
        ran.append(1)

    def ask(call):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reply([note], [("note", "{}")], Approval("ask", ask))
    assert not ran


def test_calls_that_can_not_be_made_are_not_asked_about():
    ask, asked = asker()
    told = reply([add], [("add", "{oops"), ("nothing", "{}")], Approval("ask", ask))
    assert [result.startswith("error: ") for _, result, _ in told] == [True, True]
    assert not asked


def test_names_that_clash_get_the_name_of_their_source():
    one, other = Source(Offered("add")), Source(Offered("add", source="more"), name="more", key="run more")
    assert list(Toolbox([add, one, other]).entries) == ["add", "docs_add", "more_add"]
    assert list(Toolbox([one]).entries) == ["add"]
    (long,) = Toolbox([Source(Offered("a.b/c d" + "x" * 100))]).entries
    assert (long[:10], len(long)) == ("a_b_c_dxxx", 64)
    with pytest.raises(UsageError, match="Two tools are named docs_add"):
        Toolbox([add, one, Source(Offered("add"))])
    assert reply([add, one], [("docs_add", "{}")], Approval({"docs_*": "auto"}))[0][1] == "docs add {}"


def test_a_single_function_or_source_may_be_given_alone():
    assert list(Toolbox(add).entries) == ["add"]
    assert list(Toolbox(Source(Offered())).entries) == ["search"]
    for wrong in ("add", 7):
        with pytest.raises(UsageError, match="tools takes a list"):
            Toolbox(wrong)


HOSTILE = "a\x1b[2J\u202eb\nCall it? y: yes"


def test_a_question_shows_all_of_a_call_and_lets_nothing_pose_as_more():
    value = "x" * 5000
    call = ProposedCall("send", {"to": HOSTILE, "n\n": 1, "body": value}, "mail\x1b")
    shown = describe_question(call)
    assert shown.split("\n")[:5] == [
        "The model asks to call send of mail\\u001b:",
        "    to = text of 2 lines:",
        "    | a\\u001b[2J\\u202eb",
        "    | Call it? y: yes",
        '    "n\\n" = 1',
    ]
    assert value in shown
    assert all(c.isprintable() or c == "\n" for c in shown)


@pytest.mark.parametrize(("typed", "choice", "reason"), [
    ("y", "yes", ""), (" YES ", "yes", ""), ("s", "session", ""), ("", "no", ""), ("no", "no", ""),
    ("use the copy", "no", "use the copy"),
])  # fmt: skip
def test_an_answer_is_a_letter_or_a_reason(typed, choice, reason):
    assert parse_answer(typed) == ApprovalAnswer(choice, reason)


class Kernel:
    """What ipykernel puts in the place of `input` belongs to this."""

    def __init__(self, *, allow, answer=""):
        self._allow_stdin, self._answer, self.prompts = allow, answer, []

    def raw_input(self, prompt):
        self.prompts.append(prompt)
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer


CALL = ProposedCall("remove", {"path": "a"})


def test_a_cell_asks_by_the_input_line(monkeypatch, capsys):
    kernel = Kernel(allow=True, answer="s")
    monkeypatch.setattr("builtins.input", kernel.raw_input)
    assert ask_here(CALL) == SESSION
    assert 'path = "a"' in capsys.readouterr().out
    assert kernel.prompts == [asking.LINE]


@pytest.mark.parametrize("kernel", [Kernel(allow=False), Kernel(allow=True, answer=NotImplementedError())])
def test_without_an_input_line_nobody_is_there(kernel, monkeypatch):
    monkeypatch.setattr("builtins.input", kernel.raw_input)
    assert ask_here(CALL) is None


def test_in_a_script_nobody_is_there(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert ask_here(CALL) is None


def test_in_another_thread_nobody_is_there(monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setattr("builtins.input", Kernel(allow=True, answer="y").raw_input)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ask_here, CALL).result() is None


@pytest.mark.parametrize(("keys", "answer"), [
    ("y", YES), ("s", SESSION), ("n", NO), ("xxy", YES), ("\x1b", NO), ("", None),
    ("r", ApprovalAnswer("no", "because")),
])  # fmt: skip
def test_a_terminal_asks_by_a_key(keys, answer, monkeypatch, capsys):
    pressed = list(keys)

    def read_key():
        if not pressed:
            raise EOFError
        return pressed.pop(0)

    monkeypatch.setattr(asking, "_is_terminal", lambda stream: True)
    monkeypatch.setattr(asking, "_read_key", read_key)
    monkeypatch.setattr("builtins.input", lambda prompt: "because")
    assert ask_here(CALL) == answer
    assert "[s] yes, for this session" in capsys.readouterr().out


def test_a_call_is_written_like_python():
    assert str(ProposedCall("f", {"x": "ü", "n": [1]})) == 'f(x="ü", n=[1])'
    assert json.loads(ToolCall("", "f", '{"x": 1}').arguments) == {"x": 1}
