"""Validation of provider settings."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.providers.validation import parse_base_url, parse_count, parse_seconds, parse_timeout


@pytest.mark.parametrize(("url", "meant"), [
    ("https://a.test/", "https://a.test"), (" http://localhost:8000/v1// ", "http://localhost:8000/v1"),
    ('"https://a.test/v1"', "https://a.test/v1"), ("<https://a.test/v1/>", "https://a.test/v1"),
    ("http://[::1]:8000/v1", "http://[::1]:8000/v1"), ("https://бот.test", "https://бот.test"),
])  # fmt: skip
def test_valid_base_urls(url, meant):
    assert parse_base_url(url) == meant


@pytest.mark.parametrize("url", [
    "", "a.test", "ftp://a.test", "https://", "http://a.test:x", "http://a.test:99999", "http://[", "https://me:mine@a.test",
    "https://a.test?key=x", "https://a.test#x", "https://a b.test", "javascript:alert(1)", "http://a.test/\nx",
])  # fmt: skip
def test_invalid_base_url_is_a_usage_error_without_its_credential(url):
    with pytest.raises(UsageError) as caught:
        parse_base_url(url)
    assert "mine" not in str(caught.value)


@given(st.text())
def test_any_text_is_a_base_url_or_a_usage_error(text):
    with suppress(UsageError):
        assert parse_base_url(text).lower().startswith("http")


@pytest.mark.parametrize("value", [(1, 2), [1, 2.0], ("1", "2"), (Fraction(1), 2)])
def test_valid_timeouts(value):
    assert parse_timeout(value) == (1.0, 2.0)


def test_infinite_times_are_valid():
    assert parse_timeout((math.inf, math.inf)) == (math.inf, math.inf)
    assert parse_seconds("total_timeout", math.inf) == math.inf


@pytest.mark.parametrize("value", [1, "ab", "10", (1,), (1, 2, 3), (0, 1), (1, -1), (1, "x"), (1, math.nan), None, {}])
def test_invalid_timeout_is_a_usage_error(value):
    with pytest.raises(UsageError, match="timeout must be"):
        parse_timeout(value)


@pytest.mark.parametrize("value", [0, -1, math.nan, None, "soon", 10**400, [1]])
def test_invalid_seconds_are_a_usage_error(value):
    with pytest.raises(UsageError, match="total_timeout must be"):
        parse_seconds("total_timeout", value)


def test_zero_seconds_can_be_allowed():
    assert parse_seconds("backoff", 0, allow_zero=True) == 0


@pytest.mark.parametrize("value", [0, 2, 2.0])
def test_valid_counts(value):
    assert parse_count("max_retries", value) == value


@pytest.mark.parametrize("value", [-1, 1.5, math.inf, math.nan, None, "2", []])
def test_invalid_count_is_a_usage_error(value):
    with pytest.raises(UsageError, match=re.escape(f">= 0, got {value!r}.")):
        parse_count("max_retries", value)


def test_count_below_zero_names_the_constraint_and_the_value():
    with pytest.raises(UsageError, match=r"^max_retries must be >= 0, got -1\.$"):
        parse_count("max_retries", -1)
