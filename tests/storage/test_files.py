"""Save and load, Markdown export, and what all formats share."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import ToolCall
from lockbots_magic.conversation.parts import simple_rounds
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.security.control_characters import printable
from lockbots_magic.security.secrets import Secret
from lockbots_magic.storage import export_common as turns
from lockbots_magic.storage import files
from lockbots_magic.storage.export_document import to_markdown
from tests.documents import DOCUMENT
from tests.effort import pick
from tests.hostile import FAMILIES, VECTORS
from tests.hostile.judge import faults_in
from tests.hostile.names import NAMES
from tests.hostile.policy import READ

SECRET = 'sk-planted"credential-7'


def turn(prompt="What?", reply="That.", **kwargs):
    return Turn(prompt, reply, **{"provider": "openai", "model": "gpt-4o", **kwargs})


def talk(*turns, **kwargs):
    return Conversation(kwargs.pop("name", "talk"), turns=turns or [turn()], **kwargs)


def said(conversation):
    return [(t.prompt, t.reply) for t in conversation.turns]


# What all forms have in common.


@pytest.mark.parametrize("ending", files.EXPORT_FORMATS)
def test_every_format_holds_text_in_any_script(tmp_path, ending):
    path = tmp_path / f"беседа 😀{ending}"
    written = files.export_conversation(talk(turn("Как дела?", "Хорошо 😀 世界")), path)
    text = path.read_text(encoding="utf-8")
    assert written == files.ExportResult(path, 1)
    assert "Как дела?" in text
    assert "Хорошо 😀 世界" in text


@pytest.mark.parametrize("ending", files.EXPORT_FORMATS)
def test_every_format_holds_lone_surrogates(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    files.export_conversation(talk(turn("half \ud83d", "a \udc00 character"), name="\ud800"), path)
    assert path.read_text(encoding="utf-8")


@pytest.mark.parametrize("ending", files.EXPORT_FORMATS)
def test_empty_conversation_can_be_written(tmp_path, ending):
    assert files.export_conversation(Conversation("empty"), tmp_path / f"a{ending}").turns == 0


@pytest.mark.once
@pytest.mark.parametrize("ending", files.EXPORT_FORMATS)
def test_long_conversation_is_written_completely(tmp_path, ending):
    count = pick(100, thorough=1000)
    path = tmp_path / f"a{ending}"
    written = files.export_conversation(talk(*[turn(f"question {n} of many", DOCUMENT) for n in range(count)]), path)
    assert written.turns == count
    text = path.read_text(encoding="utf-8")
    assert [n for n in range(count) if f"question {n} of many" not in text] == []


@pytest.mark.parametrize("ending", [*files.EXPORT_FORMATS, ".saved"])
def test_no_format_holds_a_credential(tmp_path, ending):
    secret = Secret(SECRET)
    params = {"header": {"x": [SECRET]}}
    call = ToolCall(f"call {SECRET}", f"f_{SECRET}", SECRET, f"the key is {SECRET}")
    conversation = talk(
        turn(f"my key is {SECRET}", f"so {SECRET} it is", params=params, system=SECRET, reasoning=SECRET),
        turn("again", "", status="error", error=f"HTTPStatusError: {SECRET}"),
        turn("look", "seen", calls=(call,), images=(f"https://pictures.example/?key={SECRET}",)),
        name=f"key {SECRET}",
    )
    path = tmp_path / f"a{ending}"
    (files.save_conversation if ending == ".saved" else files.export_conversation)(conversation, path)
    text = path.read_text(encoding="utf-8")
    assert "***" in text
    assert "planted" not in text
    assert secret.size() == len(SECRET)


def test_redacted_copy_keeps_its_types():
    class Names(list):
        """A list type that JSON accepts as a list."""

    secret = Secret(SECRET)
    params = {"stop": Names([SECRET]), "size": (1, SECRET)}
    conversation = talk(turn(calls=(ToolCall("1", "f", SECRET, SECRET),), images=(SECRET,), params=params))
    (clean,) = turns.without_secrets(conversation).turns
    assert clean.calls == (ToolCall("1", "f", "***", "***"),)
    assert isinstance(clean.calls[0], ToolCall)
    assert (clean.images, clean.params) == (("***",), {"stop": ["***"], "size": (1, "***")})
    assert secret.size() == len(SECRET)


@pytest.mark.parametrize("ending", files.EXPORT_FORMATS)
def test_no_format_holds_an_address_of_a_service(tmp_path, ending):
    error = "ConnectionFailed: the connection to intranet.example:8000 failed: refused"
    path = tmp_path / f"a{ending}"
    files.export_conversation(
        talk(turn(), turn("q", "", status="error", error=error), turn("q", "a", status="error")), path
    )
    assert "intranet" not in path.read_text(encoding="utf-8")


def test_existing_file_is_replaced_completely(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("x" * 10_000)
    files.export_conversation(talk(), path)
    assert "x" not in path.read_text()
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("ending", files.EXPORT_FORMATS)
def test_failed_write_is_one_error_and_keeps_the_old_file(tmp_path, ending, monkeypatch):
    path = tmp_path / f"a{ending}"
    path.write_text("old")

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(UsageError, match=r"can't be written: Permission denied"):
        files.export_conversation(talk(), path)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(os.name == "nt" or not os.geteuid(), reason="a folder that its owner can't write to")
def test_read_only_folder_is_one_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="can't be written"):
        files.export_conversation(talk(), tmp_path / "a.md")


def test_missing_folder_and_invalid_name_are_one_error(tmp_path):
    for path in (tmp_path / "none" / "a.md", tmp_path / ("a" * 300 + ".md"), tmp_path / "a\0.md"):
        with pytest.raises(UsageError, match="can't be written"):
            files.export_conversation(talk(), path)
        with pytest.raises(UsageError, match="Can't read"):
            files.import_conversations(path.with_suffix(".json"))


@pytest.mark.parametrize("name", ["talk", "talk.txt", ".md", "", "talk.md.bak", "~unknown-user/a.txt"])
def test_unknown_extension_is_an_error_that_lists_the_known_ones(name):
    with pytest.raises(UsageError, match=r"\.md .*\.html .*\.ipynb .*\.json"):
        files.export_conversation(talk(), name)
    with pytest.raises(UsageError, match=r"\.ipynb .*\.json"):
        files.import_conversations(name)


def test_tilde_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert files.export_conversation(talk(), "~/A.JSON").path == tmp_path / "A.JSON"
    assert said(files.import_conversations("~/A.JSON").conversations[0]) == [("What?", "That.")]


def test_unknown_home_directory_is_one_error():
    with pytest.raises(UsageError, match="home"):
        files.export_conversation(talk(), "~unknown-user/a.md")


# The toolkit's own.


def test_saved_conversation_is_loaded_unchanged(tmp_path):
    conversation = talk(
        turn("Вопрос 😀", DOCUMENT, params={"stop": ["a"]}, status="truncated", error="cut", elapsed=1.5, cell_id="c"),
        turn("q", "", status="error", error="RateLimitError: later", stale=True),
        system="Be brief.",
    )
    path = files.save_conversation(conversation, tmp_path / "a.json")
    for loaded in (files.load_conversation(path), *files.import_conversations(path).conversations):
        assert loaded.turns == conversation.turns
        assert (loaded.name, loaded.system, loaded.id) == (conversation.name, "Be brief.", conversation.id)


def test_lone_surrogate_is_saved_unchanged(tmp_path):
    path = files.save_conversation(talk(turn("half \ud83d")), tmp_path / "a.json")
    assert files.load_conversation(path).turns[0].prompt == "half \ud83d"


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_parameter_that_is_not_json_is_one_error(tmp_path, value):
    with pytest.raises(UsageError, match="parameter"):
        files.save_conversation(talk(turn(params={"x": value})), tmp_path / "a.json")
    assert not [*tmp_path.iterdir()]


def test_binary_file_is_one_error(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"\xff\xfe\x00")
    for reads in (files.load_conversation, files.import_conversations):
        with pytest.raises(UsageError, match=r"Can't read .*a\.json: it is not UTF-8 text"):
            reads(path)


def test_byte_order_mark_is_ignored(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"role": "user", "content": "q"}]', encoding="utf-8-sig")
    assert said(files.import_conversations(path).conversations[0]) == [("q", "")]


# Markdown.


def test_markdown_names_speakers_and_status():
    conversation = talk(
        turn("Why?", "# Because\n\n**it** is."),
        turn("And?", "so", status="truncated", error="cut short", stale=True),
        turn("More?", "", status="error", error="RateLimitError: too many at http://host.example"),
        turn("Who?", "", provider="", model=""),
        system="Be brief.",
        name="my talk",
    )
    assert to_markdown(conversation).split("\n\n") == [
        *("# my talk", "## System prompt", "Be brief."),
        *("## You", "Why?", "## openai:gpt-4o", "### Because", "**it** is."),
        *("## You", "And?", "## openai:gpt-4o", "so", "*cut short*", "*stale: an earlier turn has changed since*"),
        *("## You", "More?", "## openai:gpt-4o", "*no reply: RateLimitError*"),
        *("## You", "Who?", "## Assistant", "*the reply is empty*\n"),
    ]


def test_markdown_counts_images_below_their_prompt():
    text = to_markdown(
        talk(turn("Who?", "Me.", images=("data:image/png;base64,AA==", "https://evil.example/x.png")), turn())
    )
    assert "Who?\n\n*with 2 images*\n\n## openai:gpt-4o\n\nMe." in text
    assert text.count("*with") == 1
    assert "evil" not in text


def test_reply_cannot_imitate_other_speakers_in_markdown():
    text = to_markdown(talk(turn("q", "a\n\n## You\n\n# You\n\nYou\n---\n\n> # You")))
    assert text.count("\n## You\n") == 1
    assert "\n# You" not in text


def test_footnotes_of_two_replies_have_different_labels_in_markdown():
    text = to_markdown(talk(turn("q", "a[^1]\n\n[^1]: one thing"), turn("q", "b[^1]\n\n[^1]: another thing")))
    assert "a[^2-1]" in text
    assert "[^4-1]: another thing" in text


def read(text):
    """Return `text` as shown by a renderer that trusts it completely."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.validateLink = lambda _: True
    return reader.render(text)


@pytest.mark.once
@pytest.mark.parametrize("family", FAMILIES)
def test_markdown_is_inert(family):
    for text in (vector.text for vector in VECTORS if vector.family == family):
        conversation = talk(turn(text, text), turn(text, "harmless"), system=text)
        assert not faults_in(read(to_markdown(conversation)), READ)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text_in_markdown(name):
    with_calls = turn(calls=(ToolCall(name, name, name, name),), images=(name,))
    conversation = talk(
        *(turn(model=name), turn(provider=name), turn(status="truncated", error=name), with_calls), name=name
    )
    assert not faults_in(read(to_markdown(conversation)), READ)


# The commands.


def listed(*pairs):
    return [{"role": role, "content": content} for role, content in pairs]


def test_export_reports_what_was_written(lockbots, session, tmp_path):
    conversation = session.conversations.get()
    for n in range(3):
        conversation.commit(
            replace(turn(), rounds=simple_rounds("" if n else "a"), status="error" if n == 1 else "complete"),
            conversation.slot(),
        )
    assert lockbots(f"export {tmp_path / 'a.md'}") == f"Exported to {tmp_path / 'a.md'} (3 turns).\n"
    assert lockbots(f"export {tmp_path / 'a.json'}") == (
        f"Exported to {tmp_path / 'a.json'} (1 turn; 1 failed turn left out; 1 turn without a reply left out).\n"
    )


def test_export_and_import_without_a_file_list_the_formats(lockbots):
    for line in ("export", "import", "export a", "import a.md"):
        with pytest.raises(UsageError, match=r"\.ipynb \(notebook.*%%chat cells\)"):
            lockbots(line)
    assert "%lockbots save" in " ".join(lockbots("import -h").split())
    assert "(notebook of %%chat cells)" in " ".join(lockbots("export -h").split())


def test_imported_conversation_is_named_after_its_file_and_becomes_current(lockbots, session, tmp_path):
    path = tmp_path / "моя беседа.json"
    path.write_text(json.dumps(listed(("system", "Be brief."), ("user", "q"), ("assistant", "a"))))
    assert lockbots(f'import "{path}"') == (
        'Conversation моя беседа (1 turn).\n- "моя беседа" has a system prompt: "Be brief."\n'
    )
    lockbots(f'import "{path}"')
    assert session.conversations.current == "моя беседа-2"
    assert session.conversations.get().system == "Be brief."
    assert "q" in lockbots("history")


def test_import_reports_what_it_left_out(lockbots, tmp_path):
    path = tmp_path / "talk.json"
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    path.write_text(json.dumps(listed(("user", "Draw!"), ("assistant", [image]))))
    assert lockbots(f"import {path}") == (
        "Conversation talk (1 turn).\n- 1 image left out: only prompts can have images.\n"
    )


def test_saved_conversation_keeps_its_name_when_imported(lockbots, session, tmp_path):
    lockbots("new physics")
    lockbots(f"save {tmp_path / 'a.json'}")
    assert lockbots(f"import {tmp_path / 'a.json'}") == "Conversation physics-2 (0 turns).\n"


@pytest.mark.parametrize("command", ["export", "save"])
def test_export_does_not_replace_the_running_notebook(lockbots, session, tmp_path, command):
    path = tmp_path / "own.ipynb"
    path.write_text("mine")
    session.own_notebook = lambda: path
    with pytest.raises(UsageError, match="another file name"):
        lockbots(f"{command} {path}")
    assert path.read_text() == "mine"
    assert "1 turn" not in lockbots(f"export {tmp_path / 'other.ipynb'}")


def test_failed_import_changes_nothing(lockbots, session, tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[1]")
    with pytest.raises(UsageError, match=r"a\.json: message 1"):
        lockbots(f"import {path}")
    assert session.conversations.current == "main"
    assert not session.conversations.by_name


@pytest.mark.parametrize("ending", [*files.EXPORT_FORMATS, ".json saved"])
@pytest.mark.parametrize("parting", ["\0", "\x1b", "\x85", "\u202e", "\u2066", "\U000e0041", "&#8238;"])
def test_no_format_puts_a_parted_credential_together(tmp_path, ending, parting):
    key = "sk-planted+credential/7"
    secret, parted = Secret(key), f"{key[:9]}{parting}{key[9:]}"
    path = tmp_path / f"a{ending.split()[0]}"
    text = f"the key is {parted}, `{parted}`\n\n```python\nkey = '{parted}'\n```\n"
    conversation = talk(turn(text, text, model=parted), name=parted, system=text)
    (files.save_conversation if ending.endswith("saved") else files.export_conversation)(conversation, path)
    assert key not in printable(path.read_text(encoding="utf-8"))
    assert secret


@pytest.mark.parametrize("ending", [".md", ".html"])
def test_document_holds_no_credential_that_a_character_reference_completes(tmp_path, ending):
    secret, path = Secret("sk-planted-credential-7"), tmp_path / f"a{ending}"
    files.export_conversation(talk(turn("q", "the key is sk-planted&#45;credential-7.")), path)
    text = path.read_text(encoding="utf-8")
    assert "the key is ***." in text.replace("\\", "")
    assert "sk-planted" not in text
    assert secret
