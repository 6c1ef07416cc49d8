"""Restore of saved notebooks: edited, copied, reordered, damaged; each is rebuilt or refused with clear advice."""

import json
import re
import warnings
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation import ordering
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.history_entry import HistoryEntry
from lockbots_magic.conversation.parts import Round, TextPart, ToolCallPart, ToolResultPart
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import RestoreWarning, UsageError
from lockbots_magic.security.control_characters import printable
from lockbots_magic.storage.output_metadata import KEY, metadata
from lockbots_magic.storage.reply_form import saved_once
from lockbots_magic.storage.restore import find_own_notebook, read_conversation, restore_notebook
from lockbots_magic.storage.text_delta import delta, patched


class Notebook:
    """A notebook in use, with one conversation."""

    def __init__(self, path, **conversation):
        self.path = path
        self.conversation = Conversation(**conversation)
        self.cells = []
        self.nbformat, self.minor = 4, 5

    def add(self, cell_id, source, *outputs, cell_type="code"):
        cell = {"cell_type": cell_type, "id": cell_id, "metadata": {}, "source": source, "outputs": [*outputs]}
        self.cells.append(cell)
        return cell

    def ask(self, cell_id, prompt, reply="yes", **turn):
        turn = Turn(prompt, reply, cell_id=cell_id, **turn)
        entry = self.conversation.commit(turn, self.conversation.slot(cell_id, "run"))
        return self.show(cell_id, f"%%chat\n{prompt}", entry)

    def show(self, cell_id, source, entry):
        text = printable(entry.turn.reply) if entry.turn else "done"
        return self.add(cell_id, source, shown(text, metadata(entry, cell_id, source)))

    def save(self):
        book = {"cells": self.cells, "metadata": {}, "nbformat": self.nbformat, "nbformat_minor": self.minor}
        self.path.write_text(json.dumps(book, ensure_ascii=False), encoding="utf-8")
        return self.path

    def restored(self):
        return restore_notebook(self.save())

    @property
    def turns(self):
        """Return the prompts with the cells that own them."""
        return [(t.prompt, t.cell_id) for t in self.restored().conversations[-1].turns]

    @property
    def remarks(self):
        return "\n".join(self.restored().remarks)

    def refused(self):
        with pytest.raises(UsageError) as caught:
            self.restored()
        return str(caught.value)


def shown(text, about=None, kind="display_data"):
    return {"output_type": kind, "data": {"text/plain": text, "text/html": f"<p>{text}"}, "metadata": about or {}}


ERROR = {"output_type": "error", "ename": "ProviderError", "evalue": "no", "traceback": []}


@pytest.fixture
def notebook(tmp_path):
    return Notebook(tmp_path / "talk.ipynb")


@pytest.fixture
def three(notebook):
    for n, prompt in enumerate(["one", "two", "three"], 1):
        notebook.ask(f"c{n}", prompt)
    return notebook


def record_in(cell):
    return cell["outputs"][0]["metadata"][KEY]


def test_conversation_is_restored_unchanged(three):
    again = read_conversation(three.save())
    assert again.to_dict() == three.conversation.to_dict()
    assert three.remarks == ""


def test_named_or_latest_conversation_is_read(three):
    first, three.conversation = three.conversation, Conversation("physics")
    three.ask("c9", "why?")
    path = three.save()
    assert read_conversation(path).name == "physics"
    assert read_conversation(str(path), "main").id == first.id
    with pytest.raises(UsageError, match=r"no conversation 'chemistry'\. It holds: main, physics"):
        read_conversation(path, "chemistry")


def test_from_python_remarks_are_warnings(three):
    three.cells[1]["source"] = "%%chat\nTWO"
    with pytest.warns(RestoreWarning, match="edited after the reply") as caught:
        read_conversation(three.save())
    assert caught[0].filename == __file__


def test_texts_may_be_lists_of_lines_after_a_byte_order_mark(three):
    for cell in three.cells:
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell["outputs"][0]["data"]["text/plain"] = ["yes"]
    three.path.write_text(three.save().read_text("utf-8"), encoding="utf-8-sig")
    assert restore_notebook(three.path).remarks == ()


# Files that are none.


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON, or incomplete"),
        ('{"cells": [', "not JSON, or incomplete"),
        ('{"a": 1}\n<<<<<<< HEAD\n', "unfinished merge"),
        ('{"nbformat": NaN}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 5000, "not JSON"),
        ("[]", "not a notebook"),
        ('{"cells": []}', "not a notebook"),
        ('{"nbformat": "4", "cells": []}', "not a notebook"),
        ('{"nbformat": true, "cells": []}', "not a notebook"),
        ('{"format": "lockbots-conversation", "turns": []}', "%lockbots load"),
        ('{"nbformat": 3, "worksheets": []}', "format 3, this release reads format 4. Open it in Jupyter and save it"),
        ('{"nbformat": 5, "cells": []}', "Update lockbots-magic"),
        ('{"nbformat": 4, "cells": {}}', "it has no list of cells"),
        ('{"nbformat": 4, "cells": [5]}', "cell 1 is not an object"),
        (
            '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "a", "outputs": 5}]}',
            "cell 1 .*outputs are damaged",
        ),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [5]}]}', "cell 1 .*outputs are damaged"),
        ('{"nbformat": 4, "cells": []}', "no saved turns.*Run its %%chat cells again"),
    ],
)
def test_file_that_is_not_a_notebook_is_one_clear_error(tmp_path, text, why):
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    with pytest.raises(UsageError, match=f"x.ipynb.*{why}"):
        restore_notebook(path)


def test_unreadable_file_is_one_clear_error(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"Can't read .*: No such file"):
        restore_notebook(tmp_path / "nothing.ipynb")
    (tmp_path / "x.ipynb").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match=r"x\.ipynb"):
        restore_notebook(tmp_path / "x.ipynb")
    monkeypatch.setattr("lockbots_magic.atomic_file.MAX_FILE", 2)
    with pytest.raises(UsageError, match="larger than"):
        restore_notebook(tmp_path / "x.ipynb")


def test_a_notebook_without_a_conversation_says_why(notebook):
    notebook.add("c1", "%%chat\nhi")
    assert "outputs were cleared" in notebook.refused()
    notebook.add("c3", "%%chat\nhi", shown("a reply whose metadata were removed"))
    assert "not the metadata" in notebook.refused()
    notebook.show("c2", "%%chat --no-history\nhi", HistoryEntry(None, Turn("hi", "yes")))
    assert "outside conversations" in notebook.refused()


# Records that can't be used.


def test_a_record_of_a_later_release_names_the_cell(three):
    record_in(three.cells[1])["version"] = 2
    assert three.refused() == (
        'talk.ipynb: cell 2 ("two"): the record has version 2, this release reads version 1. Update lockbots-magic.'
    )


@pytest.mark.parametrize("damage", [5, None, [], "x", {}, {"version": 1}])
def test_a_damaged_record_names_the_cell(three, damage):
    three.add("m", "# A heading", cell_type="markdown")
    three.cells.insert(0, three.cells.pop())
    three.cells[2]["outputs"][0]["metadata"][KEY] = damage
    assert re.match(r'talk\.ipynb: cell 3 \("two"\): can\'t use the metadata of its output', three.refused())


def test_same_turn_with_different_content_is_refused(three):
    copied = json.loads(json.dumps(three.cells[0]))
    record_in(copied)["turn"]["reply"] = "no"
    three.cells.append({**copied, "id": "c4"})
    assert 'cell 1 ("one") and cell 4 ("one") hold the same turn with different content' in three.refused()


def test_messages_hold_no_control_characters(three):
    three.cells[0]["source"] = "%%chat\n\x1b[31mone javascript:x data:text/html,x"
    assert "\x1b" not in three.remarks
    record_in(three.cells[0])["version"] = "\x1b]0;x\x07"
    assert not re.search("[\x1b\x07]", three.refused())


# Notebooks that were worked on.


def test_cell_edited_after_its_reply_keeps_the_old_prompt(three):
    three.cells[1]["source"] = "%%chat\nsomething else"
    assert three.turns[1] == ("two", "c2")
    assert three.remarks == 'cell 2 ("something else"): edited after the reply; the turn keeps the old prompt.'


def test_output_edited_by_hand_keeps_the_old_reply(three):
    for cell in three.cells[1:]:
        cell["outputs"][0]["data"]["text/plain"] = "no"
    assert three.restored().conversations[0].turns[1].reply == "yes"
    assert three.remarks == "cells 2 and 3: the output was edited; the turn keeps the old reply."


def test_reordered_cells_keep_the_order_of_the_conversation(three):
    three.cells.reverse()
    assert [prompt for prompt, _ in three.turns] == ["one", "two", "three"]
    assert "the cells were reordered" in three.remarks


def test_deleted_cell_leaves_a_reported_gap(three):
    del three.cells[1]
    assert [(t.prompt, t.stale) for t in three.restored().conversations[0].turns] == [("one", False), ("three", True)]
    assert 'turns are missing right before "three"' in three.remarks


@pytest.mark.parametrize("outputs", [[], [ERROR]])
def test_cleared_cell_is_reported(three, outputs):
    three.cells[1]["outputs"] = outputs
    assert 'cell 2 ("two"): there is no reply: cleared, failed, or not run yet' in three.remarks


@pytest.mark.parametrize(
    "output",
    [shown("half"), shown("half", kind="execute_result"), {"output_type": "stream", "name": "stdout", "text": "x"}],
)
def test_reply_without_its_turn_is_reported(three, output):
    three.add("c4", "%%chat\nfour", output, ERROR)
    assert len(three.turns) == 3
    assert 'cell 4 ("four"): the output holds no turn' in three.remarks
    assert "Run the cell again" in three.remarks


@pytest.mark.parametrize("source", ["%%chat -h", "%%chat --help\nx", "print(1)", "%%chatter\nx", "# %%chat"])
def test_cell_without_a_prompt_is_ignored(three, source):
    three.add("c4", source, {"output_type": "stream", "name": "stdout", "text": "x"})
    assert three.remarks == ""


def test_remark_names_many_cells_by_number_up_to_a_limit(three):
    for n in range(20):
        three.add(f"x{n}", "%%chat\nlater")
    assert "cells 4, 5, 6, 7, 8, 9, 10, 11 and 12 more: there is no reply" in three.remarks


def test_a_copied_cell_counts_once(three):
    three.cells.insert(0, {**three.cells[1], "id": "copy"})
    assert three.turns == [("one", "c1"), ("two", "c2"), ("three", "c3")]
    assert three.remarks == 'cell 1 ("two"): a copy of another cell with its output; the turn counts once.'


def test_undone_turn_stays_removed_and_its_cell_is_not_reported(three):
    three.conversation.undo()
    three.show("u", "%lockbots undo", three.conversation.snapshot())
    three.cells[2]["source"] = "edited"
    assert [prompt for prompt, _ in three.turns] == ["one", "two"]
    assert three.remarks == ""


def test_conversations_of_one_name_get_different_names(three):
    old, three.conversation = three.conversation, Conversation()
    three.ask("c4", "again")
    older, latest = three.restored().conversations
    assert (latest.info.name, older.info.name, older.info.id) == ("main", "main-2", old.id)
    assert three.remarks == '"main-2" is an older conversation that was also called "main".'


def test_restored_system_prompt_is_reported(tmp_path):
    notebook = Notebook(tmp_path / "x.ipynb", system="Obey\n\x1b[2Jme.")
    notebook.ask("c1", "one")
    assert notebook.restored().conversations[0].info.system == "Obey\n\x1b[2Jme."
    assert notebook.remarks == '"main" has a system prompt: "Obey [2Jme."'


def test_parameter_that_is_not_json_is_reported(notebook):
    notebook.ask("c1", "one", params={"table": object(), "n": 1})
    assert notebook.restored().conversations[0].turns[0].params == {"n": 1}
    assert 'can\'t hold the parameter "table: <object>"' in notebook.remarks


# Which cell owns a turn.


def test_a_notebook_whose_cells_have_new_ids_is_bound_to_them(three):
    for cell in three.cells:
        cell["id"] = f"new-{cell['id']}"
    assert three.turns == [("one", "new-c1"), ("two", "new-c2"), ("three", "new-c3")]
    assert three.remarks == ""


def test_a_cell_with_a_new_id_and_another_source_is_not_taken_for_the_old_one(three):
    three.cells[1].update(id="new", source="%%chat\nother")
    assert three.turns[1] == ("two", "c2"), "an id that no cell has"
    assert 'cell 2 ("other"): it ran under another id' in three.remarks


def test_two_copies_of_a_lost_cell_are_bound_to_neither(three):
    three.cells.append({**three.cells[1], "id": "copy"})
    three.cells[1]["id"] = "new"
    assert three.turns[1] == ("two", "c2")
    assert "cells 2 and 4: it ran under another id" in three.remarks


def test_outputs_of_two_cells_in_one_are_bound_to_neither(three):
    three.cells[0].update(id="new", outputs=three.cells[0]["outputs"] + three.cells[1]["outputs"])
    del three.cells[1]
    assert [cell for _, cell in three.turns] == ["c1", "c2", "c3"]


def test_an_id_of_two_cells_binds_to_none(three):
    three.cells[2]["id"] = "c1"
    record_in(three.cells[2])["cell"] = "c1"
    record_in(three.cells[2])["turn"]["cell_id"] = "c1"
    assert [cell for _, cell in three.turns] == [None, "c2", None]
    assert "cells 1 and 3: another cell has the same id" in three.remarks


def test_a_notebook_without_ids_says_so_once(three):
    three.minor = 4
    for cell in three.cells:
        del cell["id"]
    assert [cell for _, cell in three.turns] == ["c1", "c2", "c3"], "the front end may still know them"
    assert three.remarks.startswith("The notebook's cells have no ids (its format is older than 4.5)")
    assert len(three.restored().remarks) == 1


def test_ids_that_a_front_end_renews_each_session_are_ignored(notebook):
    notebook.ask("vscode-notebook-cell:/x.ipynb#W0sZmlsZQ%3D%3D", "one")
    notebook.cells[0]["id"] = "abc"
    assert notebook.turns == [("one", None)]
    assert "it ran under another id" in notebook.remarks


def test_a_notebook_that_a_program_ran_is_bound_to_the_cells_that_show_the_turns(notebook):
    for cell_id in ("c1", "c2", "c3"):
        entry = notebook.conversation.commit(Turn(cell_id, "yes"), notebook.conversation.slot())
        source = f"%%chat\n{cell_id}"
        notebook.add(cell_id, source, shown("yes", metadata(entry, None, source)))
    notebook.cells[1]["source"] = "%%chat\nedited"
    notebook.cells.append({**notebook.cells[2], "id": "copy"})
    assert notebook.turns == [("c1", "c1"), ("c2", None), ("c3", None)]


def test_a_retried_turn_belongs_to_the_cell_that_asked_first(three):
    slot = three.conversation.slot_of(three.conversation.turns[1].id)
    entry = three.conversation.commit(Turn("two", "again", cell_id="c2"), slot)
    three.show("r", "%lockbots retry", entry)
    three.cells[1]["id"] = "new"
    assert three.turns == [("one", "c1"), ("two", "new"), ("three", "c3")]
    assert [t.stale for t in three.restored().conversations[0].turns] == [False, False, True]


# The notebook in which a kernel runs.


def test_path_comes_from_the_jupyter_server(tmp_path):
    path = tmp_path / "a.ipynb"
    path.touch()
    assert find_own_notebook({"JPY_SESSION_NAME": str(path)}, {}) == path
    assert find_own_notebook({"JPY_SESSION_NAME": "root/a.ipynb"}, {"_dh": [str(tmp_path), "/elsewhere"]}) == path
    (tmp_path / "sub").mkdir()
    below = tmp_path / "sub" / "b.ipynb"
    below.touch()
    assert find_own_notebook({"JPY_SESSION_NAME": "sub/b.ipynb"}, {"_dh": [tmp_path]}) == below


def test_path_comes_from_visual_studio_code(tmp_path):
    path = tmp_path / "a.ipynb"
    path.touch()
    assert find_own_notebook({"JPY_SESSION_NAME": "/x/b.ipynb"}, {"__vsc_ipynb_file__": str(path)}) == path


@pytest.mark.parametrize("told", ["", "console-1", "/nowhere/at/all.ipynb", "talk.md", "a\0b.ipynb"])
def test_unknown_or_missing_path_is_none(told):
    assert find_own_notebook({"JPY_SESSION_NAME": told}, {"_dh": 5, "__vsc_ipynb_file__": 7}) is None
    assert find_own_notebook({}, {}) is None


# Whatever else may stand in a file.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
OUTPUT = JSON | st.fixed_dictionaries(
    {},
    optional={"output_type": JSON, "data": JSON | st.just({"text/plain": ["a"]}), "metadata": JSON | st.just({KEY: 5})},
)
CELL = JSON | st.fixed_dictionaries(
    {"cell_type": st.just("code") | JSON},
    optional={"source": JSON | st.just("%%chat\nhi"), "outputs": JSON | st.lists(OUTPUT, max_size=2), "id": JSON},
)


@given(st.lists(CELL, max_size=3), st.integers(0, 3))
def test_any_notebook_is_read_or_refused(tmp_path_factory, cells, at):
    notebook = Notebook(tmp_path_factory.getbasetemp() / "odd.ipynb")
    notebook.ask("c1", "one")
    notebook.cells[0:0] = cells[:at]
    notebook.cells += cells[at:]
    with suppress(UsageError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(read_conversation(notebook.save())) == 1


def test_notebook_stays_restorable_after_a_file_with_a_repeated_turn_is_continued(tmp_path):
    saved = Conversation(turns=[Turn("a", "x")]).to_dict()
    loaded = Conversation.from_dict({**saved, "turns": saved["turns"] * 2})
    notebook = Notebook(tmp_path / "talk.ipynb")
    notebook.conversation = loaded
    notebook.ask("c1", "next")
    assert notebook.turns == [("next", "c1")]


def test_turns_of_a_cleared_conversation_stay_cleared_after_many_more_clears(tmp_path):
    notebook = Notebook(tmp_path / "talk.ipynb")
    notebook.ask("c1", "one")
    for _ in range(60):
        notebook.conversation.clear()
    notebook.show("c2", "%lockbots clear", notebook.conversation.snapshot())
    assert [one.turns for one in notebook.restored().conversations] == [()]


# A long reply that the record leaves to a form of the output.

LONG = "A reply of *many* words, one after the other and none of them the last.\n\n" * 20


def ask_long(notebook, cell_id, prompt, reply=LONG, markdown="", **turn):
    (output,) = notebook.ask(cell_id, prompt, "" if turn else reply, **turn)["outputs"]
    if markdown:
        output["data"]["text/markdown"] = markdown
    output["data"], output["metadata"] = saved_once(output["data"], output["metadata"])
    return output


MARKDOWN = LONG.replace(".\n", ".\\\n") + "\n\n*openai:m*"
PLACES = ("", MARKDOWN)


@pytest.mark.parametrize("markdown", PLACES)
def test_long_reply_is_saved_once_and_read_from_the_output(notebook, markdown):
    output = ask_long(notebook, "c1", "one", markdown=markdown)
    assert LONG[:40] not in json.dumps(output["metadata"])
    assert (output["data"]["text/plain"] == LONG) == (not markdown)
    for kind, text in output["data"].items():
        output["data"][kind] = text.splitlines(keepends=True)
    assert read_conversation(notebook.save()).to_dict() == notebook.conversation.to_dict()
    assert notebook.remarks == ""


def test_plain_text_is_cut_only_where_the_markdown_says_the_same(notebook):
    output = ask_long(notebook, "c1", "one", markdown=MARKDOWN)
    told = r"A reply of .{60,100}… \[1,[0-9]{3} more characters: text/markdown\]"
    assert re.fullmatch(told, output["data"]["text/plain"], re.DOTALL)
    assert ask_long(notebook, "c2", "two", markdown="Something else.\n" * 20)["data"]["text/plain"] == LONG


def test_plain_text_of_a_reply_that_begins_with_blank_lines_is_cut_behind_them(notebook):
    output = ask_long(notebook, "c1", "one", "\n" * 120 + LONG * 2, markdown=LONG * 2)
    assert re.fullmatch(r"A reply of .{60,100}… \[[0-9],[0-9]{3} more .*\]", output["data"]["text/plain"], re.DOTALL)
    assert notebook.restored().conversations[0].turns[0].reply == "\n" * 120 + LONG * 2


@pytest.mark.parametrize("text", ["yes", LONG + "\x07"])
def test_record_keeps_a_reply_that_is_short_or_not_the_plain_text(notebook, text):
    output = ask_long(notebook, "c1", "one", text)
    assert "reply" in output["metadata"][KEY]["turn"]
    assert notebook.restored().conversations[0].turns[0].reply == text


def test_reply_of_several_rounds_is_kept_by_its_rounds(notebook):
    first = Round((TextPart(LONG), ToolCallPart("1", "f", "{}"), ToolResultPart("1", "x")))
    rounds = (first, Round((TextPart("so."),)))
    output = ask_long(notebook, "c1", "one", rounds=rounds)
    assert json.dumps(output["metadata"]).count("words") == LONG.count("words")
    assert notebook.restored().conversations[0].turns[0].rounds == rounds
    output["data"]["text/plain"] = "no"
    assert "the turn keeps the old reply" in notebook.remarks


@pytest.mark.parametrize("markdown", PLACES)
@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("Mine.", "the output was edited; the turn has the reply as it stands there now."),
        ("", "the text of the output was removed, and the reply with it: the turn has none. Run the cell again."),
    ],
)
def test_edited_output_is_the_reply_and_is_reported(notebook, markdown, now, told):
    data = ask_long(notebook, "c1", "one", markdown=markdown)["data"]
    data.update(dict.fromkeys(data, now))
    assert notebook.restored().conversations[0].turns[0].reply == now
    assert notebook.remarks == f'cell 1 ("one"): {told}'


@pytest.mark.parametrize("edit", [("words", "letters"), ("A reply", "A long reply"), ("\n\n*openai:m*", "")])
def test_markdown_edited_in_part_loses_nothing(notebook, edit):
    data = ask_long(notebook, "c1", "one", markdown=MARKDOWN)["data"]
    data["text/markdown"] = data["text/markdown"].replace(*edit)
    assert notebook.restored().conversations[0].turns[0].reply == data["text/markdown"]
    assert "the output was edited; the turn has the reply as it stands there now." in notebook.remarks


@pytest.mark.parametrize("damage", [5, None, "=1", "x", "=99999999", "+%ff", "-1 " * 50])
def test_damaged_delta_leaves_the_markdown(notebook, damage):
    output = ask_long(notebook, "c1", "one", markdown=MARKDOWN)
    output["metadata"][KEY]["delta"] = damage
    assert notebook.restored().conversations[0].turns[0].reply == MARKDOWN


def test_delta_that_is_longer_than_any_that_is_written_takes_no_time(notebook):
    record = ask_long(notebook, "c1", "one", markdown=MARKDOWN)["metadata"][KEY]
    for length, reply in ((20_000, LONG), (20_001, MARKDOWN)):
        record["delta"] = record["delta"].rjust(length)
        assert notebook.restored().conversations[0].turns[0].reply == reply


def test_orders_of_turns_are_read_once_and_bounded(three, monkeypatch):
    monkeypatch.setattr(ordering, "MAX_READ", 150_000)
    for cell in three.cells[1:]:
        record_in(cell)["stale"] = "1 0+1869f"
    assert len(three.turns) == 3
    record_in(three.cells[2])["stale"] = "2 0+1869f"
    assert "the orders of all turns are too long" in three.refused()


@pytest.mark.parametrize("number", [0, 1])
def test_of_a_copied_output_the_unedited_one_counts(notebook, number):
    ask_long(notebook, "c1", "one")
    notebook.cells.append({**json.loads(json.dumps(notebook.cells[0])), "id": "c2"})
    notebook.cells[number]["outputs"][0]["data"]["text/plain"] = "Mine."
    assert notebook.restored().conversations[0].turns[0].reply == LONG
    assert "the output was edited; the turn keeps the old reply" in notebook.remarks


@given(st.text("a \n\\*", max_size=60), st.text("a \n\\*", max_size=60))
def test_delta_makes_the_other_text(old, new):
    steps = delta(old, new, 10_000)
    assert patched(old, steps) == new
    assert not steps or delta(old, new, len(steps) - 1) is None
    json.dumps(steps).encode("ascii")
