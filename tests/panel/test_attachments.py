"""Files, pictures and variables that go with a prompt of the panel."""

import base64
from pathlib import Path

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.panel import attachments
from lockbots_magic.panel.attachments import attach, mentions
from lockbots_magic.prompt.part import PromptPart

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def file(name, data):
    return {"name": name, "data": base64.b64encode(data).decode()}


def test_files_stand_before_the_prompt_and_pictures_beside_it():
    part = attach("What is it?", [file("a.py", b"x = 1\n"), file("p.png", PNG)], {})
    assert part.text == "File a.py:\n```python\nx = 1\n```\n\nWhat is it?"
    assert [url[:22] for url in part.images] == ["data:image/png;base64,"]


def test_a_hidden_file_keeps_its_name():
    assert attach("p", [file(".gitignore", b"*.pyc\n")], {}).text == "File .gitignore:\n```\n*.pyc\n```\n\np"


def test_error_of_a_damaged_document_names_no_temporary_folder():
    pytest.importorskip("docx")
    with pytest.raises(UsageError, match=r"a\.docx") as error:
        attach("p", [file("a.docx", b"PK\x03\x04junk")], {})
    assert "lockbots-" not in str(error.value)


def test_a_variable_that_is_mentioned_stands_behind_the_prompt():
    part = attach("Sum @xs, not {{ xs }} or @ys", [], {"xs": [1, 2]})
    assert part.text == "Sum @xs, not {{ xs }} or @ys\n\n`xs`:\n\n[1, 2]"


def test_only_names_of_variables_are_mentions():
    namespace = dict.fromkeys(("a", "df", "_x", "In", "таблица", "é2"), 0)
    assert mentions("@таблица, @é2 и почта@таблица.рф", namespace) == ["таблица", "é2"]
    assert mentions("@df @df @a, @_x @In b@a a.@a @@a @nosuch @df.", namespace) == ["df", "a"]


def test_a_hostile_name_stays_in_its_folder(monkeypatch):
    read = []
    monkeypatch.setattr(attachments, "file_part", lambda path, choose: read.append(path) or PromptPart("x"))
    for name in ("../../etc/passwd", "a\0b\n.txt", "C:\\x\\y.txt", "", "..", "r.pdf#3", "x" * 500 + ".txt"):
        attach("p", [file(name, b"text")], {})
    assert len({path.parent for path in read}) == len(read)
    assert all(path.name == Path(path.name).name and 0 < len(path.name) <= 130 for path in read)
    assert not any(set("/\\#\0\n") & set(path.name) for path in read)
    assert not any(path.parent.exists() for path in read), "nothing stays on the disk"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([{"name": "a"}], "can’t be read"),
        ([{"name": "a", "data": "?"}], "can’t be read"),
        (["a"], "can’t be read"),
        ([file("a", b"x")] * 9, "at most 8"),
        ([file("a", b"x" * 7_000_001)], "7 MB"),
        ([file("a.bin", bytes(range(256)))], "not a text file"),
    ],
)
def test_what_can_not_be_sent_is_refused(files, said):
    with pytest.raises(UsageError, match=said):
        attach("p", files, {})


def test_they_reach_the_model_and_the_prompt_comes_back_if_they_are_refused(session_panel, session, mock_server):
    session.use("openai:demo", mock_server.url("openai"))
    session.namespace = {"xs": [1, 2]}
    ended = len(session_panel.received("usage"))
    session_panel.post("send", prompt="say @xs", files=[file("p.png", PNG), file("a.txt", b"words")])
    session_panel.wait_for("usage", ended + 1)
    (text, image) = sorted(
        mock_server.requests[-1].json["messages"][-1]["content"], key=lambda one: one["type"] != "text"
    )
    assert text["text"].startswith("File a.txt:")
    assert text["text"].endswith("`xs`:\n\n[1, 2]")
    assert image["type"] == "image_url"
    assert [sent["key"] for sent in session_panel.received("notification")] == ["attached"]
    session_panel.post("send", prompt="again", files=[{"name": "a"}])
    refused = session_panel.wait_for("notification", 2)
    assert (refused["refused"], refused["prompt"]) == ("send", "again")
