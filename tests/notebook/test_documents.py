"""Documents of chat cells: as files where the service takes them, in cells, dry runs, retries and batches."""

import json

import pytest

from tests.optional import need
from tests.prompt.test_documents import write_pdf


@pytest.fixture
def report(tmp_path):
    need("pypdf")
    return write_pdf(tmp_path / "report.pdf", "Sales rose.", "Costs fell.")


@pytest.fixture
def messages_api(run, mock_server):
    """Use a service that speaks the dialect of Anthropic."""
    assert run(f"%lockbots use anthropic:demo --base-url {mock_server.url('openai')}").error is None
    assert run("%lockbots login anthropic mock") is not None
    return mock_server


def parts(server):
    content = server.requests[-1].json["messages"][0]["content"]
    return [part["type"] for part in content] if isinstance(content, list) else content


def test_a_cell_sends_a_pdf_as_the_file_and_chosen_pages_as_text(run, messages_api, report, session):
    assert run(f"%%chat --file {report}\nWhat is new?").error is None
    assert parts(messages_api) == ["document", "text"]
    (turn,) = session.conversations.get().turns
    assert turn.prompt == "What is new?"
    assert "I read report.pdf" in turn.reply
    assert run("%lockbots retry").error is None
    assert parts(messages_api) == ["document", "text"]
    assert session.conversations.get().turns[-1].documents == turn.documents
    run(f"%%chat --no-history --file {report}#2\nWhat is new?")
    assert parts(messages_api) == "Document report.pdf (2):\n\n[page 2]\nCosts fell.\n\nWhat is new?"


def test_the_option_and_the_setting_say_how_documents_are_sent(run, messages_api, report):
    assert run(f"%%chat --no-history --send-documents text --file {report}\nWhat is new?").error is None
    assert "Sales rose." in parts(messages_api)
    assert run("%lockbots set send_documents text").error is None
    assert run(f"%%chat --no-history --file {report}\nWhat is new?").error is None
    assert "Sales rose." in parts(messages_api)
    assert "send_documents must be one of auto, native, text" in str(run("%lockbots set send_documents pdf").error)
    error = run(f"%%chat -m liaobots:gpt-4 --send-documents native --file {report}\nWhat is new?").error
    assert "Unknown setting 'send_documents' of liaobots" in str(error)
    assert (
        "Sales rose." in run(f"%%chat -m liaobots:gpt-4 --send-documents text --dry-run --file {report}\nWhat?").reply
    )


def test_a_dry_run_names_the_document(run, messages_api, report):
    before = len(messages_api.requests)
    shown = run(f"%%chat --dry-run --file {report}\nWhat is new?").reply
    assert "    document: report.pdf (2 pages, 1 kB), application/pdf" in shown
    assert "1 document, about 2," in shown  # two pages and their text
    assert len(messages_api.requests) == before


def test_what_looks_like_a_secret_keeps_the_file_here(run, messages_api, tmp_path):
    need("pypdf")
    path = write_pdf(tmp_path / "keys.pdf", "token ghp_" + "Ab1" * 12)
    assert run(f"%%chat --file {path}\nWhat is it?").error is None
    sent = json.dumps(messages_api.requests[-1].json)
    assert "ghp_" not in sent
    assert "Document keys.pdf" in sent


def test_each_row_has_its_document(run, messages_api, report, shell):
    run(f"rows = [{{'file': {str(report)!r}, 'q': 'a'}}, {{'file': {str(report) + '#2'!r}, 'q': 'b'}}]")
    assert run("%%chat --each rows --file file --to found\nSee {{ q }}").error is None
    bodies = [one.json["messages"][0]["content"] for one in messages_api.requests[-2:]]
    assert sorted(type(body).__name__ for body in bodies) == ["list", "str"]
    error = run("import lockbots_magic as l; l.Chat(lambda prompt: prompt).map('x', [1], documents=['a.pdf'])").error
    assert "Name documents by `files`" in str(error)
