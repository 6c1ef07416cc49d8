"""Options of the magics, and the text behind them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.notebook.commands import COMMANDS
from lockbots_magic.notebook.completion.sources import Sources
from lockbots_magic.notebook.option_parser import HelpRequested, OptionParser
from lockbots_magic.notebook.options import chat_options
from lockbots_magic.prompt.magic_line import is_one_line, quote_word

LINES = st.text().filter(is_one_line)
TEXTS = [
    "don't panic",
    "say \"hi\" to 'them'",
    "it costs $5, or ${HOME}",
    "a {dict} and {{ braces }} and f'{x}'",
    r"C:\new\table \\server \n",
    "Привет, как дела?",
    "2 - 3 -t 5 --model x",
    "```python\nprint('x')\n```",
    "tab\there",
    "trailing backslash \\",
    '"""',
    "-",
]


def parsed(line):
    return chat_options().parse_leading(line)


def error_of(line):
    """The message of the error that a line raises."""
    try:
        return f"no error: {parsed(line)}"
    except (UsageError, HelpRequested) as error:
        return f"{type(error).__name__}: {error}"


def test_text_is_taken_verbatim():
    for text in TEXTS:
        for line in (text, f"-t 0.5 {text}", f"-- {text}"):
            assert parsed(line)[1] == text, line


@given(st.text().map(str.strip).filter(bool))
def test_any_text_is_taken_verbatim_behind_two_dashes(text):
    assert parsed("-- " + text)[1] == text


def test_options_come_first_and_the_rest_is_text():
    options, text = parsed("-m ollama:llama3:8b --temperature=0.2 -p top_p=0.9 -p stop='a b' --no-history tell me -s x")
    assert (options.model, options.temperature, options.no_history) == ("ollama:llama3:8b", 0.2, True)
    assert options.param == ["top_p=0.9", "stop=a b"]
    assert text == "tell me -s x"


def test_quotes_keep_a_value_together():
    assert parsed('-s "You\'re terse" hi')[0].system == "You're terse"
    assert parsed('--system="a \\"b\\" c" hi')[0].system == 'a "b" c'
    assert parsed("-s '' hi")[0].system == ""


def test_value_may_start_with_a_dash():
    options, text = parsed('-s "- be brief" -t -1 hi')
    assert (options.system, options.temperature, text) == ("- be brief", -1.0, "hi")


def test_value_may_start_with_an_equals_sign():
    options, text = parsed('-s "=x" -m=y -p =z hi')
    assert (options.system, options.model, options.param, text) == ("=x", "y", ["=z"], "hi")


def test_two_dashes_end_the_options():
    options, text = parsed("-t 1 -- -5 is negative")
    assert (options.temperature, text) == (1.0, "-5 is negative")


@given(LINES, LINES, LINES)
def test_quoted_text_is_read_as_the_value_of_an_option(model, system, text):
    options, rest = parsed(f"-m {quote_word(model)} -s {quote_word(system)} -- {text}")
    assert (options.model, options.system, rest) == (model, system, text.strip())


def test_wrong_option_is_a_usage_error_that_names_the_help():
    for line in ("--colour red", "-t warm", "-m", "-5 is negative"):
        error = error_of(line)
        assert error.startswith("UsageError"), line
        assert "See `%%chat -h`" in error, line
    assert error_of("--colour red").startswith("UsageError: Unknown option --colour.")


def test_typographic_quotes_keep_a_value_together():
    for system in ("“Be brief.”", "„Be brief.“", "„Be brief.”", "«Be brief.»"):
        options, text = parsed(f"-s {system} -t 1 “Hi” there")
        assert (options.system, options.temperature, text) == ("Be brief.", 1.0, "“Hi” there"), system
    assert parsed("-s “Be brief")[0].system == "“Be"


def test_option_that_looks_right_is_told_with_the_right_letters():
    for typed, meant in {
        "—no-history": "--no-history", "–t 0.5": "-t", "−t=0.5": "-t", "——to x": "--to", "－to x": "--to",
        "-с other": "-c", "--tо x": "--to", "--max-tokens 5": "-p max_tokens=...", "--seed=1": "-p seed=...",
    }.items():  # fmt: skip
        assert f"Did you mean {meant}?" in error_of(typed), typed
    for text in ("— to be or not", "–5 is negative", "—toward the sea", "—", "–"):
        assert parsed(text)[1] == text


def test_help_is_shown_on_request():
    for line in ("-h", "--help", "-t 1 -h"):
        error = error_of(line)
        assert error.startswith("HelpRequested"), line
        assert "--no-history" in error, line


def test_request_for_help_inside_the_text_is_text():
    assert parsed("what does -h mean")[1] == "what does -h mean"


def completer_of(action: Any) -> str | None:
    """Return what completes the value of an option; argparse does not declare the attribute."""
    return action.completer


def test_options_keep_their_completer():
    parser = OptionParser("%x", "Example.")
    assert completer_of(parser.add_argument("--model", completer="model")) == "model"
    assert completer_of(parser.add_argument("--plain")) is None


def test_every_completer_of_an_option_exists():
    parsers = {"%%chat": chat_options(), **{name: command.options(name) for name, command in COMMANDS.items()}}
    for name, parser in parsers.items():
        for action in parser._actions:
            completer = completer_of(action) if action.dest != "help" else None
            assert completer is None or callable(getattr(Sources, f"complete_{completer}", None)), (name, action.dest)


@pytest.mark.parametrize("option", ["model", "system", "conversation", "file", "image", "tools", "to", "schema"])
def test_option_of_chat_has_a_completer(option):
    (action,) = [one for one in chat_options()._actions if one.dest == option]
    assert completer_of(action)
