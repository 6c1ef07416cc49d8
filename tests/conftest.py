"""Fixtures for all tests."""

import atexit
import gc
import os
import signal

import pytest

from lockbots_magic.testing.mock_server import MockServer
from tests.effort import load_profile

load_profile()

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # many tests interrupt themselves and their kernels

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_")


GROUPS = (
    ("tests/packaging/test_site.py", "site"),  # shares nothing
    *((f"tests/browser/test_{name}.py", "hostile") for name in ("hostile", "untrusted", "watcher")),
    ("tests/browser/", "browser"),
    ("tests/packaging/", "packaging"),
    ("tests/real/", "real"),
)
"""Start of a path -> group of tests that run in one process: they share a browser, the wheel, or a model server."""

LONGEST = (
    "tests/browser/",
    "tests/packaging/test_site.py",
    "tests/packaging/",
    "tests/real/",
    "tests/notebook/test_replayed_bytes.py",
    "tests/tools/mcp/test_session.py",
)
"""What takes longest, which therefore starts first: begun at the end, it would keep one process while others idle."""


def pytest_collection_modifyitems(items):
    """Put the longest files first, and leave all others as they are."""
    places = {start: place for place, start in enumerate(LONGEST)}
    items.sort(key=lambda item: next((p for start, p in places.items() if item.nodeid.startswith(start)), len(places)))


def pytest_collection_finish():
    """Keep modules and tests out of the garbage collector's sight: it would look at all of them again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `--dist loadfile`, keep the groups together, too (marks of groups need what pytest 9.2 no longer has)."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class GroupScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return next((group for start, group in GROUPS if nodeid.startswith(start)), super()._split_scope(nodeid))

    return GroupScheduling(config, log)


@pytest.fixture(scope="session")
def _mock_server_server():
    with MockServer() as box:
        yield box


@pytest.fixture
def mock_server(_mock_server_server):
    """The mock server, reset to its initial state."""
    _mock_server_server.forget()
    return _mock_server_server


@pytest.fixture(scope="session", autouse=True)
def _data_folder(tmp_path_factory):
    """Keep the user's data folder and language out of all tests, also of kernels that several tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):  # the tests expect English, whatever this machine speaks
            patch.delenv(name, raising=False)
        patch.setenv("LANG", "C.UTF-8")
        patch.setenv("LANGUAGE", "en")
        yield


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch):
    """Remove credentials, proxies, addresses and settings of this machine from the environment."""
    ends = ("_AUTH", "_API_KEY", "_PROXY", "_BASE_URL", "_API_BASE", "_ENDPOINT", "_HOST", "_API_VERSION")
    for name in os.environ:
        if name.upper().endswith(ends) or name.startswith((*CA_VARIABLES, "LOCKBOTS_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_log_of_another_test(monkeypatch):
    """Forget who logs turns: a shell of an earlier test may have its log on."""
    monkeypatch.setattr("lockbots_magic.conversation.commits._observers", ())


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch):
    """Remove pauses that exist for human readers: the guide's typing, and waits between small pieces."""
    monkeypatch.setattr("lockbots_magic.help.guide.DEFAULT_RATE", 100_000.0)
    monkeypatch.setattr("lockbots_magic.providers.http.exchange.COALESCE_PAUSE", 0.0001)


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """An IPython without a kernel, with the extension loaded; what cells print and display is captured by tests."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))  # no thread, no database
    shell.run_line_magic("load_ext", "lockbots_magic")
    yield shell
    with monkeypatch.context() as patch:  # it takes longer than most tests; what Python collects by itself suffices
        patch.setattr(gc, "collect", lambda: 0)
        shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)  # which would keep every shell of the process, to collect its garbage
    InteractiveShell.clear_instance()


class Cell:
    """Result of running a cell."""

    def __init__(self, shell, source, cell_id):
        from IPython.utils.capture import capture_output

        with capture_output() as captured:
            self.result = shell.run_cell(source, cell_id=cell_id)
        self.outputs, self.stdout, self.stderr = captured.outputs, captured.stdout, captured.stderr
        self.error = self.result.error_before_exec or self.result.error_in_exec

    @property
    def reply(self):
        (output,) = self.outputs
        return output.data["text/plain"]


@pytest.fixture
def run(shell):
    """Run a cell in `shell`."""
    return lambda source, cell_id=None: Cell(shell, source, cell_id)


@pytest.fixture
def lockbots(shell):
    """Run a line of `%lockbots` and return what it says; raises what it raises."""
    from IPython.utils.capture import capture_output

    def run(line):
        with capture_output() as captured:
            shell.run_line_magic("lockbots", line)
        return captured.stdout + "".join(o.data["text/plain"] for o in captured.outputs)

    return run


@pytest.fixture
def session(shell):
    """Return the session of the magics in `shell`."""
    from lockbots_magic.notebook.extension import session_of

    return session_of(shell)


@pytest.fixture
def openai(run, mock_server):
    """Use the model of the mock server."""
    assert run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}").error is None
    return mock_server
