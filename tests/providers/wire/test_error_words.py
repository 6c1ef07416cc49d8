"""Words of errors: found in any form, bounded, clean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.providers.wire.error_words import MAX_WORDS, error_words, page_words
from lockbots_magic.providers.wire.errors import is_error, object_error, refusal_error
from lockbots_magic.security.secrets import Secret

ITEM = {"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs are not permitted", "input": 3}
GENERIC = "Provider returned error"
UPSTREAM = "at most 1 image per prompt"

FORMS: list[tuple[Any, str]] = [
    ("no", "no"),
    ({"detail": "no"}, "no"),
    ({"detail": {"error": "no"}}, "no"),
    ({"detail": [ITEM]}, "top_k: Extra inputs are not permitted"),
    ({"message": {"detail": [ITEM]}, "object": "error"}, "top_k: Extra inputs are not permitted"),
    ({"detail": [ITEM], "message": [ITEM], "code": 3001}, "top_k: Extra inputs are not permitted"),
    ({"detail": [{"loc": ["body", "messages", 0], "msg": "no"}, {"msg": "so"}]}, "messages.0: no; so"),
    ({"detail": [{"loc": ["top_k"], "msg": "no"}]}, "top_k: no"),
    ({"errors": [{"message": "no"}, "so"]}, "no; so"),
    ({"error": "invalid_grant", "error_description": "expired"}, "invalid_grant; expired"),
    ({"error": {"message": "no", "type": "t", "code": 400}}, "no"),
    ([{"error": {"message": "no", "status": "INVALID_ARGUMENT"}}], "no"),
    ({"error": {"code": "rate_limited"}}, "rate_limited"),
    ({"error": {"message": GENERIC, "metadata": {"raw": UPSTREAM, "provider_name": "Acme"}}},
        f"{GENERIC}; {UPSTREAM} (Acme)"),
    ({"error": {"message": GENERIC, "metadata": {"raw": json.dumps({"error": {"message": UPSTREAM}})}}},
        f"{GENERIC}; {UPSTREAM}"),
    ({"error": {"message": GENERIC, "metadata": {"provider_name": "Acme"}}}, f"{GENERIC} (Acme)"),
    ({"error": {"message": "no tool", "failed_generation": '<function=f{"a": 1}</function>'}},
        'no tool; <function=f{"a": 1}</function>'),
    ({"error": {"status": "error", "statusText": "not today", "requestId": "r1"}}, "error; not today"),
    ({"error": {"code": "x", "hint": "not today"}}, "x; not today"),
    ({"error": {"code": "BadRequest", "message": None, "details": [{"code": "x", "message": "no"}]}}, "no"),
    ({"error": {"message": "no", "details": [{"reason": "REPEATED_FOR_PROGRAMS"}]}}, "no"),
    ({"error": {"message": json.dumps({"error": {"message": "inner"}})}}, "inner"),
    ({"error": {"message": "<html><title>502</title></html>"}}, "502"),
    ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "login fail"),
    ({"code": 1113, "msg": "no balance"}, "no balance"),
    ({"fault": {"faultstring": "Invalid ApiKey", "detail": {"errorcode": "oauth.v2.x"}}}, "Invalid ApiKey"),
    ({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "no"}, "Bad Request; no"),
    ({"message": "Invalid data.", "errors": {"model": ["The field is required."]}},
        "Invalid data.; model: The field is required."),
    ({"oddity": ["Must be below 2.", "Is odd, too."]}, "oddity: Must be below 2.; oddity: Is odd, too."),
    ("<AccessDeniedException><Message>No access</Message></AccessDeniedException>", "No access"),
    ("<?xml version='1.0'?><Error><Code>Denied</Code><Message>No access</Message></Error>", "Denied No access"),
    ({"oddity": [1, "x"]}, '{"oddity": [1, "x"]}'),
    ({"error": {"message": {"a": 1}}}, '{"error": {"message": {"a": 1}}}'),
    ({}, ""), ([], ""), ("", ""), (None, ""),
]  # fmt: skip

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
KEYS = st.sampled_from(["error", "message", "detail", "errors", "msg", "loc", "metadata", "raw", "code", "x", "title"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))


@pytest.mark.parametrize(("value", "words"), FORMS, ids=[json.dumps(form[0])[:60] for form in FORMS])
def test_the_words_of_each_form(value, words):
    assert error_words(value) == words


@pytest.mark.parametrize("value", [form[0] for form in FORMS if isinstance(form[0], dict | list) and form[0]])
def test_each_form_is_an_error_in_its_words(value):
    assert is_error(value) or "oddity" in value
    words = error_words(value)
    assert words in str(object_error(value))
    assert words in str(refusal_error(400, json.dumps(value).encode()))


@given(VALUES, st.sampled_from(["message", "detail", "errors", "msg"]), st.lists(st.booleans(), max_size=4))
def test_words_are_found_at_any_depth_and_beside_anything(beside, key, nesting):
    value: Any = {key: "what went wrong"}
    for is_list in nesting:
        value = [value] if is_list else {"error": value, "x": beside}
    assert "what went wrong" in error_words(value)


@given(VALUES)
def test_nothing_is_lost_of_an_unknown_form(value):
    words = error_words(value)
    assert len(words) <= MAX_WORDS
    assert words.isprintable()
    assert words or not (value and isinstance(value, dict | list))


def test_long_words_are_kept_to_the_bound():
    assert error_words({"error": {"message": "x" * 1900 + " retry in 34s"}}).endswith("retry in 34s")
    assert len(error_words({"error": "x" * 100_000})) == MAX_WORDS
    assert len(error_words([{"msg": f"no {n}"} for n in range(10**5)])) < MAX_WORDS


def test_words_hold_no_credential_and_no_control_character():
    secret = Secret("correct-horse-battery")
    for value in ({"error": f"a\x1b[2J\n{secret.reveal()}"}, {"odd": secret.reveal()}, {"detail": [secret.reveal()]}):
        words = error_words(value)
        assert "horse" not in words
        assert "\x1b" not in words
    assert "corr" not in error_words({"error": "x" * (MAX_WORDS - 8) + secret.reveal()})


@pytest.mark.parametrize(("page", "words"), [
    ("<html><head><title>502 Bad\n Gateway</title></head><body>nginx</body>", "502 Bad Gateway"),
    ("<html><head><style>p{}</style></head><body><h1>Sign&nbsp;in</h1><script>x</script>", "Sign in"),
    ("<html><title></title><p>Down", "Down"), ("<!DOCTYPE html>", ""), ("<", ""), ("<title>Half", "Half"),
])  # fmt: skip
def test_a_web_page_is_told_by_its_title_or_text(page, words):
    assert page_words(page) == words
