"""Prompts of `compare`, `explain` and `fix`: behind models and options, with or without dashes, or below the line."""

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.notebook.commands.command import COMMANDS
from lockbots_magic.notebook.delivery import show_changes
from lockbots_magic.notebook.option_parser import OptionParser
from lockbots_magic.rendering.side_by_side import Column, bundle

LINES = {
    "compare openai:a openai:b Why is the sky blue?": (["openai:a", "openai:b"], "Why is the sky blue?"),
    'compare openai:a "Why, so?"': (["openai:a"], "Why, so?"),
    'compare openai:a -p seed=1 -t 0 openai Say `--x` {{ y }} "z"': (
        ["openai:a", "openai"],
        'Say `--x` {{ y }} "z"',
    ),
    "compare openai:a nosuch -- hi": (["openai:a", "nosuch"], "hi"),
    "compare openai:a opnai:b hi": (["openai:a", "opnai:b"], "hi"),
    "compare openai:a Translate: hello": (["openai:a"], "Translate: hello"),
    "compare openai:a http://x.example is what?": (["openai:a"], "http://x.example is what?"),
}


@pytest.fixture
def parsed(session, monkeypatch):
    """Return what a line gives a command: its options."""
    from lockbots_magic.notebook.commands import command, result, run

    def parse(line, cell=None):
        name = line.partition(" ")[0]
        seen = []
        one = COMMANDS[name]

        def run_spy(_, options):
            seen.append(options)
            return result.TextResult("")

        monkeypatch.setitem(
            command.COMMANDS,
            name,
            command.Command(run_spy, one.arguments, one.text, one.make_is_argument),
        )
        run(session, line, cell)
        return seen[0]

    return parse


@pytest.mark.parametrize(("line", "split"), LINES.items())
def test_the_first_word_that_is_no_model_starts_the_prompt(parsed, line, split):
    options = parsed(line)
    assert (options.models, options.text) == split


def test_the_prompt_may_stand_below_the_line(parsed):
    assert parsed("compare openai:a openai:b", "Why\n\n  is it?\n").text == "Why\n\n  is it?"
    assert parsed("explain", "in French").text == "in French"
    assert parsed("explain in French, please").text == "in French, please"
    assert parsed("fix -m openai:a -t 0.5 -p seed=2 --base-url http://localhost:1/v1 -- briefly").text == "briefly"


@pytest.mark.parametrize(("columns", "end"), [("200", " [[--] REMARK]"), ("60", "\n" + " " * 25 + "[[--] REMARK]")])
def test_usage_says_that_a_remark_may_be_left_out(run, monkeypatch, columns, end):
    monkeypatch.setenv("COLUMNS", columns)
    usage = run("%lockbots explain -h").stdout.partition("\n\n")[0]
    assert usage.endswith(end)
    assert max(map(len, usage.splitlines())) < int(columns)
    assert run("%lockbots compare -h").stdout.partition("\n\n")[0].endswith("[--] PROMPT")


def test_help_has_no_colours_in_a_kernel(run, monkeypatch):
    """Python 3.14 and newer colour it where `FORCE_COLOR` is set, as in every kernel."""
    assert OptionParser("%chat", "").color is False
    monkeypatch.setenv("FORCE_COLOR", "1")
    for line in ("%lockbots explain -h", "%lockbots use -h", "%chat -h"):
        shown = run(line).stdout
        assert "\x1b" not in shown
        assert shown.count("usage: ") == 1


def test_a_command_without_a_prompt_takes_no_text_below_it(run):
    error = run("%%lockbots status\nhello").error
    assert isinstance(error, UsageError)
    assert "takes no text below it" in str(error)


def test_a_comparison_without_a_prompt_says_where_it_goes(run):
    assert "below a line of `%%lockbots compare" in str(run("%lockbots compare openai:a openai:b").error)


def test_address_and_parameters_go_to_every_model(run, mock_server):
    line = f"%%lockbots compare openai:a openai:b -t 0.25 -p seed=7 --base-url {mock_server.url('openai')}\nsay on"
    cell = run(line)
    assert cell.error is None
    bodies = [request.json for request in mock_server.requests]
    assert sorted(body["model"] for body in bodies) == ["a", "b"]
    assert {(body["temperature"], body["seed"]) for body in bodies} == {(0.25, 7)}
    assert cell.reply.count("on") >= 2


def test_explain_takes_them_too(run, openai):
    run("1 / 0")
    assert run("%lockbots explain -t 0.25 -p seed=7 in French").error is None
    body = openai.requests[-1].json
    assert (body["temperature"], body["seed"]) == (0.25, 7)
    assert body["messages"][-1]["content"].endswith("in French")


def test_an_error_in_a_column_looks_like_one():
    html = bundle([Column("a", notices=["ServerError: no"], is_failed=True), Column("b", text="x", notices=["cut"])])
    assert html["text/html"].count('lockbots-column lockbots-failed"') == 1


def test_fix_shows_what_changes():
    reply = "Here:\n\n```python\na = 1\nb = 2\n```\n\nI set b."
    shown = show_changes(reply, "a = 1\nb = 1\n", "a = 1\nb = 2")
    assert shown == "Here:\n\n```diff\n@@ -1,2 +1,2 @@\n a = 1\n-b = 1\n+b = 2\n```\n\nI set b."
    assert show_changes(reply, "a = 1\nb = 2", "a = 1\nb = 2") is None
    two = reply + "\n```bash\npip install b\n```"
    assert show_changes(two, "a = 1\nb = 1", "a = 1\nb = 2").startswith(two)
    fence = show_changes("```python\nx = '```'\n```", "x = 1", "x = '```'")
    assert fence.startswith("````diff\n")
