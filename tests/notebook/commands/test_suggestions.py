"""Did you mean: options, commands, models and topics that are misspelt. And lists that fit a screen."""

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.help import sections
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.options import chat_options
from lockbots_magic.rendering.grouped_list import GroupedList

MISSPELT = {
    "hlp": "Unknown command 'hlp'. Did you mean 'help'?",
    "use gpt-4o": "Did you mean 'openai:gpt-4o'?",
    "use claude": "Did you mean 'anthropic'?",
    "use openai:demo --base-ulr http://localhost:1": "Unknown option --base-ulr. Did you mean --base-url?",
    "history --al": "Unknown option --al. See `%lockbots history -h`.",
    "usage --trns": "Did you mean --turns?",
    "set temprature 1": "Did you mean 'temperature'?",
}


@pytest.mark.parametrize(("line", "told"), MISSPELT.items())
def test_a_misspelt_word_is_told_what_it_may_be(session, line, told):
    with pytest.raises(UsageError) as caught:
        commands.run(session, line)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("line", "near"),
    [("--tmeperature 0.2", "--temperature"), ("--sytem=x", "--system"), ("--backgroun", "--background")],
)
def test_an_option_of_a_chat_cell_is_told_what_it_may_be(line, near):
    with pytest.raises(UsageError, match=rf"Did you mean {near}\?"):
        chat_options().parse_leading(line)


def test_a_value_that_looks_like_an_option_is_not_shown_in_full():
    with pytest.raises(UsageError) as caught:
        chat_options().parse_leading("--" + "x" * 500)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("language", ["en", "ru"])
def test_each_topic_stands_in_a_group(language):
    groups = sections.list_groups(language)
    assert [title for titles in groups.values() for title in titles] == sections.list_titles(language)
    assert 4 <= len(groups) <= 9
    assert all(groups)
    assert not any(
        section.body.rstrip().splitlines()[-1].startswith("# ") for section in sections.load_sections(language)
    )


def test_each_command_stands_in_a_group():
    assert {one.group for one in commands.COMMANDS.values()} <= {*commands.command.GROUPS.values(), "More"}


def test_a_grouped_list_is_text_in_a_terminal_and_columns_in_a_notebook():
    shown = GroupedList({"One": [("a", "first <b>, `x`"), ("bcd", "second")], "Two": [("e", "")], "None": []}, "All:")
    assert repr(shown) == "All:\n\nOne:\na    first <b>, `x`\nbcd  second\n\nTwo:\ne"
    html = shown._repr_html_()
    assert "columns:" in html
    assert "first &lt;b&gt;, <code>x</code>" in html
    assert "None" not in html
