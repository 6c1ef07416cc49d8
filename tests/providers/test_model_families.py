"""Names of models without a provider: which provider is meant."""

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.providers import split_model
from lockbots_magic.providers.model_families import suggest_model

MEANT = {
    "gpt-4o": "openai:gpt-4o",
    "GPT-5-mini": "openai:gpt-5-mini",
    "gpt4": "openai:gpt4",
    "o3-mini": "openai:o3-mini",
    "chatgpt": "openai",
    "claude": "anthropic",
    "claude-sonnet-5-5": "anthropic:claude-sonnet-5-5",
    "gemini-2.5-flash": "gemini:gemini-2.5-flash",
    "deepseek-reasoner": "deepseek:deepseek-reasoner",
    "mistral-small-latest": "mistral:mistral-small-latest",
    "llama3.2": "ollama:llama3.2",
    "qwen": "ollama",
    "meta-llama/llama-3-8b": "openrouter:meta-llama/llama-3-8b",
    "opnai:gpt-4o": "openai:gpt-4o",
    "olama": "ollama",
    "llamacp": "llamacpp",
}


@pytest.mark.parametrize(("written", "meant"), MEANT.items())
def test_the_message_names_what_is_meant(written, meant):
    with pytest.raises(UsageError, match=f"Did you mean {meant!r}"):
        split_model(written)


def test_an_unknown_name_is_told_how_to_go_on():
    with pytest.raises(UsageError, match=r"%lockbots providers.*`provider:model`"):
        split_model("quetzal")
    assert suggest_model("quetzal") == ""
