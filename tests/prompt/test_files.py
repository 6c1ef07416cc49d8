"""The text of files."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.prompt import Material, from_file
from lockbots_magic.prompt.decoding import decoded
from lockbots_magic.prompt.files import CHARACTERS, text_of
from lockbots_magic.security.secrets import Secret


@pytest.fixture
def file(tmp_path):
    """Writes a file and returns its path."""

    def write(content, name="notes.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_a_file_is_its_name_and_a_fenced_block(file):
    assert from_file(file("a,b\n1,2\n", "data.csv")) == Material("File data.csv:\n```csv\na,b\n1,2\n```")


@pytest.mark.parametrize(
    ("name", "language"),
    [("a.py", "python"), ("a.JSON", "json"), ("a.txt", ""), ("Makefile", ""), ("a.tar-gz", ""), ("a.md", "markdown")],
)
def test_the_language_goes_by_the_name(file, name, language):
    assert from_file(file("x", name)).text == f"File {name}:\n```{language}\nx\n```"


@pytest.mark.parametrize("inside", ["```", "````python\n````", "a ``````` b"])
def test_the_fence_is_longer_than_any_in_the_text(file, inside):
    first, fence, *middle, last = from_file(file(inside)).text.split("\n")
    assert "\n".join(middle) == inside
    assert fence == last == "`" * len(fence)
    assert fence not in inside
    assert first == "File notes.txt:"


def test_line_ends_are_newlines(file):
    assert from_file(file(b"a\r\nb\rc")).text == "File notes.txt:\n```\na\nb\nc\n```"


def test_a_long_file_is_cut_and_says_so(file):
    material = from_file(file("é" * (CHARACTERS + 23_456)))
    assert material.text.count("é") == CHARACTERS
    assert "[… the file goes on]" in material.text
    assert material.notes == ("notes.txt: first 100,000 characters of 123,456",)


def test_of_a_huge_file_only_the_beginning_is_read(file, tmp_path):
    path = file("ab\n" * 200_000)
    with path.open("r+b") as opened:
        opened.truncate(10**12)  # a hole, which takes no room
    material = from_file(path)
    assert len(material.text) < CHARACTERS + 100
    assert material.notes == ("notes.txt: first 100,000 characters of more",)


def test_a_character_may_be_cut_where_reading_ends(file):
    assert not [note for note in from_file(file("a" + "é" * 500_000)).notes if "UTF" in note]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "naïve 漢字 🎉"),
        ("utf-8-sig", "naïve"),
        ("utf-16", "naïve 🎉"),
        ("utf-32", "naïve 🎉"),
    ],
)
def test_unicode_is_read_without_a_note(file, encoding, text):
    assert from_file(file(text.encode(encoding))) == Material(f"File notes.txt:\n```\n{text}\n```")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Привет, мир"),
        ("cp1251", "x = compute(y)  # это важно для всех\n" * 3),
        ("cp1252", "Ein naïver Müller aß Käse für 5 €, “sagt man”"),
        ("cp1252", "déjà vu à la carte, où ça"),
        ("latin-1", "caf\xe9 \x81"),
    ],
)
def test_older_encodings_are_read_with_a_note(file, encoding, text):
    material = from_file(file(text.encode(encoding)))
    assert text.strip() in material.text
    assert material.notes == (f"notes.txt: read as {encoding}, since it is no UTF-8",)


@given(st.text())
def test_any_unicode_text_is_read_as_itself(text):
    if "\0" not in text and decoded(text.encode()) is not None:
        assert decoded(text.removeprefix("\ufeff").encode()) == (text.removeprefix("\ufeff"), "utf-8")
    assert decoded(text.encode("utf-8-sig")) == (text, "utf-8")


@given(st.binary())
def test_any_bytes_are_text_or_none(data):
    found = decoded(data)
    assert found is None or isinstance(found[0], str)


@given(st.text(), st.integers(0, 9))
def test_a_text_that_goes_on_may_end_within_a_character(text, cut):
    data = text.encode("utf-8-sig")
    assert decoded(data[: max(3, len(data) - cut)], is_whole=False)[1] == "utf-8"


@pytest.mark.parametrize(
    "content",
    [b"\x00\x01", b"%PDF-1.4\n\xe2\xe3\xcf\xd3\x05\x0e", b"PK\x03\x04\xff", bytes(range(256)), b"\x7fELF\x02\x01"],
)
def test_what_is_no_text_is_an_error(file, content):
    with pytest.raises(UsageError, match=r"notes\.txt holds no text; only text can be sent"):
        from_file(file(content))


def test_a_picture_is_an_error_that_names_the_option(file):
    with pytest.raises(UsageError, match=r"it is a picture: --image a\.png"):
        from_file(file(b"\x89PNG\r\n\x1a\n\x00", "a.png"))


def test_what_is_not_there_is_an_error(tmp_path, file):
    file("x", "data.csv")
    with pytest.raises(UsageError, match=r"there is no file .*dta.csv; did you mean .*data.csv\?"):
        from_file(tmp_path / "dta.csv")
    with pytest.raises(UsageError, match="there is no file nowhere/at/all; --file takes a text file"):
        from_file("nowhere/at/all")
    with pytest.raises(UsageError, match="is a folder"):
        from_file(tmp_path)
    for odd in ("a\0b", "x" * 5000, "~nobody-of-that-name/x"):
        with pytest.raises(UsageError, match=r"there is no file|can't be read"):
            from_file(odd)
    with pytest.raises(UsageError, match="no ordinary file"):
        from_file(os.devnull)


def test_the_users_own_folder_has_a_short_name(file, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    file("x")
    assert from_file("~/notes.txt").text == "File notes.txt:\n```\nx\n```"


def test_no_credential_goes_out(file):
    secret = Secret("sk-0123456789abcdef")
    material = from_file(file(f"KEY={secret.reveal()}"))
    assert "sk-0" not in material.text
    assert material.notes == ("a credential is left out",)


def test_no_credential_is_cut_in_two(file):
    secret = Secret("sk-0123456789abcdef")
    assert "sk-0" not in from_file(file("x" * (CHARACTERS - 8) + secret.reveal())).text


def test_a_notebook_is_its_cells_without_outputs(file):
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {"cell_type": "code", "source": "print('```')", "outputs": [{"output_type": "stream", "text": "NOISE"}]},
    ]
    notebook = {"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": cells}
    assert from_file(file(json.dumps(notebook), "work.ipynb")) == Material(
        "Notebook work.ipynb:\n\n# Title\ntext\n\n````python\nprint('```')\n````"
    )


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"cells": 5}', '{"cells": [{}]}', "[" * 100_000, '{"cells": [5]}']
)
def test_a_damaged_notebook_is_an_error(file, content):
    with pytest.raises(UsageError, match=r"work\.ipynb is no notebook"):
        from_file(file(content, "work.ipynb"))


def test_a_text_that_must_be_whole_may_not_be_too_long(file):
    assert text_of(file("short")) == "short"
    with pytest.raises(UsageError, match=r"notes\.txt is too long"):
        text_of(file("x" * (CHARACTERS + 1)))
