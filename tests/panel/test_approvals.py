"""Questions of a panel about tool calls."""

import pytest

from lockbots_magic import Chat
from tests.panel.harness import PanelHarness

COMMAND = 'call remove {"path": "a\\u202eb"}'


@pytest.fixture
def removed():
    return []


@pytest.fixture
def asking(mock_server, removed):
    """A panel on a chat with one turn, in which a function was offered that needs approval."""

    def remove(path: str) -> str:
        """Remove a file."""
        removed.append(path)
        return "removed"

    chat = Chat("openai:m", base_url=mock_server.url("openai"), auth="mock")
    assert chat.ask(COMMAND, tools=[[remove]]).calls[0].result.startswith("refused: ")
    panel = PanelHarness(chat)
    yield panel
    panel.controller.close()


def regenerated(panel):
    panel.post("regenerate")
    return panel.wait_for("approval")


@pytest.mark.parametrize(("choice", "by"), [("yes", "user"), ("session", "user"), ("no", "")])
def test_a_call_waits_for_the_answer_of_a_view(asking, removed, choice, by):
    question = regenerated(asking)
    assert (question["is_open"], removed) == (True, [])
    assert question["question"] == 'The model asks to call remove:\n    path = "a\\u202eb"'
    asking.post("approve", question=question["id"], choice=choice, reason="not now")
    asking.post("approve", question=question["id"], choice="yes")
    asking.wait_for("end")
    assert [one["is_open"] for one in asking.received("approval")] == [True, False]
    (turn,) = asking.controller.conversation.turns
    assert turn.calls[0].approved_by == by
    assert removed == (["a\u202eb"] if by else [])
    if not by:
        assert turn.calls[0].result.endswith("not now")


def test_what_is_approved_for_the_session_is_not_asked_again(asking, removed):
    asking.post("approve", question=regenerated(asking)["id"], choice="session")
    asking.wait_for("end")
    asking.post("regenerate")
    asking.wait_for("end", 2)
    assert len(removed) == 2
    assert len(asking.received("approval")) == 2


def test_stop_ends_the_question_and_makes_no_call(asking, removed):
    regenerated(asking)
    asking.post("stop")
    asking.wait_for("end")
    assert not removed
    assert asking.received("approval")[-1]["is_open"] is False


def test_a_view_that_opens_is_asked_too(asking):
    question = regenerated(asking)
    asking.post("hello", view="v2")
    assert asking.received("approval")[-1] == {**question, "view": "v2"}
    asking.post("stop")
    asking.wait_for("end")


@pytest.mark.parametrize("answer", [{"choice": "maybe"}, {"choice": "yes", "question": "other"}, {"choice": None}])
def test_an_answer_to_nothing_is_ignored(asking, removed, answer):
    question = regenerated(asking)
    asking.post("approve", **{"question": question["id"], **answer})
    asking.post("stop")
    asking.wait_for("end")
    assert not removed
