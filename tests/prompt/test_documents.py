"""Documents for `--file`."""

import importlib
import logging
import sys
import zipfile
from datetime import datetime

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.documents import MAX_LENGTH, read_document, split_selection
from lockbots_magic.prompt.files import file_part


def need(name):
    return pytest.importorskip(name)


def write_pdf(path, *pages):
    """Write a PDF of one line of text a page."""
    streams = [b"BT /F1 12 Tf 72 700 Td (%b) Tj ET" % text.encode("ascii") for text in pages]
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(pages)))
    objects = [
        b"<</Type /Catalog /Pages 2 0 R>>",
        f"<</Type /Pages /Kids [{kids}] /Count {len(pages)}>>".encode(),
        b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
    ]
    for at, stream in enumerate(streams):
        objects.append(
            b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources <</Font <</F1 3 0 R>>>> /Contents %d 0 R>>"
            % (5 + 2 * at)
        )
        objects.append(b"<</Length %d>>stream\n%b\nendstream" % (len(stream), stream))
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    end = b"trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (count, len(data))
    path.write_bytes(data + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + end)
    return path


def write_book(path):
    openpyxl = need("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "Sales, all"
    for row in (["day", "amount"], [datetime(2024, 1, 2), 1234567890.55], [None, None], ["a|b", True]):
        book.active.append(row)
    book.create_sheet("Notes").append(["only this"])
    book.save(path)
    return path


def write_word(path):
    docx = need("docx")
    document = docx.Document()
    document.add_heading("Report", 1)
    document.add_paragraph("First paragraph.")
    document.add_paragraph("a point", style="List Bullet")
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "k", "v"
    document.add_paragraph("Last paragraph.")
    document.save(path)
    return path


def write_slides(path):
    pptx = need("pptx")
    show = pptx.Presentation()
    for number in (1, 2):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = f"Title {number}"
        slide.placeholders[1].text = f"Body {number}"
        slide.notes_slide.notes_text_frame.text = f"say {number}"
    table = slide.shapes.add_table(1, 2, 0, 0, 1000, 1000).table
    table.cell(0, 0).text = "cell"
    show.save(path)
    return path


def test_pages_of_a_pdf(tmp_path):
    need("pypdf")
    path = write_pdf(tmp_path / "report.pdf", *(f"text {n}" for n in range(1, 7)))
    part = file_part(path)
    assert part.text.startswith("Document report.pdf:\n\n[page 1]\ntext 1\n\n[page 2]\n")
    assert not part.notes
    chosen = file_part(f"{path}#2-3,6")
    assert chosen.text == ("Document report.pdf (2-3,6):\n\n[page 2]\ntext 2\n\n[page 3]\ntext 3\n\n[page 6]\ntext 6")
    assert file_part(f"{path}#5-").text.endswith("[page 6]\ntext 6")
    document = read_document(path, "2-3,6")
    assert (document.media_type, document.selection, document.pages) == ("application/pdf", "2-3,6", 6)


@pytest.mark.parametrize(("selection", "said"), [
    ("7", "There is no page 7: there are 6"), ("0", "There is no page 0"), ("5-3", "There is no page 5-3"),
    ("x", "Invalid pages 'x': expected numbers such as 3 or 3-5"), ("1,,2", "Invalid pages"),
    ("1" * 50, "Invalid pages"),
])  # fmt: skip
def test_pages_that_are_not_there_are_an_error(tmp_path, selection, said):
    need("pypdf")
    path = write_pdf(tmp_path / "report.pdf", *(f"text {n}" for n in range(1, 7)))
    with pytest.raises(UsageError, match=said):
        file_part(f"{path}#{selection}")


def test_page_without_text_is_told(tmp_path):
    need("pypdf")
    part = file_part(write_pdf(tmp_path / "scan.pdf", "", "text"))
    assert part.notes == ("scan.pdf: page 1: it has no text; if it is a scan, send it as an image",)


def test_encrypted_pdf_is_an_error(tmp_path):
    pypdf = need("pypdf")
    writer = pypdf.PdfWriter(clone_from=str(write_pdf(tmp_path / "a.pdf", "secret")))
    writer.encrypt("password", algorithm="RC4-128")
    writer.write(str(tmp_path / "b.pdf"))
    with pytest.raises(UsageError, match=r"b\.pdf is encrypted"):
        file_part(tmp_path / "b.pdf")


def test_long_pdf_is_bounded_with_a_note(tmp_path):
    need("pypdf")
    part = file_part(write_pdf(tmp_path / "long.pdf", *["x" * 40_000] * 20))
    assert len(part.text) < MAX_LENGTH + 200
    assert part.notes == (
        "long.pdf: only the first 100,000 characters of its text were sent",
        "long.pdf: page 4 and what follows were left out",
    )


def test_sheets_of_a_workbook(tmp_path):
    path = write_book(tmp_path / "book.xlsx")
    table = "| day | amount |\n| --- | --- |\n| 2024-01-02 | 1234567890.55 |\n| a\\|b | True |"
    assert file_part(path).text == (
        f"Document book.xlsx:\n\n[sheet Sales, all]\n{table}\n\n[sheet Notes]\n| only this |\n| --- |"
    )
    assert file_part(f"{path}#notes").text == "Document book.xlsx (notes):\n\n[sheet Notes]\n| only this |\n| --- |"
    assert "[sheet Sales, all]" in file_part(f"{path}#Sales, all").text
    with pytest.raises(UsageError, match=r"There is no sheet 'Nots'\. Sheets: Sales, all, Notes"):
        file_part(f"{path}#Nots")


def test_formula_without_a_value_is_sent_itself_and_told(tmp_path):
    openpyxl = need("openpyxl")
    book = openpyxl.Workbook()
    book.active.append([2, "=A1*2", openpyxl.worksheet.formula.ArrayFormula("C1", "=SUM(A1:A9)"), "'=text"])
    book.save(tmp_path / "a.xlsx")
    part = file_part(tmp_path / "a.xlsx")
    assert "| 2 | =A1*2 | =SUM(A1:A9) | '=text |" in part.text
    assert "formulas were sent where the file has no values" in part.notes[0]
    assert file_part(write_book(tmp_path / "book.xlsx")).notes == ()


def test_hidden_sheet_is_told(tmp_path):
    openpyxl = need("openpyxl")
    book = openpyxl.Workbook()
    book.create_sheet("Salaries").append(["x"])
    book["Salaries"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    assert file_part(tmp_path / "a.xlsx").notes == (
        "a.xlsx: sheet Salaries: it is hidden in Excel, and was sent as all sheets are",
    )
    assert file_part(f"{tmp_path / 'a.xlsx'}#Salaries").notes == ()


def test_long_sheet_is_bounded_with_a_note(tmp_path):
    openpyxl = need("openpyxl")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("long")
    for _ in range(300):
        sheet.append(["x" * 1000] * 2)
    book.save(tmp_path / "a.xlsx")
    part = file_part(tmp_path / "a.xlsx")
    assert "a.xlsx: sheet long: only its first 50 rows were sent" in part.notes


def test_word_document_is_markdown(tmp_path):
    path = write_word(tmp_path / "a.docx")
    assert file_part(path).text == (
        "Document a.docx:\n\n# Report\n\nFirst paragraph.\n\n- a point\n\n| k | v |\n| --- | --- |\n\nLast paragraph."
    )
    with pytest.raises(UsageError, match="No part can be chosen of a Word document"):
        file_part(f"{path}#3")


def test_slides_have_titles_tables_and_notes(tmp_path):
    path = write_slides(tmp_path / "a.pptx")
    text = file_part(f"{path}#2").text
    for line in ("[slide 2]\n# Title 2\n\nBody 2", "| cell |", "Speaker's notes: say 2"):
        assert line in text
    assert "Title 1" not in text


def test_html_page_is_its_text_with_a_note(tmp_path):
    (tmp_path / "a.html").write_text("<title>t</title><style>x</style><h1>Head</h1><p>Grüße</p>", encoding="utf-8")
    part = file_part(tmp_path / "a.html")
    assert part.text.endswith("# Head\n\nGrüße")
    assert "sends its source" in part.notes[0]


def test_parquet_file_is_the_ends_of_its_table(tmp_path):
    pa, parquet = need("pyarrow"), need("pyarrow.parquet")
    table = pa.table({"n": range(1000), "f": pa.array([0.1] * 1000, pa.float32())})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=300)
    part = file_part(tmp_path / "a.parquet")
    assert "Parquet table, 1,000 rows × 2 columns, of which the first 20 and last 20 rows" in part.text
    assert part.text.endswith("| 999 | 0.1 |")
    assert "only 40 of 1,000 rows were sent" in part.notes[0]
    for count in (0, 1, 30, 41):
        parquet.write_table(table.slice(0, count), tmp_path / "b.parquet")
        text = file_part(tmp_path / "b.parquet").text
        assert text.count("| 0.1 |") == min(count, 40)


@pytest.mark.parametrize(("name", "library", "package"), [
    ("a.pdf", "pypdf", "pypdf"), ("a.docx", "docx", "python-docx"), ("a.xlsx", "openpyxl", "openpyxl"),
    ("a.pptx", "pptx", "python-pptx"), ("a.parquet", "pyarrow.parquet", "pyarrow"),
])  # fmt: skip
def test_missing_library_is_an_error_that_names_the_extra(tmp_path, monkeypatch, name, library, package):
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=f"needs {package}: install the extra `documents`"):
        file_part(tmp_path / name)


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.xlsx", "a.pptx", "a.parquet"])
@pytest.mark.parametrize("data", [b"", b"nonsense", b"%PDF-1.4\n", b"PK\3\4 no archive", b"PAR1PAR1"])
def test_damaged_document_is_an_error(tmp_path, name, data):
    for library in ("pypdf", "docx", "openpyxl", "pptx", "pyarrow"):
        need(library)
    (tmp_path / name).write_bytes(data)
    for _again in range(2):
        with pytest.raises(UsageError, match=f"read {name}"):
            file_part(tmp_path / name)
    if name.endswith(".pdf"):
        (handler,) = logging.getLogger("pypdf").handlers
        assert isinstance(handler, logging.NullHandler), "else Python prints the reader's warnings"


@pytest.mark.parametrize("name", ["a.doc", "a.xls", "a.ppt", "a.odt", "a.rtf"])
def test_old_format_is_an_error_that_says_how_to_save(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match=r"old format .* Save it as"):
        file_part(tmp_path / name)


def test_archive_that_unpacks_to_very_much_is_refused(tmp_path):
    need("docx")
    with zipfile.ZipFile(tmp_path / "a.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"{number}.xml", bytes(100_000_000))
    with pytest.raises(UsageError, match=r"a\.docx is too large"):
        file_part(tmp_path / "a.docx")


def test_credential_in_a_document_is_removed(tmp_path):
    need("docx")
    from lockbots_magic.security.secrets import Secret

    secret = Secret("sk-1234567890abcdef")
    document = importlib.import_module("docx").Document()
    document.add_paragraph(f"key: {secret.reveal()}")
    document.save(tmp_path / "a.docx")
    part = file_part(tmp_path / "a.docx")
    assert "sk-1234567890abcdef" not in part.text
    assert "a credential was removed" in part.notes


def test_file_whose_name_holds_the_mark_is_found(tmp_path):
    path = tmp_path / "a.html#1.html"
    path.write_text("<p>x", encoding="utf-8")
    assert split_selection(path) == (path, "")
    assert split_selection("notes#1.txt") == ("notes#1.txt", "")
    assert read_document(path).text == "x"
