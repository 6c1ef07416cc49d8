"""Clients of others understand the mock server, so it speaks the format and not our own reading of it."""

import json
import os
import subprocess
import sys

import pytest

from tests.optional import need

from . import snippets

OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}


def use(client, url, home):
    """Return what `client` made of the server at `url`; nothing of this user's settings is read or written."""
    command = [sys.executable, snippets.__file__, client, url]
    environment = {**os.environ, **OFFLINE, "HOME": str(home), "LLM_USER_PATH": str(home), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("client", snippets.CLIENTS)
def test_client_understands_the_mock_server(mock_server, client, tmp_path):
    need(client)
    got = use(client, mock_server.url("openai", auth="required"), tmp_path)
    expected = {
        "streamed": "hi there",
        "whole": "hi there",
        "usage": [3, 2],
        "call": ["tool_calls", '{"a": 1, "b": 2}'],
        "streamed call": '{"a": 1, "b": 2}',
        "result": "add returned 3.",
        "thinking": ["thinking", "tool_use", "Let me think. "],
        "tokens": 3,
        "models": ["demo", "gpt-4", "gpt-3.5-turbo"],
        "refused": "AuthenticationError",
        "responses streamed": "hi there",
        "responses whole": "hi there",
        "responses types": ["ResponseCreatedEvent", "ResponseCompletedEvent"],
        "responses end": ["completed", "hi there"],
        "responses usage": [3, 2],
        "responses call": ["function_call", "add", '{"a": 1, "b": 2}'],
        "responses streamed call": '{"a": 1, "b": 2}',
        "responses result": "add returned 3.",
        "responses refused": "BadRequestError",
    }
    assert {"streamed", "whole", "refused"} <= set(got)
    assert {name: value.strip() if isinstance(value, str) else value for name, value in got.items()} == {
        name: expected[name] for name in got
    }
