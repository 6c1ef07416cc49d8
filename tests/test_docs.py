"""The documents of the repository say what is true: paths exist, links lead somewhere, the worked example runs."""

import json
import re
import sys
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

import lockbots_magic
from lockbots_magic import Chat, providers
from lockbots_magic.errors import AuthenticationError, ProtocolError, RateLimitError

from .rawserver import RawServer

ROOT = Path(__file__).parents[1]
PACKAGE = Path(lockbots_magic.__file__).parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CREDENTIAL = "fake-credential-0123456789"
LINES = [b'{"text": "Hel"}\n', b'{"text": "lo"}\n', b'{"done": true}\n']

pytestmark = pytest.mark.skipif(not DOCUMENTS, reason="the documents are not beside the tests")


def read_document(name):
    return (ROOT / name).read_text(encoding="utf-8")


def names_of_paths(text):
    """Paths in backticks: what ends with a slash or a file's suffix."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\s]+)`", prose)
    return [span for span in spans if re.fullmatch(r"[\w./-]+(/|\.(py|md|toml|txt|json))", span)]


@pytest.mark.once
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_to_a_file(document):
    prose = re.sub(r"^(`{3,}).*?^\1", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose)
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("folder", ["how-to", "reference", "explanation", "ru"])
def test_every_page_is_linked_where_the_repository_is_browsed(folder):
    """A `toctree` is a block of code there."""
    index = ROOT / "docs" / folder / "index.md"
    links = re.findall(r"\]\(([^)#\s]+)", index.read_text(encoding="utf-8"))
    pages = {page.relative_to(index.parent).as_posix() for page in index.parent.rglob("*.md")} - {"index.md"}
    assert pages <= set(links)


@pytest.mark.once
@pytest.mark.parametrize(
    "name", ["CONTRIBUTING.md", "SECURITY.md", "docs/explanation/architecture.md", "docs/explanation/own-code.md"]
)
def test_every_path_in_the_text_exists(name):
    future = {"tests/providers/test_acme.py", "ipython_config.py"}
    named = {path for path in names_of_paths(read_document(name)) if not path.startswith("build/")} - future
    assert [
        path
        for path in sorted(named)
        if not any((root / path).exists() for root in (ROOT, PACKAGE, PACKAGE / "providers"))
    ] == []


def test_every_class_in_the_text_exists():
    text = read_document("docs/explanation/architecture.md") + read_document("SECURITY.md")
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]?\w+)(?:\.\w+(?:\(\))?)?`", text))
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert len(named) >= 8
    assert [name for name in sorted(named) if f"class {name}" not in sources] == []


def test_every_make_target_in_the_text_exists():
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"`make ([\w-]+)`", document.read_text(encoding="utf-8"))
    }
    defined = set(re.findall(r"^([\w-]+):", read_document("Makefile"), re.MULTILINE))
    assert named - defined == set()


def test_every_page_made_from_the_code_is_current():
    generate = pytest.importorskip("docs.generate", reason="the documents are not beside the tests")
    old = [path.name for path, text in generate.pages().items() if path.read_text(encoding="utf-8") != text]
    assert old == [], "run `make docs`"


def test_every_environment_variable_of_the_package_is_in_the_reference():
    generate = pytest.importorskip("docs.generate", reason="the documents are not beside the tests")
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert set(re.findall(r"\bLOCKBOTS_[A-Z_]*[A-Z]\b", sources)) - generate.VARIABLES.keys() == set()


def test_architecture_lists_every_room():
    text = read_document("docs/explanation/architecture.md")
    rooms = [path.name for path in PACKAGE.iterdir() if path.is_dir() and not path.name.startswith("__")]
    assert [room for room in rooms if f"`{room}/`" not in text] == []


@pytest.fixture
def acme(monkeypatch):
    """The provider of CONTRIBUTING.md, in the registry by the line that stands there."""
    source, line = re.findall(r"^```python\n(.*?)^```", read_document("CONTRIBUTING.md"), re.MULTILINE | re.DOTALL)
    name = "lockbots_magic.providers.acme"
    module = module_from_spec(spec_from_loader(name, loader=None))
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(source, "acme.py", "exec"), vars(module))  # the document is ours
    (registered,) = json.loads(f"{{{line.strip().rstrip(',')}}}").items()
    monkeypatch.setitem(providers._BUILT_IN, *registered)
    providers._load_plug_ins.cache_clear()
    yield module
    monkeypatch.undo()
    providers._load_plug_ins.cache_clear()


def answer_with(*pieces, status="200 OK"):
    def script(peer):
        if peer.request():
            peer.answer(b"".join(pieces), status)

    return RawServer(script)


def chat_at(server):
    return Chat("acme", base_url=server.url, auth=CREDENTIAL, max_retries=0)


def test_provider_of_the_contributing_guide_answers(acme):
    with answer_with(*LINES) as server:
        turn = chat_at(server).ask("Hi", temperature=0.5)
        (request,) = server.requests
    assert (turn.reply, turn.status, turn.model) == ("Hello", "complete", "acme-1")
    assert request.headers["x-acme-key"] == CREDENTIAL
    assert json.loads(request.body)["temperature"] == 0.5


def test_provider_of_the_contributing_guide_detects_a_cut_reply(acme):
    with answer_with(*LINES[:2]) as server:
        assert chat_at(server).ask("Hi").status == "truncated"


def test_provider_of_the_contributing_guide_reports_failures(acme):
    with answer_with(b"slow down", status="429 Too Many Requests") as server, pytest.raises(RateLimitError):
        chat_at(server).ask("Hi")
    with answer_with(b"<html>\n") as server, pytest.raises(ProtocolError, match="base URL"):
        chat_at(server).ask("Hi")
    with pytest.raises(AuthenticationError, match="ACME_API_KEY"):
        Chat("acme").ask("Hi")


def test_parser_of_the_contributing_guide_takes_bytes_cut_anywhere(acme):
    whole = b"".join(LINES)
    expected = list(acme.parse_lines([whole]))
    for at in range(len(whole)):
        assert list(acme.parse_lines([whole[:at], whole[at:]])) == expected
