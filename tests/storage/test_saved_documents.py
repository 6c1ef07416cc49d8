"""Documents of turns in files: notebooks, saved conversations, exports, imports, the log and the panel's transcript."""

import json

import pytest

from lockbots_magic.conversation.commits import CommittedTurn
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.documents import PDF, SentDocument
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.panel.protocol import turn_message
from lockbots_magic.panel.transcript import Transcript
from lockbots_magic.panel.transcript_metadata import MAX_IMAGES, TranscriptMetadata
from lockbots_magic.storage import output_metadata
from lockbots_magic.storage.export_cells import remarks_on
from lockbots_magic.storage.files import (
    export_conversation,
    import_conversations,
    load_conversation,
    remarks_on_file,
    save_conversation,
)
from lockbots_magic.storage.log.rows import make_record
from lockbots_magic.storage.output_metadata import KEY, metadata, parse_record

REPORT = SentDocument("report.pdf", PDF, "Sales rose.", "data:application/pdf;base64,JVBERi0x", 12)


def talk(*documents):
    turn = Turn("What is new?", "Much.", documents=documents or (REPORT,), provider="anthropic", model="m")
    return Conversation("talk", turns=[turn])


def record_of(conversation):
    entry = list(conversation.entries())[-1]
    return parse_record(json.loads(json.dumps(metadata(entry)[KEY]))).entry.turn


def test_a_saved_conversation_keeps_the_file_and_says_what_it_brings(tmp_path):
    path = save_conversation(talk(), tmp_path / "talk.json")
    loaded = load_conversation(path)
    assert loaded.turns[0].sent_documents == (REPORT,)
    (remark,) = remarks_on_file(loaded)
    assert 'these documents go along with later prompts: "report.pdf (12 pages, 1 kB)"' in remark


def test_a_file_that_is_no_document_is_told_and_its_text_alone_is_sent(tmp_path):
    hostile = SentDocument("keys", "text/plain", "told", "file:///home/me/.ssh/id_rsa")
    loaded = load_conversation(save_conversation(talk(hostile), tmp_path / "talk.json"))
    assert loaded.turns[0].messages[0].documents == (SentDocument("keys", "text/plain", "told"),)
    assert any("keys (its text)" in remark for remark in remarks_on_file(loaded))
    fake = SentDocument("x", "application/x-sh", "told", "data:application/x-sh;base64,AAAA")
    loaded = load_conversation(save_conversation(talk(fake), tmp_path / "fake.json"))
    assert any("are no documents that services take" in remark for remark in remarks_on_file(loaded))


def test_a_notebook_keeps_a_large_file_by_its_digest_and_its_text(monkeypatch):
    assert record_of(talk()).documents == (REPORT,)
    monkeypatch.setattr(output_metadata, "MAX_FILE_DATA", 10)
    (document,) = record_of(talk()).documents
    assert (document.text, document.url) == ("Sales rose.", REPORT.digest)
    assert document.digest == REPORT.digest  # so that a cassette finds the reply


def test_exports_name_the_document(tmp_path):
    conversation = talk()
    for name in ("talk.md", "talk.html"):
        text = export_conversation(conversation, tmp_path / name).path.read_text("utf-8")
        assert "report.pdf (12 pages" in text
        assert "JVBERi0x" not in text
    assert list(remarks_on(conversation.turns)) == ["1 document left out of the cells: name the files by `--file`."]


def test_messages_are_imported_with_their_documents(tmp_path):
    path = export_conversation(talk(), tmp_path / "talk.json").path
    (found,) = import_conversations(path).conversations
    (document,) = found.turns[0].sent_documents
    assert (document.name, document.url, document.text) == ("report.pdf", REPORT.url, "")
    part = {"type": "input_file", "filename": "a.pdf", "file_data": REPORT.url}
    path.write_text(json.dumps([{"role": "user", "content": [part, {"type": "input_text", "text": "Hi"}]}]))
    (found,) = import_conversations(path).conversations
    assert found.turns[0].documents[0].name == "a.pdf"
    no_pdf = {**part, "file_data": "data:a;base64,x"}
    for broken in ({"type": "file"}, {"type": "file", "file": {"file_id": "f"}}, no_pdf):
        path.write_text(json.dumps([{"role": "user", "content": [broken]}]))
        with pytest.raises(UsageError, match="message 1 holds a file that is not in it as a document"):
            import_conversations(path)


def test_the_log_keeps_name_and_digest():
    conversation = talk()
    entry = list(conversation.entries())[-1]
    record = make_record(CommittedTurn(conversation.turns[0], entry))
    (attachment,) = record.row["attachments"]
    assert attachment["name"] == "report.pdf"
    assert len(attachment["sha256"]) == 64
    assert "JVBERi0x" not in json.dumps(record.row)


def test_the_panel_names_the_document_and_saves_small_ones():
    conversation = talk()
    assert turn_message(conversation.turns[0])["notices"][0].startswith("with report.pdf (12 pages")
    assert "with report.pdf" in Transcript().render(conversation.turns)["text/html"]
    large = SentDocument("large.pdf", PDF, "told", "data:application/pdf;base64," + "A" * MAX_IMAGES, 1)
    for document, kept in ((REPORT, True), (large, False)):
        saved = TranscriptMetadata()
        conversation = talk(document)
        saved.add(conversation)
        text = json.dumps(saved.build([conversation]))
        assert document.name in text
        assert ("base64" in text) is kept
