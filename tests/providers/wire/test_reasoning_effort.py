"""`reasoning_effort` means the same with every service."""

from __future__ import annotations

import json

import pytest

from lockbots_magic import Chat, UsageError
from lockbots_magic.providers.presets import PRESETS
from lockbots_magic.providers.wire.reasoning_effort import encode_effort
from tests.chatserver import chat_server, say


def test_none_is_sent_as_text_or_as_the_switch_of_the_service():
    assert encode_effort("none", "openai") == {"reasoning_effort": "none"}
    assert encode_effort("none", "deepseek") == {"thinking": {"type": "disabled"}}
    assert encode_effort("none", "template")["chat_template_kwargs"] == {"enable_thinking": False}
    assert encode_effort("high", "deepseek") == {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}
    assert encode_effort("high", "template") == {"reasoning_effort": "high"}
    assert encode_effort(None, "deepseek") == {}
    with pytest.raises(UsageError, match="must be text"):
        encode_effort(3, "openai")


def test_every_preset_is_told_to_reason_or_not_to():
    with chat_server(lambda number, body: say("ok")) as (url, bodies):
        for preset in PRESETS:
            chat = Chat(f"{preset.name}:m", base_url=url, auth="test", dialect="chat-completions")
            for effort in ("none", "low", None):
                chat.ask("hi", reasoning_effort=effort)
            off, low, unset = (json.dumps({k: v for k, v in b.items() if k != "messages"}) for b in bodies[-3:])
            assert '"none"' in off or '"disabled"' in off
            assert '"reasoning_effort": "low"' in low
            assert "effort" not in unset
            assert "thinking" not in unset


def test_fields_of_the_user_take_precedence():
    with chat_server(lambda number, body: say("ok")) as (url, bodies):
        chat = Chat("deepseek:m", base_url=url, auth="test")
        chat.ask("hi", reasoning_effort="none", extra_body={"thinking": {"type": "enabled"}})
    assert bodies[0]["thinking"] == {"type": "enabled"}


def test_none_in_a_magic_is_text(run):
    with chat_server(lambda number, body: say("ok")) as (url, bodies):
        assert run(f"%%chat -m openai:m --base-url {url} -p reasoning_effort=none\nhi").error is None
    assert bodies[0]["reasoning_effort"] == "none"
