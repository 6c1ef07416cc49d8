"""Names of models: how an id is shown, and which ids mean the same model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.model_names import display_name, display_names, is_same_model

SHOWN = {
    "/models/foo.gguf": "foo.gguf",
    "/models/Qwen3-8B/": "Qwen3-8B",
    "C:\\Users\\me\\foo bar.gguf": "foo bar.gguf",
    "c:/models/foo.gguf": "foo.gguf",
    "\\\\server\\share\\foo.gguf": "foo.gguf",
    "~/models/foo": "foo",
    "./foo.gguf": "foo.gguf",
    "../m/foo": "foo",
    "models/foo.gguf": "foo.gguf",
    "/": "/",
    "": "",
    "gpt-4o": "gpt-4o",
    "meta-llama/Llama-3-8B": "meta-llama/Llama-3-8B",
    "models/gemini-2.5-flash": "models/gemini-2.5-flash",
    "hf.co/bartowski/Llama-3.2-1B-GGUF:latest": "hf.co/bartowski/Llama-3.2-1B-GGUF:latest",
    "accounts/fireworks/models/llama-v3": "accounts/fireworks/models/llama-v3",
}


def test_paths_are_shown_by_their_last_part():
    assert {model: display_name(model) for model in SHOWN} == SHOWN


def test_paths_with_the_same_last_part_are_shown_whole():
    assert display_names(["/a/m.gguf", "/b/m.gguf", "/b/n.gguf"]) == ["/a/m.gguf", "/b/m.gguf", "n.gguf"]


SAME = [
    ("gpt-4o", "gpt-4o"),
    ("gpt-4o", "gpt-4o-2024-08-06"),
    ("gpt-3.5-turbo", "gpt-3.5-turbo-0125"),
    ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
    ("mistral-small-latest", "mistral-small-2503"),
    ("gemini-1.5-pro", "gemini-1.5-pro-002"),
    ("command-r", "command-r-08-2024"),
    ("claude-3-5-sonnet", "claude-3-5-sonnet@20240620"),
    ("openai/gpt-4o", "gpt-4o-2024-08-06"),
    ("gpt-4o", "openai/gpt-4o"),
    ("models/gemini-2.5-flash", "gemini-2.5-flash"),
    ("llama3", "llama3:latest"),
    ("deepseek/deepseek-r1:free", "deepseek/deepseek-r1"),
    ("Qwen3-8B", "/models/qwen3-8b.gguf"),
    ("C:\\m\\a.gguf", "a"),
]
OTHERS = [
    ("gpt-4o", "gpt-4o-mini"),
    ("gpt-4o", "gpt-4o-mini-2024-07-18"),
    ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
    ("llama3:8b", "llama3:70b"),
    ("openrouter/auto", "anthropic/claude-sonnet-4.5"),
    ("gpt-4", "gpt-4-turbo"),
    ("llama-3", "llama-3-8b"),
]


def test_snapshots_and_prefixes_mean_the_same_model():
    assert [pair for pair in SAME if not is_same_model(*pair)] == []


def test_other_models_are_told_apart():
    assert [pair for pair in OTHERS if is_same_model(*pair)] == []


@given(st.text(), st.text())
def test_any_texts_can_be_compared(asked, answered):
    assert is_same_model(asked, asked)
    assert is_same_model(asked, answered) == is_same_model(answered, asked)
    assert display_name(asked) in asked


@pytest.mark.parametrize("name", ["a" * 100_000, "/" * 100_000, "-0613" * 20_000, "\\" * 100_000])
def test_long_names_are_fast(name):
    display_name(name)
    is_same_model(name, name + "-0613")
