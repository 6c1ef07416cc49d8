"""What stands below a panel: the last turns for whoever reads the notebook, and all of them for `%lockbots restore`."""

import json
import threading
from html.parser import HTMLParser

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.panel import transcript, transcript_metadata
from lockbots_magic.panel.debouncer import Debouncer
from lockbots_magic.panel.transcript import MAX_CHARACTERS, MAX_TURNS, Transcript
from lockbots_magic.panel.transcript_metadata import TranscriptMetadata
from lockbots_magic.security.secrets import Secret
from lockbots_magic.storage.output_metadata import KEY, metadata
from lockbots_magic.storage.restore import restored

PLANTED = "sk-planted-credential-0123456789abcdef"


def turns(count, reply="yes"):
    return Conversation(turns=[Turn(f"question {n}", reply) for n in range(count)]).turns


def test_the_oldest_turns_are_left_out_and_counted():
    shown = Transcript().render(turns(MAX_TURNS + 2))
    assert shown["text/plain"].startswith("2 earlier turns\n\n> question 2\n\nyes")
    assert "<p>2 earlier turns</p>" in shown["text/html"]
    assert "1 earlier turn\n" in Transcript().render(turns(MAX_TURNS + 1))["text/plain"]


def test_long_replies_keep_it_within_its_size():
    shown = Transcript().render(turns(20, "word " * 5000))
    assert MAX_CHARACTERS / 2 < sum(map(len, shown.values())) < 1.1 * MAX_CHARACTERS
    assert "earlier turns" in shown["text/plain"]
    assert "question 19" in shown["text/plain"]


def test_a_turn_that_is_longer_than_all_of_it_is_shown():
    assert "word" in Transcript().render(turns(1, "word " * MAX_CHARACTERS))["text/plain"]


def test_it_says_who_speaks_and_how_to_go_on():
    html = Transcript().render([Turn("question", "answer")])["text/html"]
    assert html.index("You:") < html.index("question") < html.index("answer") < html.index("%lockbots restore")
    assert "restore" not in Transcript().render([])["text/html"]


@pytest.mark.parametrize("hostile", [r"$\href{https://evil.example/}{click}$", "costs $5 or $3", r"\(x\)", "$$x$$"])
def test_nothing_in_it_becomes_a_formula(hostile):
    turn = Turn(hostile, "half", status="interrupted", error=hostile)
    assert hostile in Transcript().render([turn])["text/plain"]
    assert outside_of_ignored(Transcript().render([turn])["text/html"]).count("$") == 0
    assert "\\" not in outside_of_ignored(Transcript().render([turn])["text/html"])


def outside_of_ignored(html):
    """The text in which front ends look for TeX."""
    found, depths = [], []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            ignored = "mathjax_ignore" in (dict(attributes).get("class") or "").split()
            depths.append(ignored or bool(depths and depths[-1]) or tag == "style")

        def handle_endtag(self, tag):
            depths.pop()

        def handle_data(self, data):
            if not (depths and depths[-1]):
                found.append(data)

    Reader().feed(html)
    return "".join(found)


def test_a_turn_is_rendered_once(monkeypatch):
    rendered = []
    real = transcript.render
    monkeypatch.setattr(transcript, "render", lambda text: rendered.append(text) or real(text))
    said, page = turns(3), Transcript()
    first = page.render(said)
    assert page.render(said) == first
    page.render((*said, Turn("new", "reply")))
    assert rendered == ["yes"] * 3 + ["reply"]


def test_a_turn_that_has_changed_is_rendered_anew():
    page = Transcript()
    page.render([Turn("hi", "one", id="same")])
    assert "two" in page.render([Turn("hi", "two", id="same")])["text/html"]


# The thread


def test_what_is_wanted_often_is_done_once():
    done = []
    debouncer = Debouncer(lambda: done.append(threading.current_thread().name))
    for _ in range(100):
        debouncer.request()
    debouncer.close()
    assert done == ["lockbots panel transcript"]


def test_what_is_wanted_while_it_is_done_is_done_again():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def publish():
        begun.set()
        assert go_on.wait(20)
        done.append(1)

    debouncer = Debouncer(publish)
    debouncer.request()
    assert begun.wait(20)
    debouncer.request()
    go_on.set()
    debouncer.close()
    assert done == [1, 1]


def test_its_thread_ends_when_there_is_nothing_to_do_and_with_it():
    debouncer = Debouncer(lambda: None)
    debouncer.request()
    thread = debouncer._thread
    thread.join(20)
    assert not thread.is_alive()
    debouncer.request()
    debouncer.close()
    debouncer.request()
    assert debouncer._thread is None


def test_what_is_wanted_now_is_done_before_it_goes_on(monkeypatch):
    monkeypatch.setattr("lockbots_magic.panel.debouncer.DELAY", 60)
    done = []
    debouncer = Debouncer(lambda: done.append(1))
    debouncer.flush()
    for count in (1, 2):
        debouncer.request()
        debouncer.flush()
        assert done == [1] * count
    debouncer.request()
    debouncer.close()
    assert done == [1] * 3


def test_a_failure_is_warned_of_and_the_next_time_goes_well():
    done = threading.Event()
    answers = iter([lambda: 1 / 0, done.set])
    debouncer = Debouncer(lambda: next(answers)())  # noqa: PLW0108  # the next one each time
    with pytest.warns(UserWarning, match="The panel's transcript failed: ZeroDivisionError"):
        done_with(debouncer)
    debouncer.request()
    debouncer.close()
    assert done.is_set()


def done_with(debouncer):
    debouncer.request()
    debouncer._thread.join(20)


# What it remembers


def test_what_was_said_in_other_panels_of_the_session_is_remembered_too():
    kept = TranscriptMetadata()
    one, two = make_chat("one", "a").conversation, make_chat("two", "b").conversation
    of_cells = Chat(lambda prompt: "yes", conversation=Conversation("cells"))
    list(of_cells.stream("c", cell_id="cell"))
    kept.add(one)
    names = [record["conversation"]["name"] for record in kept.build([one, two, of_cells.conversation])[KEY]]
    assert set(names) == {"one", "two"}


class Notebook:
    """A saved notebook with a panel, and cells that asked."""

    def __init__(self, path):
        self.path = path / "panel.ipynb"
        self.cells = []

    def add(self, source, metadata, text=""):
        output = {"output_type": "display_data", "data": {"text/plain": text}, "metadata": metadata}
        cell = {"cell_type": "code", "id": f"cell-{len(self.cells)}", "metadata": {}, "source": source}
        self.cells.append({**cell, "outputs": [output]})

    def restored(self):
        self.path.write_text(json.dumps({"cells": self.cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        return restored(self.path)


@pytest.fixture
def notebook(tmp_path):
    return Notebook(tmp_path)


def remembering(*conversations):
    kept = TranscriptMetadata()
    for conversation in conversations:
        kept.add(conversation)
    return kept.build(conversations)


def said(turns):
    return [(t.prompt, t.reply, t.stale, t.id) for t in turns]


def make_chat(name="main", *prompts):
    chat = Chat(lambda prompt: f"to {prompt}", conversation=Conversation(name, system="Be brief."))
    for prompt in prompts:
        chat.ask(prompt)
    return chat


def test_what_was_said_in_a_panel_is_restored(notebook):
    chat = make_chat("main", "one", "two", "three")
    chat.redo(chat.conversation.turns[0].id).close()
    chat.retry(chat.conversation.turns[1].id)
    notebook.add("%lockbots panel", remembering(chat.conversation))
    (past,) = notebook.restored().pasts
    assert said(past.turns) == said(chat.conversation.turns)
    assert (past.owner.name, past.owner.system, past.gaps) == ("main", "Be brief.", ())


def test_turns_of_cells_and_of_the_panel_stand_in_their_order(notebook):
    chat = make_chat("main", "one")
    for n, prompt in enumerate(("two", "three")):
        reply = chat.stream(prompt, cell_id=f"cell-{n}", run="1")
        list(reply)
        notebook.add(f"%%chat\n{prompt}", metadata(reply.entry, str, f"cell-{n}", f"%%chat\n{prompt}"), f"to {prompt}")
        chat.ask(f"{prompt} and more")
    notebook.cells.insert(0, notebook.cells.pop())
    notebook.add("%lockbots panel", remembering(chat.conversation))
    book = notebook.restored()
    assert said(book.pasts[0].turns) == said(chat.conversation.turns)
    assert not [remark for remark in book.remarks if "missing" in remark or "copy" in remark]


def test_a_cells_turn_asked_again_in_the_panel_is_the_new_one(notebook):
    chat = make_chat("main")
    reply = chat.stream("one", cell_id="cell-0", run="1")
    list(reply)
    notebook.add("%%chat\none", metadata(reply.entry, str, "cell-0", "%%chat\none"), "to one")
    chat.retry()
    notebook.add("%lockbots panel", remembering(chat.conversation))
    assert said(notebook.restored().pasts[0].turns) == said(chat.conversation.turns)


def test_branches_are_restored_with_what_they_began_with(notebook):
    chat = make_chat("main", "one", "two")
    fork = chat.fork("main-2", chat.conversation.turns[0].id)
    fork.ask("two, differently")
    notebook.add("%lockbots panel", remembering(chat.conversation, fork.conversation))
    main, branch = notebook.restored().pasts
    assert said(main.turns) == said(chat.conversation.turns)
    assert said(branch.turns) == said(fork.conversation.turns)
    assert branch.owner.name == "main-2"


def test_two_panels_with_the_same_turns_agree(notebook):
    chat = make_chat("main", "one")
    notebook.add("%lockbots panel", remembering(chat.conversation))
    chat.ask("two")
    chat.retry(chat.conversation.turns[0].id)
    notebook.add("%lockbots panel", remembering(chat.conversation))
    assert said(notebook.restored().pasts[0].turns) == said(chat.conversation.turns)


def test_what_was_undone_or_cleared_stays_gone(notebook):
    chat = make_chat("main", "one", "two")
    reply = chat.stream("three", cell_id="cell-0", run="1")
    list(reply)
    notebook.add("%%chat\nthree", metadata(reply.entry, str, "cell-0", "%%chat\nthree"), "to three")
    chat.undo(2)
    notebook.add("%lockbots panel", remembering(chat.conversation))
    assert [t.prompt for t in notebook.restored().pasts[0].turns] == ["one"]
    chat.clear()
    notebook.cells.pop()
    notebook.add("%lockbots panel", remembering(chat.conversation))
    assert [t.prompt for past in notebook.restored().pasts for t in past.turns] == []


def test_a_damaged_record_among_several_names_the_cell(notebook):
    kept = remembering(make_chat("main", "one").conversation)
    kept[KEY][0]["turn"]["id"] = 7
    notebook.add("%lockbots panel", kept)
    with pytest.raises(UsageError, match=r'cell 1 \("%lockbots panel"\): what is saved with its output can.t be used'):
        notebook.restored()


def test_turns_that_a_conversation_was_given_by_hand_are_restored(notebook):
    by_hand = Conversation("by hand", turns=[Turn("one", "yes"), Turn("two", "yes")])
    notebook.add("ChatPanel(chat)", remembering(by_hand))
    assert [t.prompt for t in notebook.restored().pasts[0].turns] == ["one", "two"]
    chat = Chat(lambda prompt: "yes", conversation=by_hand)
    chat.ask("three")
    notebook.cells.clear()
    notebook.add("ChatPanel(chat)", remembering(by_hand))
    assert [t.prompt for t in notebook.restored().pasts[0].turns] == ["one", "two", "three"]


def test_nothing_said_is_nothing_to_remember():
    assert remembering(Conversation()) == {}


def test_a_deleted_conversation_is_forgotten():
    kept = TranscriptMetadata()
    one, two = make_chat("one", "a").conversation, make_chat("two", "b").conversation
    kept.add(one)
    kept.add(two)
    names = {record["conversation"]["name"] for record in kept.build([two])[KEY]}
    assert names == {"two"}


def test_no_more_is_remembered_than_a_notebook_can_bear(monkeypatch, notebook):
    monkeypatch.setattr(transcript_metadata, "MAX_CHARACTERS", 30)
    chat = make_chat("main", *"abcdefgh")
    notebook.add("%lockbots panel", remembering(chat.conversation))
    (past,) = notebook.restored().pasts
    assert [t.prompt for t in past.turns] == list("cdefgh")
    assert past.gaps == (chat.conversation.turns[2].id,)


def test_a_reply_that_failed_before_its_first_word_is_not_remembered(notebook):
    conversation = Conversation(
        turns=[Turn("one", "yes"), Turn("two", "", status="error", error="x"), Turn("three", "yes")]
    )
    conversation.commit(Turn("four", "yes"), conversation.slot())
    kept = remembering(conversation)
    assert "two" not in json.dumps(kept)


def test_no_credential_is_remembered():
    secret = Secret(PLANTED)  # as long as it is held, it is known
    chat = make_chat("main", f"my key is {secret.reveal()}")
    assert PLANTED not in json.dumps(remembering(chat.conversation))
