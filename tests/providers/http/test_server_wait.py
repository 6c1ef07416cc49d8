"""How long servers ask to wait, in every form."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from lockbots_magic.errors import ServerError
from lockbots_magic.providers.http.server_wait import (
    find_header_wait,
    find_stated_wait,
    format_wait,
    is_loading,
    parse_duration,
    parse_retry_after,
)


def test_durations_with_units():
    for text, seconds in {
        "2s": 2, "1m30s": 90, "20ms": 0.02, "1.5 s": 1.5, "6 minutes": 360, "1h2m3s": 3723, "1 hour, 5 min": 3900,
        "2d": 172800, "PT30S": 30, "PT1M30.5S": 90.5, "P1DT2H": 93600, "pt5m": 300,
        "7.66s": 7.66, "1m": 60, "12 secs": 12, "250 milliseconds": 0.25,
    }.items():  # fmt: skip
        assert parse_duration(text) == pytest.approx(seconds), text
        assert parse_retry_after(text) == pytest.approx(seconds), text
    for text in ("", "s", "2", "2x", "x2s", "2s later", "-2s", "1e3s", "P", "PT", "P1Y", "PTS"):
        assert parse_duration(text) is None, text


def waits(**headers: str) -> float | None:
    return find_header_wait(CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()}))


def test_headers_that_name_a_wait():
    assert waits() is None
    assert waits(Retry_After_MS="1500", Retry_After="7") == 1.5
    assert waits(Retry_After="7", X_RateLimit_Reset_Requests="2s") == 7
    assert waits(X_RateLimit_Reset_Requests="2s") == 2
    assert waits(X_RateLimit_Reset_Tokens="6m0s") == 360
    used_up = {"X_RateLimit_Remaining_Tokens": "0", "X_RateLimit_Remaining_Requests": "99"}
    assert waits(**used_up, X_RateLimit_Reset_Tokens="250ms", X_RateLimit_Reset_Requests="8h") == 0.25
    assert waits(X_RateLimit_Reset_Tokens="soon") is None
    assert waits(RateLimit_Reset="12") == 12
    assert waits(RateLimit='"burst";r=0;t=90') == 90
    assert waits(RateLimit='"burst";r=7;t=5, "day"; t=40; r=0') == 40
    assert waits(RateLimit='"burst";r=7;t=5') is None
    assert 8 < waits(X_RateLimit_Reset=str(int(time.time() + 10))) <= 10
    assert 8 < waits(X_RateLimit_Reset=str(int((time.time() + 10) * 1000))) <= 10
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 10))
    assert 8 < waits(Anthropic_RateLimit_Requests_Reset=later) <= 10
    assert 8 < waits(Retry_After=later) <= 10
    assert waits(Anthropic_RateLimit_Tokens_Remaining="50", Anthropic_RateLimit_Tokens_Reset=later) is None


def test_headers_that_a_body_repeats_name_a_wait():
    later = int((time.time() + 10) * 1000)
    body = '{"error": {"metadata": {"headers": {"X-RateLimit-Remaining": "%s", "X-RateLimit-Reset": "%s"}}}}'
    assert 8 < find_stated_wait(body % (0, later)) <= 10
    assert find_stated_wait(body % (5, later)) is None


def test_words_that_name_a_wait():
    for text, seconds in {
        "Rate limit reached for gpt-4o. Please try again in 1.2s. Visit the docs": 1.2,
        "Please try again in 6m0s.": 360,
        "Retry after PT12S.": 12,
        '{"error": {"message": "slow", "retry_after": 90}}': 90,
        '{"retryAfterMs": "1500"}': 1.5,
        '{"retry-after-seconds": 2.5, "x": 1}': 2.5,
        "Please retry in 34.074824224s.": 34.074824224,
        "Please retry after 10 seconds.": 10,
        "Requests to the API have exceeded call rate limit. Please retry after 26 seconds. Please contact": 26,
        "Please try again in 20ms.": 0.02,
        'details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "34s"}]': 34,
        "type.googleapis.com/google.rpc.RetryInfo\n34s": 34,
    }.items():
        assert find_stated_wait(text) == pytest.approx(seconds), text
    for text in ("", "Retry", "the limit is 30 requests", "try again in a moment", "wait"):
        assert find_stated_wait(text) is None, text


@given(st.text() | st.text("0123456789 :,+-.TZmshd"))
def test_any_text_is_a_wait_or_none(text):
    found = (
        parse_retry_after(text),
        parse_duration(text),
        find_stated_wait(f"retry in {text}"),
        waits(RateLimit_Reset=text),
    )
    assert all(wait is None or wait >= 0 for wait in found)


def test_wait_is_told_exactly():
    for seconds, told in {
        1.5: "1.5 s", 34: "34 s", 34.0748: "34.07 s", 90: "90 s", 3600: "3600 s (1 h)", 600: "600 s (10 min)",
        86400: "86400 s (1 d)",
    }.items():  # fmt: skip
        assert format_wait(seconds) == told


def test_loading_is_known_by_words_and_status():
    for words in ("Loading model", "Model m is currently loading", "the model is being loaded, still loading"):
        assert is_loading(ServerError(words, status=503))
    for words in ("overloaded model", "Failed to load model", "error loading model", "no"):
        assert not is_loading(ServerError(words, status=503))
    assert not is_loading(ServerError("Loading model", status=404))
