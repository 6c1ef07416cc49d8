"""Contract of all dialects: the same conversation gives the same turn, whatever the format of the request."""

import copy
import pickle

import pytest

from lockbots_magic.chat import Chat
from lockbots_magic.errors import UsageError
from lockbots_magic.providers.dialects import DIALECTS, find_dialect
from lockbots_magic.providers.openai_compatible import OpenAICompatible
from lockbots_magic.providers.presets import presets


@pytest.fixture(params=DIALECTS)
def dialect(request):
    return find_dialect(request.param)


def test_a_dialect_declares_what_requests_need(dialect):
    assert dialect.path.startswith("/")
    assert {"temperature", "max_tokens", "reasoning_effort", "extra_body"} <= {*dialect.parameters}
    assert not {*dialect.parameters} & {*dialect.lacks}
    assert {*dialect.fields} <= {*dialect.parameters}


def test_the_dialect_is_chosen_by_name(dialect):
    provider = Chat("vllm:m", dialect=dialect.name).provider
    assert isinstance(provider, OpenAICompatible)
    assert provider.dialect.name == dialect.name
    assert provider.chat_endpoint(provider.model_info("m")) == f"http://localhost:8000/v1{dialect.path}"
    for copied in (copy.copy(provider), copy.deepcopy(provider), pickle.loads(pickle.dumps(provider))):
        assert (copied.dialect.name, {*copied.parameters}) == (dialect.name, {*provider.parameters})


def test_an_unknown_dialect_is_told_with_the_known_ones():
    with pytest.raises(UsageError, match=r"Unknown dialect 'chat_completion'. Did you mean 'chat-completions'\? Known"):
        Chat("openai:m", dialect="chat_completion")
    with pytest.raises(UsageError, match="Known dialects: chat-completions"):
        Chat("lockchat:gpt-4", dialect="messages")


def test_a_parameter_that_the_dialect_lacks_is_refused_with_what_it_has(dialect):
    for name in dialect.lacks:
        with pytest.raises(UsageError, match=f"has no parameter '{name}'.* It has: .*max_tokens"):
            presets.vllm(dialect=dialect.name).check_params({name: 1})
