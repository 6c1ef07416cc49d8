"""`--tools`, `--approve`, `--limits`, their settings, and `%lockbots tools`."""

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.notebook.tool_options import parse_approve, parse_limits
from lockbots_magic.tools.limits import Limits

FUNCTIONS = '''
def double(n: int) -> int:
    """Double a number."""
    return 2 * n

def remove(path: str) -> str:
    """Remove a file."""
    return "removed"

def policy(call):
    return call.name != "remove" or "not " + call.arguments["path"]

group = [remove]
'''
NOBODY = "refused: This call needs approval, and nobody is there to ask."


@pytest.fixture
def last(run, openai, session):
    """Run a cell and return name, result and approver of its calls."""
    assert run(FUNCTIONS).error is None

    def calls(cell):
        assert run(cell).error is None
        return [(call.name, call.result, call.approved_by) for call in session.conversations.get().turns[-1].calls]

    return calls


def test_groups_and_functions_are_named_by_their_variables(last):
    cell = '%%chat --tools double,group\ncall double {"n": 2} and remove {"path": "a"}'
    assert last(cell) == [("double", "4", "default"), ("remove", NOBODY, "")]


@pytest.mark.parametrize(("option", "result", "by"), [
    ("never", "refused: The user's policy does not allow this tool.", ""), ("auto", "removed", "policy"),
    ("re*=auto,*=never", "removed", "policy"), ("ask", NOBODY, ""),
    ("policy", "refused: The user did not approve this call. not a", ""),
])  # fmt: skip
def test_a_cell_may_have_a_policy(last, run, session, option, result, by):
    assert last(f'%%chat --tools remove --approve {option}\ncall remove {{"path": "a"}}') == [("remove", result, by)]
    run(f"%lockbots set approve {option}")
    assert last('%%chat --tools remove\ncall remove {"path": "a"}') == [("remove", result, by)]
    run("%lockbots set approve default")
    assert session.settings.approve is None


def test_limits_are_options_and_settings(last, run, session):
    run("%lockbots set limits {'rounds': 0}")
    assert last('%%chat --tools double\ncall double {"n": 2}') == []
    assert session.conversations.get().turns[-1].error.startswith("Stopped at the limit of 0 rounds of tool calls")
    for line, expected in (
        ("{}", {}), ("usd=0.10", {"usd": 0.1}), ("rounds=3, usd = 0.5", {"rounds": 3, "usd": 0.5}), ("none", {}),
        ("tokens=500 seconds=2", {"tokens": 500, "seconds": 2}), ("None", {}),
    ):  # fmt: skip
        run(f"%lockbots set limits {line}")
        assert session.settings.limits == expected
    for line, told in (("0.10", "such as rounds=20,seconds=60; got '0.1'"), ("hours=1", "Unknown limit 'hours'")):
        with pytest.raises(UsageError, match=told):
            session.configure("limits", float(line) if line == "0.10" else line)
    run('%%chat --tools double --limits rounds=0,seconds=60\ncall double {"n": 2}')
    assert session.conversations.get().turns[-1].finish_reason == "max_tool_rounds"


@pytest.mark.parametrize(("options", "told"), [
    ("--approve nothing", "nothing"), ("--approve a=maybe", "maybe"), ("--limits hours=1", "Unknown limit 'hours'"),
    ("--limits 5", "name=number"), ("--tools FUNCTIONS", "FUNCTIONS"),
])  # fmt: skip
def test_what_can_not_be_meant_is_refused_before_anything_is_sent(run, openai, options, told):
    run("FUNCTIONS = 'text'")
    before = len(openai.requests)
    assert told in str(run(f"%%chat {options}\nhi").error)
    assert len(openai.requests) == before


def test_policies_and_limits_are_read():
    assert parse_approve("a=auto, *=ask", {}) == {"a": "auto", "*": "ask"}
    assert parse_approve("mine", {"mine": {"*": "never"}}) == {"*": "never"}
    assert parse_limits("rounds=3, usd=0.5") == Limits(rounds=3, usd=0.5)
    with pytest.raises(UsageError, match="is a text"):
        parse_approve("mine", {"mine": "x"})


def test_tools_at_hand_are_listed_with_policy_and_calls(last, run):
    shown = run("%lockbots tools").reply
    assert "Name functions and MCP servers" in shown
    last('%%chat --tools double,group\ncall double {"n": 2} and double {"n": 3}')
    rows = [line.split() for line in run("%lockbots tools").reply.splitlines()]
    assert ["double", "function", "auto", "2", "Double", "a", "number."] in rows
    assert any(row[:3] == ["remove", "function", "auto"] for row in rows)


def test_a_server_is_not_started_to_be_listed(run, session):
    run(
        "class Source:\n    name, recorded_key, is_running = 'docs', 'run docs', False\n"
        "    def list_tools(self, cancellation): raise AssertionError('started')\n\ndocs = Source()"
    )
    assert "not started" in run("%lockbots tools").reply
