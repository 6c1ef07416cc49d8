"""Every snippet of the how-to pages runs, in English and in Russian: with the mock server, or a scripted one."""

import ast
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from .chatserver import chat_server, delta, events, say
from .optional import need

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
HOW_TO = sorted([*DOCS.glob("how-to/*.md"), *DOCS.glob("ru/how-to/*.md")])
NOT_RUN = ("dask.distributed", "google.colab", "%pip", "login", "get_config()", "restore", "docs]", "docs,", "docs.")
"""Parts of snippets that need a cluster, another machine, a person, a file of settings, or a server of tools, which
takes seconds to start: those are only compiled, and have tests of their own."""

pytestmark = pytest.mark.skipif(not HOW_TO, reason="the documents are not beside the tests")


@dataclass(frozen=True)
class Setting:
    """What a page presupposes."""

    before: str = ""
    """Python code: what the reader has at hand."""
    replies: str = "Adelie, Chinstrap, Gentoo."
    replace: tuple[tuple[str, str], ...] = ()


PENGUINS = """
import pandas
penguins = pandas.DataFrame({"species": ["Gentoo"], "body_mass_g": [5000]})
def mean_mass(species: str) -> float:
    "Mass."
    return 5.0
"""
SERVER = json.dumps([sys.executable, str(ROOT / "notebooks" / "penguin_server.py")])
SETTINGS = {
    "await-replies": Setting(
        """
import contextlib
class Response:
    async def text(self):
        return "rain"
class session:
    @contextlib.asynccontextmanager
    async def get(url):
        yield Response()
async def fetch(url):
    return "news"
""",
        replace=(("anthropic:claude-opus-5-5", "openai:other"),),
    ),
    "batches": Setting(
        'reviews = [{"text": "Fine."}, {"text": "Bad."}]\n'
        "from dataclasses import dataclass\nfrom typing import Literal\n"
        '@dataclass\nclass Label:\n    mood: Literal["good", "bad"]\n    score: int\n'
        'get_ipython().run_line_magic("lockbots", "use openai:gpt-6-luna")',
        replies='{"mood": "good", "score": 3}',
    ),
    "ci": Setting("def summary_of(path):\n    return 'penguin'\nimport pytest"),
    "log": Setting(
        "from traitlets.config import Config\nc = Config()\n"
        "import pathlib\npathlib.Path('talk.ipynb').write_text('{}')\n"
        "__vsc_ipynb_file__ = str(pathlib.Path('talk.ipynb').resolve())\n"
        "from lockbots_magic import Chat, Log\n"
        "get_ipython().run_line_magic('lockbots', 'log on')\n"
        "chat = Chat('openai:gpt-6-luna'); turn = chat.ask('confusion matrix')\n"
        "assert Log().search('confusion')",
    ),
    "mcp-servers": Setting(
        f"{PENGUINS}\nimport os, pathlib\nos.environ['WIKI_TOKEN'] = os.environ['DOCS_KEY'] = 'x'\n"
        'pathlib.Path(".mcp.json").write_text(\'{"mcpServers": {"mail": {"command": "mail"}}}\')\n'
        'get_ipython().run_line_magic("lockbots", "use openai:gpt-6-luna")',
        replace=(('"npx -y @scope/server-docs"', SERVER), ("server.run()", ""), (', cwd="~/manuals"', "")),
    ),
    "tools": Setting(
        f"{PENGUINS}\nfrom lockbots_magic import Chat\nchat = Chat('openai:gpt-6-luna')\n"
        "def remove(path: str) -> str:\n    'Remove.'\n    return ''\n"
    ),
}


def snippets(page):
    """Return the blocks of code in the order of the page: language and text."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def is_cell(language, code):
    return language == "python" or (not language and code.startswith("%"))


@pytest.mark.parametrize("page", HOW_TO, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
@pytest.mark.skipif(sys.version_info < (3, 11), reason="a page uses asyncio.timeout")
def test_every_snippet_of_a_page_runs(page, run, shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if page.stem == "mcp-servers":
        need("mcp")
    setting = SETTINGS.get(page.stem, Setting())
    with chat_server(lambda number, body: answer(body, setting.replies)) as (url, _):
        for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST", "AZURE_OPENAI_ENDPOINT"):
            monkeypatch.setenv(name, url.removesuffix("/v1") if name == "OLLAMA_HOST" else url)
        for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "GATEWAY_KEY"):
            monkeypatch.setenv(name, "mock")
        if setting.before:
            run(setting.before).result.raise_error()
        turn = shell.user_ns.get("turn")
        known = (*setting.replace, *addresses(url), *([("3f9c2a71b0", turn.id)] if turn else []))
        for language, code in snippets(page):
            if is_cell(language, code):
                runnable = code
                for old, new in known:
                    runnable = runnable.replace(old, new)
                execute(runnable, run, shell)


def answer(body, text):
    """Say `text`; call the function about penguins first."""
    message = body["messages"][-1]
    if "tools" in body and message["role"] == "user" and "Gentoo" in str(message["content"]):
        function = {"name": "mean_mass", "arguments": '{"species": "Gentoo"}'}
        call = {"index": 0, "id": "c1", "type": "function", "function": function}
        return events(delta(tool_calls=[call]), delta("tool_calls"))
    return say(text)


def addresses(url):
    yield "http://localhost:11434/v1", url
    yield "https://gateway.example/v1", url
    yield '"https://NAME.openai.azure.com?api-version=2024-10-21"', url


def execute(code, run, shell):
    if any(part in code for part in NOT_RUN):
        compile(shell.transform_cell(code), "snippet", "exec")
        return
    cell = run(code)
    assert cell.error is None, f"{code}\n{cell.stderr}"


def test_russian_pages_have_the_same_snippets_in_the_same_order():
    for page in HOW_TO:
        if page.parent.parent.name != "ru":
            continue
        own, other = snippets(page), snippets(DOCS / "how-to" / page.name)
        assert [language for language, _ in own] == [language for language, _ in other], page.name
        for (_, mine), (language, theirs) in zip(own, other, strict=True):
            if language in ("python", "bash", "yaml", ""):
                assert commands(mine) == commands(theirs), page.name


def commands(code):
    """Return the lines of code with what may differ between languages removed: comments, texts and prompts."""
    bare = re.sub(r"#.*|\"[^\"\n]*\"|'[^'\n]*'|^\s*(?=[^%\n]*$)(?![\w.]+ *[=(\[]).*", "", code, flags=re.MULTILINE)
    return re.findall(r"^\s*%.*|[\w.]+(?=\()", bare, re.MULTILINE)


@pytest.mark.parametrize(("page", "notebook"), [("tutorial.md", "02_analysis"), ("ru/tutorial.md", "02_analysis_ru")])
def test_the_tutorial_makes_the_analysis_of_its_notebook(page, notebook):
    """The notebook runs in a test of its own, with its recording; so does the tutorial, whose cells are the same."""
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = {normalised("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"}
    shown = [normalised(code) for language, code in snippets(DOCS / page) if language == "python"]
    lines = {line for source in sources for line in source.splitlines()}
    own = [code for code in shown if code not in sources and not set(code.splitlines()) <= lines]
    assert len(own) == 1, "only the first prompt, which the guide answers, is no cell of the notebook"
    assert [source for source in sources if source.startswith("%%chat") and source not in shown] == []


def normalised(code):
    """Return code as it is without its layout; magics as they are."""
    return code.strip() if re.search("^%", code, re.MULTILINE) else ast.unparse(ast.parse(code))
