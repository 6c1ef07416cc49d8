"""Text files and notebooks in prompts."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.files import MAX_LENGTH, file_part, read_text
from lockbots_magic.prompt.local_files import decode_text
from lockbots_magic.prompt.part import PromptPart
from lockbots_magic.security.secrets import Secret


@pytest.fixture
def file(tmp_path):
    """Writes a file and returns its path."""

    def write(content, name="notes.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_file_becomes_its_name_and_a_fenced_block(file):
    assert file_part(file("a,b\n1,2\n", "data.csv")) == PromptPart("File data.csv:\n```csv\na,b\n1,2\n```")


@pytest.mark.parametrize(
    ("name", "language"),
    [("a.py", "python"), ("a.JSON", "json"), ("a.txt", ""), ("Makefile", ""), ("a.tar-gz", ""), ("a.md", "markdown")],
)
def test_language_follows_the_suffix(file, name, language):
    assert file_part(file("x", name)).text == f"File {name}:\n```{language}\nx\n```"


@pytest.mark.parametrize("inside", ["```", "````python\n````", "a ``````` b"])
def test_the_fence_is_longer_than_any_in_the_text(file, inside):
    first, fence, *middle, last = file_part(file(inside)).text.split("\n")
    assert "\n".join(middle) == inside
    assert fence == last == "`" * len(fence)
    assert fence not in inside
    assert first == "File notes.txt:"


def test_line_ends_are_newlines(file):
    assert file_part(file(b"a\r\nb\rc")).text == "File notes.txt:\n```\na\nb\nc\n```"


def test_long_file_is_truncated_with_a_note(file):
    part = file_part(file("é" * (MAX_LENGTH + 23_456)))
    assert part.text.count("é") == MAX_LENGTH
    assert "[… the file goes on]" in part.text
    assert part.notes == ("notes.txt: only the first 100,000 of 123,456 characters were sent",)


def test_only_the_beginning_of_a_huge_file_is_read(file, tmp_path):
    path = file("ab\n" * 200_000)
    with path.open("r+b") as opened:
        opened.truncate(10**12)  # a hole, which takes no room
    part = file_part(path)
    assert len(part.text) < MAX_LENGTH + 100
    assert part.notes == ("notes.txt: only the first 100,000 characters were sent",)


def test_read_limit_may_split_a_character(file):
    assert not [note for note in file_part(file("a" + "é" * 500_000)).notes if "UTF" in note]


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
    assert file_part(file(text.encode(encoding))) == PromptPart(f"File notes.txt:\n```\n{text}\n```")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Привет, мир"),
        ("cp1251", "x = compute(y)  # это важно для всех\n" * 3),
        ("cp1251", "ОТЧЁТ ЗА МАЙ"),
        ("cp1251", "Здравей, свят! Привіт, світе! Здраво, свете!"),
        ("cp1251", "город;цена\nМосква;1,5\nКазань;2"),
        ("koi8-r", "Привет, мир! Её любили в Unix."),
        ("koi8-r", "x = compute(y)  # это важно для всех\n" * 3),
        ("koi8-r", "город;цена\nМосква;1,5\nКазань;2"),
        ("cp866", "Привет, мир! Её любили в ДОС."),
        ("cp866", "ОТЧЁТ ЗА МАЙ"),
        ("cp866", "город;цена\nМосква;1,5\nКазань;2"),
        ("cp1252", "Ærø, æøå, ÆØÅ: naïve ñ ç"),
        ("cp1252", "Ein naïver Müller aß Käse für 5 €, “sagt man”"),
        ("cp1252", "déjà vu à la carte, où ça"),
        ("latin-1", "caf\xe9 \x81"),
    ],
)
def test_older_encodings_are_read_with_a_note(file, encoding, text):
    part = file_part(file(text.encode(encoding)))
    assert text.strip() in part.text
    assert part.notes == (f"notes.txt: read as {encoding} because it is not UTF-8",)


@given(st.text())
def test_any_unicode_text_is_read_as_itself(text):
    if "\0" not in text and decode_text(text.encode()) is not None:
        assert decode_text(text.removeprefix("\ufeff").encode()) == (text.removeprefix("\ufeff"), "utf-8")
    assert decode_text(text.encode("utf-8-sig")) == (text, "utf-8")


@given(st.binary())
def test_any_bytes_are_text_or_none(data):
    found = decode_text(data)
    assert found is None or isinstance(found[0], str)


@given(st.text(), st.integers(0, 9))
def test_incomplete_text_may_end_within_a_character(text, cut):
    data = text.encode("utf-8-sig")
    assert decode_text(data[: max(3, len(data) - cut)], is_whole=False)[1] == "utf-8"


@pytest.mark.parametrize(
    "content",
    [b"\x00\x01", b"%PDF-1.4\n\xe2\xe3\xcf\xd3\x05\x0e", b"PK\x03\x04\xff", bytes(range(256)), b"\x7fELF\x02\x01"],
)
def test_binary_file_is_an_error(file, content):
    with pytest.raises(UsageError, match=r"notes\.txt is not a text file\. Only text can be sent"):
        file_part(file(content))


def test_image_file_is_an_error_that_names_the_option(file):
    with pytest.raises(UsageError, match=r"It is an image: use `--image a\.png`"):
        file_part(file(b"\x89PNG\r\n\x1a\n\x00", "a.png"))


def test_missing_file_is_an_error(tmp_path, file):
    file("x", "data.csv")
    with pytest.raises(UsageError, match=r"File not found: .*dta\.csv\. Did you mean .*data\.csv\?"):
        file_part(tmp_path / "dta.csv")
    with pytest.raises(UsageError, match=r"File not found: nowhere/at/all\. `--file` takes a text file"):
        file_part("nowhere/at/all")
    with pytest.raises(UsageError, match="is a folder"):
        file_part(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError, match="link is a link to a file that does not exist"):
        file_part(tmp_path / "link")
    for odd in ("a\0b", "x" * 5000, "~nobody-of-that-name/x"):
        with pytest.raises(UsageError, match=r"File not found|Can't read"):
            file_part(odd)
    with pytest.raises(UsageError, match="not a regular file"):
        file_part(os.devnull)


def test_tilde_is_the_home_directory(file, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    file("x")
    assert file_part("~/notes.txt").text == "File notes.txt:\n```\nx\n```"


def test_credentials_are_removed(file):
    secret = Secret("sk-0123456789abcdef")
    part = file_part(file(f"KEY={secret.reveal()}"))
    assert "sk-0" not in part.text
    assert part.notes == ("a credential was removed",)


def test_truncation_never_splits_a_credential(file):
    secret = Secret("sk-0123456789abcdef")
    assert "sk-0" not in file_part(file("x" * (MAX_LENGTH - 8) + secret.reveal())).text


def test_notebook_becomes_its_cells_without_outputs(file):
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {"cell_type": "code", "source": "print('```')", "outputs": [{"output_type": "stream", "text": "NOISE"}]},
    ]
    notebook = {"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": cells}
    assert file_part(file(json.dumps(notebook), "work.ipynb")) == PromptPart(
        "Notebook work.ipynb:\n\n# Title\ntext\n\n````python\nprint('```')\n````"
    )


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"cells": 5}', '{"cells": [{}]}', "[" * 100_000, '{"cells": [5]}']
)
def test_a_damaged_notebook_is_an_error(file, content):
    with pytest.raises(UsageError, match=r"work\.ipynb is not a notebook"):
        file_part(file(content, "work.ipynb"))


def test_text_that_must_be_whole_is_limited(file):
    assert read_text(file("short")) == "short"
    with pytest.raises(UsageError, match=r"notes\.txt is too long"):
        read_text(file("x" * (MAX_LENGTH + 1)))
