"""What a server is reached by: commands, URLs, references to the environment, and files of servers."""

import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic import MCP
from lockbots_magic.errors import CredentialWarning, UsageError
from lockbots_magic.security.redaction import redacted
from lockbots_magic.security.secrets import Secret
from lockbots_magic.tools.mcp.launch import make_name, read_launch


def launch(server, env=None, cwd=None, auth=None, headers=None):
    return read_launch(server, env, cwd, auth, headers)


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("npx -y @modelcontextprotocol/server-filesystem /data", "filesystem"),
        ("npx -y @scope/docs@1.2.3", "docs"),
        ("uvx mcp-server-git --repository /r", "git"),
        ("uvx arxiv-mcp-server", "arxiv"),
        ([sys.executable, "/home/me/penguin_server.py"], "penguin"),
        ("python -m my_server", "my"),
        ("docker run -i --rm -e KEY mcp/github", "github"),
        ("/usr/bin/weather", "weather"),
        ("npx -y fetch ./data /srv", "fetch"),
        ("npx", "server"),
        ("https://mcp.example.com/mcp", "example"),
        ("https://api.example.com/docs/mcp?key=1", "docs"),
        ("http://localhost:8000/mcp", "localhost"),
    ],
)
def test_name_is_taken_from_the_command_or_url(server, name):
    assert MCP(server).name.startswith(name)


@given(st.text())
def test_names_are_valid_whatever_they_come_from(text):
    name = make_name(text)
    assert name
    assert len(name) <= 32
    assert all(c.isascii() and (c.isalnum() or c in "_-") for c in name)


@pytest.mark.parametrize(
    ("server", "key"),
    [
        (["/opt/venv/bin/python3.12", "/home/me/a b/server.py", "--root=/srv/x"], "python server.py --root=x"),
        ("python server.py", "python server.py"),
        ("npx -y @scope/server ./data", "npx -y @scope/server ./data"),
        (["C:\\Python\\python.exe", "C:\\me\\server.py"], "python server.py"),
        (
            "run --api-key sk-0123456789abcdef0123 --token=abcdef --key $KEY",
            "run --api-key '***' '--token=***' --key '$KEY'",
        ),
        ("run postgres://me:hunter22@db.example/x", "run 'postgres://***@db.example/x'"),
        ("https://me:pass@host.example/mcp?key=abc#x", "https://host.example/mcp"),
    ],
)
def test_recorded_key_has_neither_folders_nor_credentials(server, key):
    docs = MCP(server)
    assert docs.recorded_key == key
    assert MCP(server, only=["a*", "b"]).recorded_key == f"{key} only a*, b"
    for secret in ("sk-0123456789abcdef0123", "abcdef", "hunter22", "pass@"):
        assert secret not in repr(docs)


@pytest.mark.parametrize(
    ("server", "options", "message"),
    [
        ("", {}, "is a command or a URL"),
        ("   ", {}, "is a command or a URL"),
        ([], {}, "is a command or a URL"),
        ('npx "open', {}, "can't be read"),
        (5, {}, "is a command, its words, or a URL, got int"),
        (["a", 5], {}, "got list"),
        ("a\0b", {}, "is a command or a URL"),
        ("https://", {}, "Invalid URL"),
        ("https://host:99999/mcp", {}, "Invalid URL"),
        ("https://a b/mcp", {}, "Invalid URL"),
        ("npx a", {"auth": "x"}, "auth and headers are for a URL"),
        ("npx a", {"headers": {}}, "auth and headers are for a URL"),
        ("npx a", {"env": ["A"]}, "env must be a dict of texts"),
        ("npx a", {"env": {"A": 1}}, "env must be a dict of texts"),
        ("npx a", {"env": {"A": "${input:key}"}}, r"holds \$\{input:key\}"),
        ("npx ${input:folder}", {}, "The command holds"),
        ("npx a", {"cwd": 5}, "cwd must be the path"),
        ("npx a", {"only": []}, "only must be patterns"),
        ("npx a", {"only": [5]}, "only must be patterns"),
        ("npx a", {"timeout": -1}, "timeout must be"),
        ("https://h/mcp", {"env": {}}, "env and cwd are for a command"),
        ("https://h/mcp", {"cwd": "."}, "env and cwd are for a command"),
    ],
)
def test_invalid_arguments_are_refused_at_once(server, options, message):
    with pytest.raises(UsageError, match=message):
        MCP(server, **options)


def test_values_are_read_from_the_environment_when_the_server_starts(monkeypatch):
    found = launch(
        ["run", "--root=${ROOT_DIR:-/data}", "$WORD", "a$"],
        {"API_KEY": "$MY_VALUE", "MODE": "x-${env:WORD}", "EMPTY": "${NONE:-}"},
    )
    with pytest.raises(
        UsageError, match="The command takes its value from the environment variable WORD, which is not"
    ):
        found.resolve()
    monkeypatch.setenv("WORD", "word")
    with pytest.raises(UsageError, match=r"Env\['API_KEY'\] takes its value from .* MY_VALUE, which is not set"):
        found.resolve()
    monkeypatch.setenv("MY_VALUE", "plain-looking-value")
    words, env, cwd = found.resolve()
    assert words == ["run", "--root=/data", "word", "a$"]
    assert (env, cwd) == ({"API_KEY": "plain-looking-value", "MODE": "x-word", "EMPTY": ""}, None)
    assert redacted("it is plain-looking-value") == "it is ***"  # by the name under which the server gets it
    assert redacted("word") == "word"


def test_credential_that_is_written_out_is_hidden_at_once():
    docs = MCP("npx server --auth-token as-an-argument-66", env={"DB_PASSWORD": "correct-horse-battery"})
    assert redacted("correct-horse-battery as-an-argument-66") == "*** ***"
    other = MCP(
        "https://host/mcp", auth="literal-token-77", headers={"X-Api-Key": "header-key-88", "X-Dept": "seven-seven"}
    )
    assert redacted("literal-token-77 header-key-88 seven-seven") == "*** *** seven-seven"
    assert not re.search("literal|argument-66", repr([docs, other, vars(docs), vars(other)]))


def test_headers_of_a_url_carry_the_credential(monkeypatch):
    monkeypatch.setenv("DOCS_TOKEN", "token-of-docs-1")
    for auth in ("$DOCS_TOKEN", "Bearer ${DOCS_TOKEN}", Secret("token-of-docs-1")):
        url, headers = launch("https://host/mcp", auth=auth, headers={"authorization": "old", "X-Dept": "7"}).resolve()
        assert url == "https://host/mcp"
        assert headers.secret["Authorization"].reveal() == "Bearer token-of-docs-1"
        assert headers.plain == {"X-Dept": "7"}
    with pytest.raises(UsageError, match="can't be set"):
        launch("https://host/mcp", headers={"Host": "other"}).resolve()


def test_unencrypted_credential_is_warned_of():
    with pytest.warns(CredentialWarning, match=r"mcp-plain\.example is sent unencrypted"):
        launch("http://mcp-plain.example/mcp", auth="token-of-docs-2").resolve()


FILES = {
    "claude": {
        "mcpServers": {
            "docs": {"command": "npx", "args": ["-y", "@scope/server"], "env": {"API_KEY": "${DOCS_KEY}"}},
            "web": {"type": "http", "url": "https://host.example/mcp", "headers": {"Authorization": "Bearer $WEB_KEY"}},
            "old": {"type": "sse", "url": "https://host.example/sse"},
            "bad": {"args": ["x"]},
            "worse": 5,
        }
    },
    "code": {"inputs": [], "servers": {"docs": {"command": "uvx", "args": ["docs"], "cwd": "/srv"}}},
    "settings": {"mcp": {"servers": {"docs": {"command": "docs"}}}},
}


@pytest.fixture
def file(tmp_path):
    def write(content, name="mcp.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return write


def test_files_of_other_clients_are_read(file):
    docs = MCP.from_file(file(FILES["claude"]), "docs", only=["search_*"], timeout=5)
    assert repr(docs) == "MCP(docs: npx -y @scope/server; not started)"
    assert docs.only == ("search_*",)
    web = MCP.from_file(str(file(FILES["claude"])), "web")
    assert (web.name, web.recorded_key) == ("web", "https://host.example/mcp")
    assert MCP.from_file(file(FILES["code"])).recorded_key == "uvx docs"
    assert MCP.from_file(file(FILES["settings"]), name="docs").recorded_key == "docs"


def test_comments_and_trailing_commas_are_read(file):
    servers = '"servers": { /* of\n mine */ "docs": {"command": "run", "args": ["a//b", ".*/*c", ",]"],}, },'
    text = f"\ufeff{{ // servers\n{servers}\n}}".encode()
    assert MCP.from_file(file(text)).recorded_key == "run a//b '.*/*c' ',]'"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (FILES["claude"], "nope", "has no server nope; it has: docs, web, old, bad, worse"),
        (FILES["claude"], None, "Name one of its servers: docs"),
        (FILES["claude"], "old", "no longer has"),
        (FILES["claude"], "bad", "must have `command`"),
        (FILES["claude"], "worse", "must be an object"),
        ({"mcpServers": {}}, None, "Name one of its servers: none"),
        ({"mcpServers": {"a": {"command": "x", "args": [1]}}}, "a", "must have `command`"),
        ({"mcpServers": {"a": {"command": "x", "env": {"A": 1}}}}, "a", "env must be a dict"),
        ({"other": {}}, None, "describes no MCP servers"),
        ([], None, "describes no MCP servers"),
        (b"no json", None, "is not JSON"),
        (b"[" * 100_000, None, "is not JSON"),
        (b"\xff\xfe", None, "is not JSON"),
        (b" " * 1_000_001, None, "too large"),
    ],
)
def test_file_that_describes_no_such_server_is_told(file, content, name, message):
    with pytest.raises(UsageError, match=message):
        MCP.from_file(file(content), name)


def test_file_that_can_not_be_read_is_told(tmp_path):
    for path in (tmp_path / "none.json", tmp_path, "/dev/zero"):
        with pytest.raises(UsageError, match="Can't read"):
            MCP.from_file(path)
