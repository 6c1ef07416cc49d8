"""A notebook that is executed again with its cassette is the same file, byte for byte."""

import re

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytestmark = pytest.mark.kernel

from tests.chatserver import chat_server, delta, events  # noqa: E402  # after the skips

CELLS = [
    "%lockbots clear",
    "%lockbots undo",
    "%%chat\nhello",
    "%chat --to text count to 5",
    "text",
    '%%chat --as json --to value\nsay {"a": [1, 2]}',
    "%chat --no-history hello",
    "%chat -m openai:stopped hello",
    "%chat -m openai:broken hello",
    "%chat -m openai:refused hello",
    "%chat -m openai:tool --tools weather What is the weather in Oslo?",
    "%lockbots undo",
    "%lockbots fork copy",
    "%chat in the copy",
    "%lockbots new other",
    "%chat in another",
    "%chat in another",
    "%lockbots clear",
    "%chat hello again",
    "%lockbots retry",
    "%lockbots delete other",
    "%chat -c third hello",
    "%lockbots compare openai:one openai:two -- hello",
    "%lockbots history",
    "%lockbots usage --all",
    "from lockbots_magic import Chat\nChat('openai:one', base_url='{url}', cassette='own.jsonl').ask('my own')",
]
"""Cells whose outputs depend on nothing but the cassette."""
SETUP = """
%load_ext lockbots_magic
%lockbots use openai:one --base-url {url}
def weather(city: str) -> str:
    'Return the weather of a city.'
    return f"sunny in {{city}}"
"""


def answer(_number, body):
    """Answer by the model's name, and by the prompt."""
    asked, model = body["messages"][-1], body["model"]
    if model == "tool" and asked["role"] != "tool":
        function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
        call = {"index": 0, "id": "c1", "type": "function", "function": function}
        return events(delta(tool_calls=[call]), delta("tool_calls"))
    if model == "broken":
        return events(delta(content="It was a dark"), {"error": {"message": "the server is down"}})
    if model == "refused":
        return "403 Forbidden", {"error": {"message": "not you"}}
    text = asked["content"].partition("say ")[2].partition("\n")[0] or f"You said: {asked['content']}"
    return events(
        delta(reasoning_content="Let me think."), delta(content=text), delta("length" if model == "stopped" else "stop")
    )


@pytest.fixture(scope="module")
def url():
    with chat_server(answer) as (address, _):
        yield address


def executed(folder, url, *cells):
    """Execute a notebook in a new kernel, as `jupyter nbconvert --execute` does, and return the file."""
    sources = (SETUP.format(url=url), *cells)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, id=f"cell{number}") for number, source in enumerate(sources)]
    )
    client = nbclient.NotebookClient(
        notebook,
        kernel_name="python3",
        record_timing=False,
        allow_errors=True,
        resources={"metadata": {"path": folder}},
    )
    client.execute()
    return nbformat.writes(notebook)


def differing(one, other):
    return [pair for pair in zip(one.splitlines(), other.splitlines(), strict=True) if pair[0] != pair[1]]


def cells(url, *, left_out="$^"):
    return [cell.replace("{url}", url) for cell in CELLS if not re.search(left_out, cell)]


def test_recording_a_notebook_and_replaying_it_are_the_same_file(tmp_path, url):
    sources = ("%lockbots record --missing talk.jsonl", *cells(url, left_out="broken|refused|stopped|usage"))
    recorded = executed(tmp_path, url, *sources)  # failures are sent again; `usage` tells what was replayed
    assert "sunny in Oslo" in recorded  # the cells do what they are for
    assert "You said: hello" in recorded
    assert recorded.count('"version": 1') > 12
    assert differing(recorded, executed(tmp_path, url, *sources)) == []


def test_every_replay_is_the_same_with_errors_and_without_some_answers(tmp_path, url):
    told = ("%lockbots new told", "%chat hello", "%chat hello again")
    executed(tmp_path, url, "%lockbots record talk.jsonl", *cells(url), *told)
    new, hello, again = told
    missing = (new, "%chat never recorded", hello, "%chat nor this", again)
    from_the_start = ("%lockbots replay talk.jsonl", "%chat --no-history hello")
    replay = ("%lockbots replay talk.jsonl", *cells(url), *missing, *from_the_start, *from_the_start)
    one, other = (executed(tmp_path, url, *replay) for _ in range(2))
    assert "not you" in one
    assert "the server is down" in one
    assert one.count('"ename": "NotRecordedError"') == 2
    assert "has no answer to this request" in one
    assert differing(one, other) == []


def test_an_answer_that_is_not_recorded_is_told_in_its_cell(tmp_path, url):
    full = (
        "import resource, signal, warnings; warnings.filterwarnings('ignore')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))"
    )
    prompts = ("%%chat\none", "%chat two", "%chat --no-history three")
    sources = ("%lockbots record talk.jsonl", full, *prompts, "%lockbots status")
    *_, one, two, three, status = nbformat.reads(executed(tmp_path, url, *sources), 4).cells
    for cell in (one, two, three):
        printed = "".join(output.get("text", "") for output in cell.outputs)
        assert printed == "This reply was not recorded in talk.jsonl: File too large\n"
        assert "not recorded" not in str([output.get("data") for output in cell.outputs])  # told once
    assert "3 not recorded" in str(status.outputs)
    assert (tmp_path / "talk.jsonl").read_bytes().count(b"\n") == 1  # no torn line
