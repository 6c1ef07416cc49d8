"""A notebook that replays starts no server, also where a cell or a prompt reads from one."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from lockbots_magic.notebook.extension import session_of

pytestmark = pytest.mark.once


@pytest.fixture
def shell():
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_line_magic("load_ext", "lockbots_magic")
    yield shell
    shell.run_line_magic("unload_ext", "lockbots_magic")


def run(shell, cell):
    with capture_output() as captured:
        shell.run_cell(cell).raise_error()
    return captured.stdout


def test_prompts_and_cells_read_from_the_cassette(shell, scripted, tmp_path, mock_server):
    contents = {"a://b": [{"uri": "a://b", "text": "the guide"}]}
    told = []
    for mode in ("record", "replay"):
        docs = scripted("echo", resources=contents) if mode == "record" else scripted("other", start="exit")
        shell.user_ns["docs"] = docs
        run(shell, f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
        run(shell, f"%lockbots {mode} {tmp_path / 'talk.jsonl'}")
        run(shell, "%lockbots clear")
        run(shell, '%%chat --tools docs --approve auto\ncall echo {"n": 7}')
        run(shell, '%%chat\nsay {{ docs["a://b"] }}')
        turns = session_of(shell).conversations.get().turns
        told.append([turns[0].calls[0].result, turns[1].reply, run(shell, "print(docs.tools)")])
        assert docs.is_running == (mode == "record")
    assert told[0] == told[1] == ['{"n": 7}', "the guide", "(echo(): Does echo.,)\n"]
