"""Named conversations of a session."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from lockbots_magic import Chat, Conversation
from lockbots_magic.errors import UsageError
from lockbots_magic.notebook.background import Background
from lockbots_magic.notebook.conversations import Conversations
from lockbots_magic.notebook.session import Session


def test_names_that_look_the_same_are_the_same():
    """Composed and decomposed accents, and characters that nobody sees, would be two conversations of one name."""
    conversations = Conversations()
    kept = conversations.get("caf\u00e9")
    assert conversations.get(" cafe\u0301\u202e") is kept
    assert conversations.propose("\x1bcafe\u0301\n") is kept
    assert conversations.switch("cafe\u0301") is kept
    assert " cafe\u0301\u202e" in conversations
    assert "cafe" not in conversations
    assert None not in conversations
    assert conversations.add(Conversation("cafe\u0301")).name == "caf\u00e9-2"
    assert conversations.add(Conversation("\u202e")).name == "chat"
    assert conversations.delete("cafe\u0301") is kept
    assert conversations.get(" ") is conversations.get(conversations.current)


def test_conversations_can_be_added_while_they_are_listed():
    conversations = Conversations()
    conversations.get("main")
    for name in conversations.by_name:
        conversations.get(f"{name}-2")
    for one in conversations.all():
        conversations.add(one.fork("fork"))
    assert list(conversations.by_name) == ["main", "main-2", "fork", "fork-2"]


def test_threads_that_get_one_name_get_one_conversation():
    conversations = Conversations()
    together = threading.Barrier(8)
    got: list[Conversation] = []

    def get() -> None:
        together.wait(10)
        got.append(conversations.get("shared"))

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def test_conversation_of_a_chat_is_kept_unless_its_name_is_taken():
    conversations = Conversations()
    notified: list[int] = []
    conversations.observers.add(lambda: notified.append(len(conversations)))
    first, second = Conversation("physics"), Conversation("physics")
    assert conversations.keep(first) is first
    assert conversations.keep(second) is first
    assert notified == [1]


def test_chats_that_ask_at_once_share_a_conversation_that_is_new(session, openai):
    first, second = session.chat(conversation="physics"), session.chat(conversation="physics")
    assert first.conversation is second.conversation
    assert "physics" not in session.conversations
    session.conversations.keep(first.conversation)
    session.conversations.delete("physics")
    assert session.chat(conversation="physics").conversation is not first.conversation


def test_turns_of_threads_are_all_kept_in_a_conversation_that_is_new(shell, session, openai):
    together, errors = threading.Barrier(3), []
    shell.user_ns["together"] = lambda: together.wait(30)

    def ask(number: int) -> None:
        try:
            shell.run_cell_magic("chat", "--conversation physics", f"{number} {{{{ together() and '' }}}}")
        except UsageError as error:  # another reply was in progress: nothing was sent
            errors.append(str(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(session.conversations.find("physics")) + len(errors) == 3


def test_unknown_conversation_is_an_error_with_a_suggestion():
    conversations = Conversations()
    conversations.get("physics")
    with pytest.raises(UsageError, match=r"Unknown conversation 'phisics'\. Did you mean 'physics'\?"):
        conversations.find("phisics")
    with pytest.raises(UsageError, match=r"Unknown conversation 'x'\. To list them: `%lockbots list`\."):
        conversations.delete("x")


def test_deleting_the_current_conversation_leads_back_to_main():
    conversations = Conversations()
    conversations.add(Conversation("a"))
    conversations.add(Conversation("b"))
    conversations.delete("a")
    assert conversations.current == "b"
    conversations.delete("b")
    assert conversations.current == "main"


def test_replies_can_be_watched_while_others_are_stopped():
    session = Session()
    chat = Chat(lambda prompt: iter(["one ", "two"]))

    class Watching:
        """Adds a reply to the session whenever it is asked whether it is in progress."""

        turn = None

        @property
        def in_progress(self) -> bool:
            session.watch(chat.prepare("hi", history=False).stream())
            return False

    replies = [Watching() for _ in range(3)]
    for reply in replies:
        session.watch(reply)  # a stand-in
    assert session.stop() == set()


class Silent:
    """An output that shows nothing."""

    shown = False

    def run(self, work):
        work()

    def feed(self, delta):
        pass


@pytest.mark.parametrize("function", [lambda prompt: iter("ab"), lambda prompt: 1 / 0], ids=["whole", "failed"])
def test_background_reply_is_forgotten_when_it_has_ended(function):
    background, ended = Background(), threading.Event()
    chat = Chat(function)
    reply = chat.prepare("hi", history=False).stream()
    background.start(reply, Silent(), lambda errors: ended.set(), "cell")
    workers = [thread for thread in threading.enumerate() if thread.name == "lockbots background"]
    assert ended.wait(10)
    for worker in workers:
        worker.join(10)
    assert background._workers == {}
    gone = weakref.ref(reply)
    del reply, workers
    gc.collect()
    assert gone() is None


def test_background_reply_of_a_cell_run_again_is_stopped():
    background, first, release = Background(), threading.Event(), threading.Event()
    closed = threading.Event()

    def endless(prompt):
        try:
            while True:
                yield "word "
                first.set()
                release.wait(0.01)
        finally:
            closed.set()

    reply = Chat(endless).prepare("hi", history=False).stream()
    background.start(reply, Silent(), lambda errors: None, "cell")
    assert first.wait(10)
    background.retire("another cell")
    assert not closed.is_set()
    background.retire("cell")
    assert closed.wait(10)
    assert reply.turn.status == "interrupted"
    assert background._workers == {}
