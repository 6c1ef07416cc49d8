"""Documents as files: one contract for all dialects, and what servers that refuse them get."""

import importlib
import json
from dataclasses import replace
from typing import Any

import pytest

from lockbots_magic.chat import Chat
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.documents import PDF, DocumentBudget, DocumentRules, SentDocument
from lockbots_magic.conversation.messages import Message
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import HTTPStatusError, NotRecordedError, UsageError
from lockbots_magic.prompt import document_files, documents
from lockbots_magic.prompt.documents import MissingLibraryError
from lockbots_magic.providers.dialects import DIALECTS, MESSAGES, RESPONSES
from lockbots_magic.providers.document_parts import REFUSAL
from lockbots_magic.providers.presets import presets
from lockbots_magic.security.secrets import Secret
from tests.optional import need
from tests.prompt.test_documents import write_pdf
from tests.providers.refusing_server import refusing

PARTS = {"chat-completions": "file", "responses": "input_file", "messages": "document"}


@pytest.fixture
def report(tmp_path):
    need("pypdf")
    return write_pdf(tmp_path / "report.pdf", "Sales rose.", "Costs fell.")


def chat_at(server, dialect, *, fault="", **settings):
    """Return a chat that sends documents as files: in chat completions only OpenAI's own address gets them unasked."""
    if dialect == "chat-completions":
        settings = {"send_documents": "native", **settings}
    url = server.url("openai", **({"fault": fault} if fault else {}))
    return Chat("openai:demo", base_url=url, auth="mock", dialect=dialect, max_retries=0, **settings)


def sent_parts(server):
    """Return the parts of all messages of the last request."""
    body = server.requests[-1].json
    contents = [one.get("content") for one in body.get("messages") or body["input"]]
    return [part for content in contents if isinstance(content, list) for part in content]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_pdf_goes_as_the_file_with_its_name_in_this_prompt_and_later_ones(mock_server, report, dialect, tmp_path):
    chat = chat_at(mock_server, dialect)
    turn = chat.ask("What is new?", documents=report)
    assert "I read report.pdf (" in turn.reply
    assert turn.prompt == "What is new?"
    (document,) = turn.documents
    assert (document.name, document.media_type, document.pages) == ("report.pdf", PDF, 2)
    assert document.text == "[page 1]\nSales rose.\n\n[page 2]\nCosts fell."
    (part,) = [part for part in sent_parts(mock_server) if part["type"] == PARTS[dialect]]
    data = document.url.partition(",")[2]
    assert part in (
        {"type": "file", "file": {"filename": "report.pdf", "file_data": document.url}},
        {"type": "input_file", "filename": "report.pdf", "file_data": document.url},
        {
            "type": "document",
            "title": "report.pdf",
            "source": {"type": "base64", "media_type": PDF, "data": data},
        },
    )
    assert sent_parts(mock_server)[0] == part  # before the question
    chat.ask("And then?")
    assert PARTS[dialect] in [part["type"] for part in sent_parts(mock_server)]
    assert "I read report.pdf (" in "".join(chat.redo(turn.id))
    saved = json.loads(json.dumps(chat.conversation.to_dict()))
    restored = Conversation.from_dict(saved)
    other = chat.with_conversation(restored)
    other.ask("And now?")
    assert PARTS[dialect] in [part["type"] for part in sent_parts(mock_server)]
    assert restored.turns[0].documents == (document,)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_server_that_refuses_files_gets_the_text_and_is_remembered(mock_server, report, dialect):
    chat = chat_at(mock_server, dialect, fault="no-documents")
    provider = chat.provider
    assert provider.list_models()  # the server does all else
    provider.send_documents = "auto"
    provider.takes_documents, provider._is_own_address = True, lambda: True  # as OpenAI's own, in chat completions
    reply = chat.stream("What is new?", documents=[report])
    notices = [delta.notice for delta in reply.deltas if delta.notice]
    assert notices == ["The server did not take the document as a file: its text was sent instead (report.pdf)."]
    assert "Sales rose." in json.dumps(mock_server.requests[-1].json)
    assert PARTS[dialect] not in [part["type"] for part in sent_parts(mock_server)]
    asked = len(mock_server.requests)
    assert chat.ask("And then?").status == "complete"
    assert len(mock_server.requests) == asked + 1  # it is not asked with the file again
    assert chat.conversation.turns[0].documents[0].has_file  # another service may take it


@pytest.mark.parametrize("dialect", DIALECTS)
def test_who_insists_on_files_gets_the_refusal_with_advice(mock_server, report, dialect):
    chat = chat_at(mock_server, dialect, fault="no-documents", send_documents="native")
    with pytest.raises(HTTPStatusError, match="To send the text of documents in place of the files: `send_documents`"):
        chat.ask("What is new?", documents=[report])
    with pytest.raises(UsageError, match=r"report.pdf can't be sent as a file: the file holds more than was chosen"):
        chat.ask("What is new?", documents=[f"{report}#2"])


def test_text_goes_where_files_are_not_known_to_be_taken_or_pages_are_chosen(mock_server, report):
    def text_of(chat, *documents):
        turn = chat.ask("What is new?", documents=documents)
        assert not turn.documents
        return turn.prompt

    whole = "Document report.pdf:\n\n[page 1]\nSales rose.\n\n[page 2]\nCosts fell.\n\nWhat is new?"
    url = mock_server.url("openai")
    for chat in (
        Chat("openai:demo", base_url=url, auth="mock"),
        Chat("ollama:demo", base_url=url, dialect=MESSAGES),
        Chat("openai:demo", base_url=url, auth="mock", dialect=RESPONSES, send_documents="text"),
        Chat(lambda prompt: "ok"),
    ):
        assert text_of(chat, report) == whole
    chosen = "Document report.pdf (2):\n\n[page 2]\nCosts fell.\n\nWhat is new?"
    assert text_of(chat_at(mock_server, MESSAGES), f"{report}#2") == chosen


def test_openai_itself_is_known_to_take_files_in_each_dialect():
    for dialect in DIALECTS:
        assert PDF in Chat("openai:m", dialect=dialect).provider.document_rules("m").media_types
    assert not Chat("groq:m").provider.document_rules("m").media_types
    assert (
        not Chat("openai:m", dialect="chat-completions", base_url="https://example.org/v1")
        .provider.document_rules("m")
        .media_types
    )


def test_a_document_that_is_no_pdf_goes_as_its_text_or_as_a_titled_text_if_the_user_insists(mock_server, tmp_path):
    page = tmp_path / "a.html"
    page.write_text("<p>Hello</p>")
    assert not chat_at(mock_server, MESSAGES).ask("What?", documents=page).documents
    chat_at(mock_server, MESSAGES, send_documents="native").ask("What?", documents=page)
    source = {"type": "text", "media_type": "text/plain", "data": "Hello"}
    assert sent_parts(mock_server)[0] == {"type": "document", "title": "a.html", "source": source}
    chat_at(mock_server, RESPONSES, send_documents="native").ask("What?", documents=page)
    assert sent_parts(mock_server)[0]["file_data"].startswith("data:text/html;base64,")
    with pytest.raises(UsageError, match=r"a.html can't be sent as a file: the service takes no such file"):
        chat_at(mock_server, "chat-completions").ask("What?", documents=page)


def test_a_file_that_is_no_document_joins_the_prompt(mock_server, tmp_path):
    notes = tmp_path / "notes.md"
    notes.write_text("hi")
    turn = chat_at(mock_server, MESSAGES).ask("What?", documents=[str(notes)])
    assert (turn.prompt, turn.documents) == ("File notes.md:\n```markdown\nhi\n```\n\nWhat?", ())


def test_a_credential_in_a_document_keeps_the_file_here(mock_server, tmp_path):
    need("pypdf")
    secret = Secret("sk-0123456789abcdef")
    path = write_pdf(tmp_path / "keys.pdf", f"KEY={secret.reveal()}")
    turn = chat_at(mock_server, MESSAGES).ask("What?", documents=path)
    assert not turn.documents
    assert secret.reveal() not in json.dumps(mock_server.requests[-1].json)
    assert "keys.pdf: its text was sent, without a credential that it holds" in turn.remarks


def test_a_credential_that_no_text_shows_keeps_the_file_here_too(mock_server, tmp_path, monkeypatch):
    need("pypdf")
    secret = Secret("sk-0123456789abcdef")
    monkeypatch.setattr(documents, "MAX_LENGTH", 20)
    long = write_pdf(tmp_path / "long.pdf", "word " * 9, "word " * 9, f"KEY={secret.reveal()}")
    page = tmp_path / "page.html"
    page.write_text(f"<p>Hello</p><!-- {secret.reveal()} -->")
    for dialect, path in ((MESSAGES, long), (RESPONSES, page)):
        turn = chat_at(mock_server, dialect, send_documents="native").ask("What?", documents=path)
        assert not turn.documents
        assert f"{path.name}: its text was sent, without a credential that it holds" in turn.remarks


def test_a_refusal_of_one_file_is_not_taken_for_one_of_all(tmp_path):
    need("pypdf")
    good = write_pdf(tmp_path / "good.pdf", "Sales rose.")
    bad = write_pdf(tmp_path / "bad.pdf", "Costs fell.", "And so on.")
    refusals = [
        "A maximum of 100 PDF pages may be provided.",
        "The PDF specified is password protected.",
        "messages.0.content.0.document.source.base64.data: The PDF specified was not valid.",
    ]

    def refuse(body):
        names = [part["file"]["filename"] for part in body["messages"][0]["content"] if part["type"] == "file"]
        return refusals[0] if "bad.pdf" in names else None

    while refusals:
        with refusing(refuse) as server:
            chat = Chat("openai:m", base_url=server.url, auth="k-123456789", dialect="chat-completions")
            provider: Any = chat.provider
            provider.takes_documents, provider._is_own_address = True, lambda: True
            for path, sent in ((bad, 2), (good, 3), (bad, 4)):  # what was refused once is sent as text at once
                chat.with_conversation(Conversation()).ask("What?", documents=path)
                assert len(server.bodies()) == sent
            assert server.bodies()[2]["messages"][0]["content"][0]["type"] == "file"
            assert provider.learned.all_adaptations() == ()
            assert "And so on." in server.bodies()[3]["messages"][0]["content"][0]["text"]
        refusals.pop(0)


def test_a_document_of_which_nothing_is_left_goes_as_a_line_of_text(mock_server):
    lost = SentDocument("a.pdf", PDF, url="sha256:0")
    turn = Turn("Read it.", "Done.", provider="openai", documents=(lost,))
    chat = chat_at(mock_server, MESSAGES).with_conversation(Conversation(turns=[turn]))
    assert chat.ask("And then?").status == "complete"
    assert "document" not in [part["type"] for part in sent_parts(mock_server)]


def test_without_the_library_that_reads_it_the_file_goes_alone(mock_server, report, monkeypatch):
    def fail(path):
        raise MissingLibraryError("Reading report.pdf needs pypdf")

    monkeypatch.setattr(document_files, "read_document", fail)
    turn = chat_at(mock_server, MESSAGES).ask("What?", documents=report)
    assert (turn.documents[0].text, turn.documents[0].pages) == ("", None)
    report.write_bytes(b"no PDF")
    with pytest.raises(UsageError, match=r"report.pdf is not a PDF"):
        chat_at(mock_server, MESSAGES).ask("What?", documents=report)


def test_what_exceeds_a_request_goes_as_text_the_oldest_first(mock_server, report, monkeypatch):
    chat = chat_at(mock_server, MESSAGES)
    size = len(chat.ask("One?", documents=report).documents[0].url)
    small = replace(chat.provider.dialect.documents, max_data=size + 10)
    monkeypatch.setattr(type(chat.provider.dialect), "documents", small)
    chat.ask("Two?", documents=report)
    kinds = [part["type"] for part in sent_parts(mock_server)]
    assert kinds.count("document") == 1
    assert "Sales rose." in json.dumps(mock_server.requests[-1].json)  # of the first turn
    assert len(chat.conversation.turns[0].documents) == 1
    monkeypatch.setattr(type(chat.provider.dialect), "documents", replace(small, max_pages=1))
    turn = chat.ask("Three?", documents=report)
    assert turn.remarks == (
        "report.pdf: its text was sent, because the service takes at most 1 pages with one request",
    )
    with pytest.raises(UsageError, match="takes at most 1 pages with one request"):
        chat_at(mock_server, MESSAGES, send_documents="native").ask("Four?", documents=report)


def test_images_count_toward_the_size_of_a_request():
    budget = DocumentBudget(DocumentRules(frozenset({PDF}), max_data=100), ["data:image/png;base64," + "A" * 70])
    assert budget.add(SentDocument("a.pdf", PDF, url="data:application/pdf;base64,AAAA"))


def test_a_cassette_holds_the_digest_and_finds_the_reply_by_it(mock_server, report, tmp_path):
    cassette = tmp_path / "talk.jsonl"
    first = chat_at(mock_server, MESSAGES, cassette=cassette, mode="record").ask("What?", documents=report)
    text = cassette.read_text()
    assert "JVBERi" not in text
    assert '"filename": "report.pdf", "file_data": "sha256:' in text
    replayed = chat_at(mock_server, MESSAGES, cassette=cassette, mode="replay").ask("What?", documents=report)
    assert replayed.reply == first.reply
    other = write_pdf(report, "Else.")
    with pytest.raises(NotRecordedError, match=r"document report.pdf: sha256"):
        chat_at(mock_server, MESSAGES, cassette=cassette, mode="replay").ask("What?", documents=other)


def test_what_a_file_brings_is_a_document_or_text():
    def turn_with(**fields):
        document = {"name": "a.pdf", "media_type": PDF, "text": "told", **fields}
        return Turn.from_dict({"prompt": "Hi", "reply": "Ho", "documents": [document]})

    (document,) = turn_with(url="data:application/pdf;base64,JVBERi0x").sent_documents
    assert document.has_file
    for url in (
        "/etc/passwd",
        "https://example.org/a.pdf",
        "data:application/pdf;base64,../x",
        "data:application/x-sh;base64,JVBE",
        "data:image/png;base64,JVBE",
    ):
        (document,) = turn_with(url=url).sent_documents
        assert (document.url, document.text) == ("", "told")
    for broken in ({"pages": -1}, {"pages": "2"}, {"text": 3}, {"name": None}):
        with pytest.raises(ValueError, match="document"):
            turn_with(**broken)
    with pytest.raises(ValueError, match="must be an object"):
        Turn.from_dict({"prompt": "Hi", "documents": ["a.pdf"]})


def test_words_of_servers_that_refuse_files_are_known():
    for words in (
        "messages.0.content.1.document.source.base64.media_type: Input should be 'application/pdf'",
        "'claude-3-haiku' does not support PDF input",
        "A maximum of 100 PDF pages may be provided.",
        "The PDF specified is password protected.",
        "Invalid content type. image_url is only supported by certain models.",
        "unsupported content[].type",
        "Unknown part type: file",
        "Expected 'text' field in all content parts",
        "data did not match any variant of untagged enum MessageContent",
    ):
        assert REFUSAL.search(words), words
    for words in ("Unknown parameter: 'seed'", "temperature must be at most 1", "tool_choice is not supported"):
        assert not REFUSAL.search(words), words


def test_messages_hold_documents_in_the_form_of_chat_apis():
    document = SentDocument("a.pdf", PDF, url="data:application/pdf;base64,JVBE")
    message = Message("user", "Hi", documents=(document,))
    assert Message.of(message.to_dict()) == message
    with pytest.raises(UsageError, match="does not take documents as files"):
        list(presets.ollama.create_completion("m", [message]))


def test_official_types_accept_the_requests(mock_server, report):
    need("openai")
    need("anthropic")
    openai, anthropic, pydantic = map(importlib.import_module, ("openai", "anthropic", "pydantic"))
    forms = {
        "chat-completions": openai.types.chat.chat_completion_content_part_param.File,
        "responses": openai.types.responses.ResponseInputFileParam,
        "messages": anthropic.types.DocumentBlockParam,
    }
    for dialect, form in forms.items():
        chat_at(mock_server, dialect).ask("What is new?", documents=report)
        part = sent_parts(mock_server)[0]
        assert pydantic.TypeAdapter(form).validate_python(part) == part  # a key that is unknown there would be gone


def test_a_server_that_seems_to_ignore_a_document_is_told(mock_server, tmp_path):
    need("pypdf")
    path = write_pdf(tmp_path / "long.pdf", *["word " * 1000] * 3)
    turn = chat_at(mock_server, MESSAGES).ask("What is new?", documents=path)  # the mock server counts the prompt alone
    (remark,) = turn.remarks
    assert "the text of long.pdf alone has about 37" in remark
    assert "`send_documents` = text" in remark
