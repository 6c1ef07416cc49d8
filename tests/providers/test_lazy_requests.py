"""Nothing loads requests, which takes 90 ms, before the first request."""

import subprocess
import sys

LOADED = "sorted({name.partition('.')[0] for name in sys.modules} & {'requests', 'urllib3'})"


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True, check=True
    ).stdout


def test_importing_the_package_loads_no_requests():
    modules = ("errors", "chat", "providers.liaobots", "notebook.extension")
    assert run_python("".join(f"import lockbots_magic.{name}\nprint({name!r}, {LOADED})\n" for name in modules)) == (
        "".join(f"{name} []\n" for name in modules)
    )


def test_first_request_loads_urllib3_and_making_a_chat_does_not(mock_server):
    code = f"""
from lockbots_magic.chat import Chat
chat = Chat("openai:demo", base_url={mock_server.url("openai")!r})
print({LOADED})
print(chat.ask("say hello").reply)
print({LOADED})
"""
    assert run_python(code) == "[]\nhello\n['urllib3']\n"


def test_errors_are_those_of_requests_though_requests_is_imported_later():
    code = """
from lockbots_magic.errors import AuthenticationError, ConnectionFailed
assert "requests" not in sys.modules
kept = ConnectionFailed("refused")
import requests
for error, base in ((kept, requests.ConnectionError), (AuthenticationError("no"), requests.HTTPError)):
    try:
        raise error
    except base:
        print(type(error).__name__)
"""
    assert run_python(code) == "ConnectionFailed\nAuthenticationError\n"
