"""`--file` with loaders: the registry, git, and what a cell tells."""

import subprocess
from importlib.metadata import EntryPoint

import pytest

from lockbots_magic import Log, UsageError
from lockbots_magic.notebook.completion.cell import complete_cell
from lockbots_magic.notebook.completion.sources import Sources
from lockbots_magic.notebook.session import Session
from lockbots_magic.prompt import loaders
from lockbots_magic.storage.log.writer import writer_of


def load(text):
    return loaders.load_part(*loaders.split_name(text))


@pytest.fixture
def plug_in(monkeypatch):
    """Register a function as the loader ``wiki``."""

    def register(function):
        monkeypatch.setitem(globals(), "_function", function)
        entry = EntryPoint("wiki", f"{__name__}:_function", loaders.ENTRY_POINT_GROUP)
        monkeypatch.setattr(loaders, "entry_points", lambda group: [entry])

    return register


@pytest.fixture
def repository(tmp_path):
    """A repository with two commits of ``src/main.py``; the file is deleted in the working folder."""

    def git(*arguments):
        subprocess.run(["git", "-C", tmp_path, *arguments], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("config", "user.email", "a@example.org")
    git("config", "user.name", "A")
    (tmp_path / "src").mkdir()
    for text in ("first = 1\n", "second = 2\n"):
        (tmp_path / "src" / "main.py").write_text(text)
        (tmp_path / ".hidden@home").write_text("x")
        (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
        git("add", "-A")
        git("commit", "-q", "-m", "a commit")
    (tmp_path / "src" / "main.py").unlink()
    return tmp_path


def test_a_path_is_no_loader(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "git:x").write_text("a file of that name")
    for path in ("data.csv", "C:\\data.csv", "./git:y", "a b:c", ":x", "git:x", "1:2"):
        assert loaders.split_name(path) is None, path
    assert loaders.split_name("GIT:repo/x") == ("git", "repo/x")


def test_a_plug_in_is_one_function(plug_in):
    def load_wiki(argument):
        """Page of the wiki.

        More of it.
        """
        return f"About {argument}", f"Wiki page {argument}"

    plug_in(load_wiki)
    assert loaders.names()[-1] == "wiki"
    assert loaders.describe_loader("wiki") == "Page of the wiki."
    part = load("wiki:cells")
    assert part.text == "Wiki page cells:\n\nAbout cells"
    assert part.notes == ("Wiki page cells: 11 characters loaded",)


def test_what_a_plug_in_does_wrong_is_told(plug_in):
    for wrong, told in (
        (lambda argument: "text alone", "text and a title"),
        (lambda argument: (b"bytes", "title"), "text and a title"),
        (lambda argument: 1 / 0, "ZeroDivisionError"),
        ("no function", "must be a function"),
    ):
        plug_in(wrong)
        with pytest.raises(UsageError, match=told):
            load("wiki:x")


def test_a_long_text_is_cut_and_told(plug_in):
    plug_in(lambda argument: ("x" * 150_000, "Long\ntitle"))
    part = load("wiki:x")
    assert len(part.text) < 100_100
    assert part.notes == ("Long title: only the first 100,000 of 150,000 characters were sent",)


def test_an_unknown_loader_is_told_with_those_there_are():
    with pytest.raises(UsageError, match=r"Did you mean git:\?"):
        load("gti:x")
    with pytest.raises(UsageError, match="https:, http:, git:, log:"):
        load("somewhere:x")
    with pytest.raises(UsageError, match="needs something"):
        load("git:")


def test_git_reads_a_file_as_it_was(repository, monkeypatch):
    assert load(f"git:{repository}/src/main.py").text.endswith(":\n\n```python\nsecond = 2\n```")
    part = load(f"git:{repository}/src/main.py@HEAD~1")
    assert "```python\nfirst = 1\n```" in part.text
    assert part.text.startswith("File src/main.py at HEAD~1 (")
    monkeypatch.chdir(repository / "src")
    for text in ("git:main.py@main", "git:main.py@HEAD@{0}", "git:../src/main.py", "git:./main.py@@{0}"):
        assert "second" in load(text).text, text
    assert "x" in load(f"git:{repository}/.hidden@home@HEAD").text


def test_git_tells_what_is_not_there(repository, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for text, told in (
        (f"{repository}/src", "is a folder. It holds: main.py"),
        (f"{repository}", "It holds: .hidden@home, picture.png, src"),
        (f"{repository}/none.py", "no file 'none.py' in HEAD"),
        (f"{repository}/src/main.py@v9", "no revision 'v9'"),
        (f"{repository}/src/main.py@--output=x", "no revision"),
        (f"{repository}/src/main.py@\0", "no revision"),
        (f"{repository}/picture.png", "not a text file"),
        (f"{elsewhere}/main.py@HEAD", "no git repository"),
    ):
        with pytest.raises(UsageError) as caught:
            load(f"git:{text}")
        assert told in str(caught.value), text
    assert list(elsewhere.iterdir()) == []


def test_git_runs_nothing_of_the_repository(repository):
    trap = repository / "ran"
    (repository / ".gitattributes").write_text("*.py diff=trap filter=trap\n")
    for key in ("core.fsmonitor", "diff.trap.textconv", "filter.trap.smudge", "core.pager", "alias.cat-file"):
        subprocess.run(["git", "-C", repository, "config", key, f"touch {trap}; cat"], check=True)
    assert "second" in load(f"git:{repository}/src/main.py").text
    assert not trap.exists()


def test_a_cell_takes_files_and_loaders_together(run, openai, repository):
    (repository / "notes.txt").write_text("some notes")
    source = f"%%chat --file {repository}/notes.txt --file git:{repository}/src/main.py@HEAD~1\nCompare."
    cell = run(source)
    assert cell.error is None
    prompt = openai.requests[-1].json["messages"][-1]["content"]
    assert "some notes" in prompt
    assert "first = 1" in prompt
    assert "characters loaded" in cell.outputs[0].data["text/html"]


def test_loaders_are_listed_and_completed(run, tmp_path, monkeypatch):
    listed = run("%lockbots loaders").outputs[0].data["text/plain"]
    for name in ("https:", "git:", "log:"):
        assert name in listed
    (tmp_path / "gifts").mkdir()
    monkeypatch.chdir(tmp_path)
    sources = Sources(Session(), namespace={}, hidden=[], expressions=lambda code: (0, []))

    def complete(typed):
        return [candidate.text for candidate in complete_cell(typed, sources).candidates]

    assert complete("%%chat --file gi") == ["gifts/", "git:"]
    assert complete("%%chat --file ht") == ["https://", "http://"]
    assert complete("%%chat --file git:gi") == ["git:gifts/"]


def test_a_logged_conversation_is_loaded(run, openai, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    run("%lockbots log on")
    run("%%chat\nthe first question")
    (hit,) = Log().search("first")
    assert run(f"%%chat -c other --file log:{hit.id[:10]}\nGo on.").error is None
    prompt = openai.requests[-1].json["messages"][-1]["content"]
    assert prompt.startswith("Conversation main, from the log:")
    assert "the first question" in prompt
    run("%lockbots log off")
    writer_of().close()
