"""Documents of a prompt: what stands for them, what a file may claim of them, and how many a service takes."""

import pytest

from lockbots_magic.conversation.documents import (
    DIGEST,
    MAX_NAME,
    MAX_PAGES,
    PDF,
    DocumentBudget,
    DocumentRules,
    SentDocument,
    checked_document,
    split_documents,
)

REPORT = SentDocument("report.pdf", PDF, "Sales rose.", f"data:{PDF};base64,JVBERi0x", pages=12)


def sized(size):
    return SentDocument("a.pdf", PDF, "", f"data:{PDF};base64,{'A' * (size * 4 // 3)}")


def test_label_tells_pages_and_size():
    assert REPORT.label == "report.pdf (12 pages, 1 kB)"
    assert SentDocument("a.txt", "text/plain", "x", pages=1).label == "a.txt (1 page, its text)"
    assert sized(1_200_000).label == "a.pdf (1.2 MB)"
    assert sized(30_000).label == "a.pdf (30 kB)"


def test_a_document_that_is_kept_without_its_file_has_the_same_digest():
    kept = REPORT.without_file()
    assert kept.url.startswith(DIGEST)
    assert (kept.digest, kept.has_file, kept.size) == (REPORT.digest, False, 0)
    assert kept.without_file() == kept
    assert SentDocument("a.txt", "text/plain", "x").digest != SentDocument("a.txt", "text/plain", "y").digest


def test_a_document_survives_json():
    for document in (REPORT, REPORT.without_file(), SentDocument("a.txt", "text/plain", "x")):
        assert SentDocument.from_dict(document.to_dict()) == document
    assert len(SentDocument.from_dict({"name": "n" * 1000}).name) == MAX_NAME


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("report.pdf", "must be an object"),
        ({"name": 7}, "is malformed"),
        ({"name": "a", "pages": True}, "pages of a document can't be True"),
        ({"name": "a", "pages": MAX_PAGES + 1}, "pages of a document can't be"),
    ],
)
def test_what_is_no_document_in_a_file_is_refused(data, said):
    with pytest.raises(ValueError, match=said):
        SentDocument.from_dict(data)


def test_a_file_brings_only_files_of_the_types_that_services_take():
    assert checked_document(REPORT) is REPORT
    assert checked_document(REPORT.without_file()) == REPORT.without_file()
    for url in (
        "file:///etc/passwd",
        "https://a.example/x.pdf",
        f"data:{PDF};base64,a b",
        "data:text/html;base64,AAAA",
    ):
        assert checked_document(SentDocument("a.pdf", PDF, "text", url)) == SentDocument("a.pdf", PDF, "text")


def test_a_document_for_which_there_is_no_room_goes_as_its_text():
    rules = DocumentRules(frozenset({PDF}), max_data=3 * len(REPORT.url) - 1, max_pages=100)
    kept, text = split_documents([REPORT, REPORT, REPORT], DocumentBudget(rules), rules)
    assert (len(kept), text) == (2, "Document report.pdf:\n\nSales rose.")
    picture = ["data:image/png;base64," + "A" * len(REPORT.url)]
    assert len(split_documents([REPORT] * 3, DocumentBudget(rules, picture), rules)[0]) == 1
    budget = DocumentBudget(rules)
    assert [budget.add(REPORT), budget.add(REPORT)] == ["", ""]
    assert budget.add(REPORT) == "the service takes at most 0 MB of files with one request"


def test_pages_of_all_documents_together_are_bounded():
    rules = DocumentRules(frozenset({PDF}), max_data=1_000_000, max_pages=20)
    budget = DocumentBudget(rules)
    assert [budget.add(REPORT), budget.add(REPORT)] == ["", "the service takes at most 20 pages with one request"]
    assert split_documents([REPORT, REPORT], DocumentBudget(rules), rules)[0] == (REPORT,)


def test_text_with_a_title_is_a_part_only_where_a_service_takes_it():
    note = SentDocument("a.txt", "text/plain", "x")
    assert DocumentRules(takes_text=True).takes(note)
    assert not DocumentRules(takes_text=True).takes(SentDocument("a.txt", "text/plain"))
    assert not DocumentRules(frozenset({PDF})).takes(note)
