"""What tokens cost."""

import json
import re
from datetime import date
from importlib.resources import files

import pytest

from lockbots_magic.conversation.prices import Price, as_of, price_of
from lockbots_magic.errors import UsageError
from lockbots_magic.providers import names

TABLE = json.loads(files("lockbots_magic.conversation").joinpath("prices.json").read_text("utf-8"))


def test_the_table_is_dated_and_says_that_prices_change():
    assert date.fromisoformat(as_of()) <= date.today()
    assert "change" in TABLE["note"]
    assert "1,000,000" in TABLE["unit"]


@pytest.mark.parametrize("name", TABLE["prices"])
def test_every_row_of_the_table_is_a_price_of_a_known_provider(name):
    provider, _, model = name.partition(":")
    assert provider in (*names(), "function")
    price = price_of(provider, model or "anything")
    assert price == tuple(TABLE["prices"][name])
    assert 0 <= price.prompt <= price.reply < 1000


def test_a_day_in_the_name_of_a_model_changes_no_price():
    assert price_of("openai", "gpt-4o-mini-2024-07-18") == price_of("openai", "gpt-4o-mini") == (0.15, 0.60)
    assert price_of("anthropic", "claude-sonnet-4-20250514") == price_of("anthropic", "claude-sonnet-4")
    assert price_of("anthropic", "claude-sonnet-4-5-20250929") == price_of("anthropic", "claude-sonnet-4-5")
    assert price_of("anthropic", "claude-3-7-sonnet-latest") == (3, 15)
    assert price_of("gemini", "models/gemini-2.5-flash") == (0.3, 2.5)


def test_a_day_that_has_a_price_of_its_own_keeps_it():
    assert price_of("openai", "gpt-4o-2024-05-13") == (5, 15)
    assert price_of("openai", "gpt-4o-2024-08-06") == (2.5, 10)


@pytest.mark.parametrize(
    "model",
    ["gpt-4o-realtime", "gpt-4o-realtime-preview-2024-10-01", "gpt-4o-audio", "gpt-4oo", "gpt-4-turbo-x", "GPT-4o", ""],
)
def test_a_model_that_only_begins_like_another_has_no_price(model):
    assert price_of("openai", model) is None


def test_what_runs_at_home_is_free_whatever_it_is_called():
    for provider in ("guide", "function", "ollama", "lmstudio", "llamacpp", "vllm"):
        assert price_of(provider, "llama3:8b") == (0, 0)


def test_services_without_public_prices_have_none():
    assert price_of("liaobots", "gpt-4") is None
    assert price_of("openrouter", "openai/gpt-4o") is None


def test_the_users_prices_go_first():
    own = {"openai:gpt-4o": [1, 2], "openrouter": (3, 4), "liaobots:gpt-4": [0, 0.5]}
    assert price_of("openai", "gpt-4o-2024-05-13", own) == (1, 2)
    assert price_of("openai", "gpt-4o-mini", own) == (0.15, 0.60)
    assert price_of("openrouter", "anything", own) == (3, 4)
    assert price_of("liaobots", "gpt-4", own) == Price(0, 0.5)


def test_a_price_is_for_a_million_tokens():
    assert Price(2, 8).of(1_000_000, 500_000) == 6
    assert Price(0.15, 0.6).of(1000, 100) == pytest.approx(0.00021)


@pytest.mark.parametrize(
    "value",
    [
        5,
        "12",
        [1],
        [1, 2, 3],
        ["1", "2"],
        [1, -2],
        [1, float("nan")],
        [1, float("inf")],
        None,
        {"a": 1},
        [True, 1],
        [10**400, 1],
    ],
)
def test_a_price_that_is_none_is_refused_with_an_example(value):
    with pytest.raises(UsageError, match=re.escape(": [0.15, 0.60]}")):
        price_of("openai", "gpt-4o", {"openai:x": value})
