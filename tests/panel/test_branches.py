"""Branches that edited prompts make: which there are, and what the panel says of cells that stay behind."""

import pytest

from lockbots_magic import Chat, Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.panel.branches import find_branches
from tests.panel.harness import PanelHarness, wait_until


def conversation(name, *ids):
    return Conversation(name, turns=[Turn(f"p{one}", "r", id=one) for one in ids])


def test_conversations_part_at_the_first_turn_that_differs():
    main, fork, other = conversation("main", "a", "b", "c"), conversation("fork", "a", "d"), conversation("other", "x")
    every = [main, fork, other]
    assert find_branches(main, every, {}) == {"b": {"names": ["main", "fork"], "at": 0}}
    assert find_branches(fork, every, {}) == {"d": {"names": ["main", "fork"], "at": 1}}
    assert find_branches(other, every, {}) == {}


def test_a_copy_or_a_beginning_is_no_branch():
    main = conversation("main", "a", "b")
    assert find_branches(main, [main, conversation("copy", "a", "b"), conversation("less", "a")], {}) == {}


def test_branches_of_the_first_prompt_are_known_by_their_family():
    main, one, two = conversation("main", "a"), conversation("main-2", "b"), conversation("main-3", "c")
    families = {one.id: main.id, two.id: main.id}
    assert find_branches(two, [main, one, two], families) == {"c": {"names": ["main", "main-2", "main-3"], "at": 2}}


def test_several_conversations_of_one_branch_count_once():
    main, one, two = conversation("main", "a", "b"), conversation("one", "a", "c"), conversation("two", "a", "c", "d")
    assert find_branches(main, [main, one, two], {}) == {"b": {"names": ["main", "one"], "at": 0}}


def branches_of(panel):
    return next((sent.get("branches") for sent in reversed(panel.received("conversations"))), None)


@pytest.mark.parametrize("at", [0, 1])
def test_an_edited_prompt_makes_a_branch_to_which_the_panel_leads(panel, at):
    panel.ask("one")
    panel.ask("two")
    turn = panel.controller.conversation.turns[at]
    panel.post("edit", turn=turn.id, prompt="edited")
    panel.wait_for("usage", 3)
    new = panel.controller.conversation.turns[at]
    wait_until(lambda: branches_of(panel) == {new.id: {"names": ["main", "main-2"], "at": 1}})
    panel.post("switch", name="main")
    shown = panel.received("snapshot")[-1]["conversation"]
    assert shown["branches"] == {turn.id: {"names": ["main", "main-2"], "at": 0}}


def test_cells_that_stay_behind_can_be_moved(session_panel, session):
    session_panel.ask("hello")
    turn = session_panel.controller.conversation.turns[0]
    session_panel.post("edit", turn=turn.id, prompt="hello again")
    session_panel.wait_for("usage", 2)
    shown = session_panel.received("snapshot")[-1]["conversation"]
    assert (shown["cells"], shown["apart"]) == ("main", True)
    session_panel.post("cells")
    assert session.conversations.current == "main-2"
    shown = session_panel.received("conversations")[-1]
    assert shown["cells"] == "main-2"
    assert "apart" not in shown


def test_a_conversation_of_its_own_is_no_branch_that_cells_have_left(session_panel):
    session_panel.post("new")
    assert "apart" not in session_panel.received("snapshot")[-1]["conversation"]


def test_a_panel_of_a_chat_has_no_cells_to_move(panel):
    panel.post("cells")
    assert panel.wait_for("notification")["key"] == "no_cells"


def test_an_address_is_set_for_the_provider_in_use(session_panel, session, mock_server):
    session_panel.post("set", model="openai:demo")
    session_panel.post("set", address=f" {mock_server.url('openai')} ")
    assert session_panel.received("settings")[-1]["address"] == mock_server.url("openai")
    session_panel.ask("say hello")
    assert session.conversations.get().turns[-1].reply == "hello"
    session_panel.post("set", address="")
    assert session_panel.received("settings")[-1]["address"].startswith("https://api.openai.com")
    session_panel.post("set", address="nonsense address")
    assert session_panel.wait_for("notification")["kind"] == "error"
    assert session_panel.received("settings")[-1]["address"].startswith("https://api.openai.com")


def test_the_address_of_a_chat_is_its_own(mock_server):
    panel = PanelHarness(Chat("openai:demo", base_url="http://127.0.0.1:9/v1", auth="mock"))
    panel.post("hello", view="v")
    panel.post("set", address=mock_server.url("openai"))
    assert panel.received("settings")[-1]["address"] == mock_server.url("openai")
    panel.ask("say hello")
    assert panel.controller.conversation.turns[-1].reply == "hello"
    assert "mock" not in str(mock_server.requests[-1].headers.get("authorization")), "a credential stays at its address"
    panel.controller.close()


def test_a_function_has_no_address(panel):
    assert panel.received("snapshot")[-1]["settings"]["address"] is None
    panel.post("set", address="http://127.0.0.1:9/v1")
    assert panel.wait_for("notification")["kind"] == "error"
