"""Prices of tokens."""

import json
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from lockbots_magic.conversation.messages import Usage
from lockbots_magic.conversation.prices import (
    CacheTokens,
    Price,
    find_cached_price,
    find_price,
    find_written_prices,
    table_date,
)
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.conversation.usage import measure_turn
from lockbots_magic.errors import UsageError
from lockbots_magic.providers import names

TABLE = json.loads(files("lockbots_magic.conversation").joinpath("prices.json").read_text("utf-8"))


def test_price_table_is_dated_and_says_that_prices_change():
    assert date.fromisoformat(table_date()) <= date.today()
    assert "change" in TABLE["note"]
    assert "1,000,000" in TABLE["unit"]


def test_every_row_of_the_table_is_a_price_of_a_known_provider():
    assert TABLE["prices"]
    for name, row in TABLE["prices"].items():
        provider, _, model = name.partition(":")
        assert provider in (*names(), "function"), name
        price = find_price(provider, model or "anything")
        assert price == tuple(row), name
        assert 0 <= price.prompt <= price.reply < 1000, name


def test_dated_snapshot_of_a_model_has_the_price_of_the_model():
    assert find_price("openai", "gpt-4o-mini-2024-07-18") == find_price("openai", "gpt-4o-mini") == (0.15, 0.60)
    assert find_price("anthropic", "claude-sonnet-4-20250514") == find_price("anthropic", "claude-sonnet-4")
    assert find_price("anthropic", "claude-sonnet-4-5-20250929") == find_price("anthropic", "claude-sonnet-4-5")
    assert find_price("anthropic", "claude-3-7-sonnet-latest") == (3, 15)
    assert find_price("gemini", "models/gemini-2.5-flash") == (0.3, 2.5)


def test_dated_snapshot_with_a_price_of_its_own_keeps_it():
    assert find_price("openai", "gpt-4o-2024-05-13") == (5, 15)
    assert find_price("openai", "gpt-4o-2024-08-06") == (2.5, 10)


def test_model_whose_name_only_starts_like_another_has_no_price():
    similar = ["gpt-4o-realtime", "gpt-4o-realtime-preview-2024-10-01", "gpt-4o-audio", "gpt-4oo", "gpt-4-turbo-x"]
    for model in [*similar, "GPT-4o", ""]:
        assert find_price("openai", model) is None, model


def test_local_models_are_free():
    for provider in ("guide", "function", "local", "ollama", "lmstudio", "llamacpp", "vllm"):
        assert find_price(provider, "llama3:8b") == (0, 0), provider


def test_services_without_public_prices_have_none():
    assert find_price("liaobots", "gpt-4") is None
    assert find_price("openrouter", "openai/gpt-4o") is None


def test_the_users_prices_override_the_table():
    own = {"openai:gpt-4o": [1, 2], "openrouter": (3, 4), "liaobots:gpt-4": [0, 0.5]}
    assert find_price("openai", "gpt-4o-2024-05-13", own) == (1, 2)
    assert find_price("openai", "gpt-4o-mini", own) == (0.15, 0.60)
    assert find_price("openrouter", "anything", own) == (3, 4)
    assert find_price("liaobots", "gpt-4", own) == Price(0, 0.5)


def test_price_is_per_million_tokens():
    assert Price(2, 8).of(1_000_000, 500_000) == 6
    assert Price(0.15, 0.6).of(1000, 100) == pytest.approx(0.00021)


def test_invalid_price_is_refused_with_an_example():
    invalid = [5, "12", [1], [1, 2, 3], ["1", "2"], [1, -2], [1, float("nan")], [1, float("inf")], None, {"a": 1}]
    for value in [*invalid, [True, 1], [10**400, 1]]:
        assert "{'openai:x': [0.15, 0.60]}" in error_of_price(value), value


def error_of_price(value):
    try:
        return f"no error: {find_price('openai', 'gpt-4o', {'openai:x': value})}"
    except UsageError as error:
        return str(error)


def test_cached_tokens_have_a_price_of_their_own_where_it_is_known():
    assert find_cached_price("openai", "gpt-4o-2024-08-06") == 1.25
    assert find_cached_price("openai", "gpt-4") is None
    assert find_cached_price("x", "m", {"x:m": [2, 8, 0.5]}) == 0.5
    assert find_cached_price("openai", "gpt-4o", {"openai:gpt-4o": [2, 8]}) is None
    assert find_price("x", "m", {"x:m": [2, 8, 0.5]}) == (2, 8)
    assert Price(2, 8).of(1_000_000, 500_000, CacheTokens(400_000, 0, 0.5)) == pytest.approx(5.4)
    assert Price(2, 8).of(1_000_000, 0, CacheTokens(5_000_000, 9, 0.5, 9)) == pytest.approx(0.5)
    assert Price(2, 8).of(1_000_000, 0, CacheTokens(400_000, 400_000)) == 2
    for name, cached in TABLE["cached"].items():
        assert 0 < cached < find_price(*name.split(":")).prompt, name


def test_tokens_written_to_the_cache_have_a_price_of_their_own_where_it_is_known():
    assert find_written_prices("anthropic", "claude-sonnet-5-5") == (2.5, 4)
    unknown = (None, None)
    assert find_written_prices("openai", "gpt-4o") == unknown
    assert find_written_prices("anthropic", "unknown") == unknown
    assert find_written_prices("anthropic", "claude-sonnet-5-5", {"anthropic:claude-sonnet-5-5": [2, 10]}) == unknown


def test_what_stays_in_the_cache_for_an_hour_costs_more():
    million = 1_000_000
    turn = Turn("hi", "x", "claude-sonnet-5-5", "anthropic")
    for hour, cost in ((None, 2.5), (0, 2.5), (million // 2, 3.25), (million, 4), (2 * million, 4), (-1, 2.5)):
        usage = Usage(million, 0, cache_write_tokens=million, cache_write_1h_tokens=hour)
        assert measure_turn(replace(turn, usage=usage)).cost == cost, hour
    usage = Usage(1_000_000, 0, None, 600_000, 100_000)
    one = measure_turn(Turn("p", "r", provider="anthropic", model="claude-sonnet-5-5", usage=usage))
    assert one.cache == (600_000, 100_000)
    assert one.cost == pytest.approx(0.3 * 2 + 0.6 * 0.1 + 0.1 * 2.5)


def test_cost_of_a_turn_counts_cached_tokens_apart():
    turn = Turn("p", "r", provider="openai", model="gpt-4o", usage=Usage(1_000_000, 0, None, 600_000))
    assert measure_turn(turn).cost == pytest.approx(0.4 * 2.5 + 0.6 * 1.25)
