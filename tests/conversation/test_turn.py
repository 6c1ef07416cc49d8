"""Turn: what its repr shows."""

import pytest

from lockbots_magic.conversation.turn import Turn
from lockbots_magic.security.secrets import Secret


def test_repr_shows_prompt_reply_model_and_status():
    assert repr(Turn("Hi", "Hello\n", model="m", provider="p")) == r"Turn('Hi', 'Hello\n', p:m, complete)"


@pytest.mark.parametrize("key", ["planted-credential-1", """it's-"a"-credential\\1"""])
@pytest.mark.parametrize("parting", ["", "\0", "\u202e", "\U000e0041"])
def test_repr_shows_no_credential(key, parting):
    secret, text = Secret(key), f"'{key[:7]}{parting}{key[7:]}' \""
    told = repr(Turn(text, text, model=text, provider=text, status="error", error=text))
    assert told.count("***") == 4
    assert "redential" not in told
    assert secret


def test_repr_steers_no_terminal_and_makes_no_link():
    told = repr(Turn("\x1b[2J", "file:///etc", model="m\x9b31m\u202e", provider="p"))
    assert told == r"Turn('\x1b[2J', 'file" + "\u2060" + ":///etc', p:m31m, complete)"
