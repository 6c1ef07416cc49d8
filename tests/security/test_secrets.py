"""Credentials are hidden and redacted."""

from __future__ import annotations

import copy
import gc
import json
import os
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.security import abbreviations, redaction, secrets, secrets_in_use
from lockbots_magic.security.redaction import Redactor, redacted, secrets_in
from lockbots_magic.security.secrets import MAX_HELD, MalformedCredential, Secret

VALUE = "correct+horse/battery"


def test_a_credential_shows_only_where_it_is_sent():
    secret = Secret(VALUE)
    assert f"{secret} {secret!r} {[secret]}" == "Secret(***) Secret(***) [Secret(***)]"
    assert secret.reveal() == VALUE
    assert secret.bearer().reveal() == f"Bearer {VALUE}"
    assert not hasattr(secret, "__dict__")


def test_a_credential_is_not_saved():
    with pytest.raises(TypeError, match="a credential is not saved"):
        pickle.dumps(Secret(VALUE))


def test_a_copy_of_a_credential_is_the_credential_itself():
    secret = Secret(VALUE)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_white_space_around_a_credential_is_removed():
    assert Secret(f" {VALUE}\n").reveal() == VALUE


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_blank_text_is_not_a_credential(value):
    assert Secret.of(value) is None


def test_what_is_copied_along_with_a_credential_is_removed():
    for pasted in ('"{}"', "'{}'", "Bearer {}", ' "bearer {}" ', '"{}"\n'):
        assert Secret.of(pasted.format(VALUE)).reveal() == VALUE, pasted
    for pasted in ('"abc', 'a"b', '""', "Bearer", "a b"):
        assert Secret.of(pasted).reveal() == pasted


def test_credential_of_the_environment_is_found_without_its_quotes(monkeypatch):
    monkeypatch.setenv("QUOTED_API_KEY", f'"{VALUE[::-1]}"')
    assert VALUE[::-1] not in redacted(f"a {VALUE[::-1]} b")


def test_secret_is_wrapped_once():
    secret = Secret(VALUE)
    assert Secret.of(secret) is secret


@pytest.mark.parametrize("bad", ["", " ", "a\nb", "a\rb", "a\x00b", "a\tb", "ключ", "a\x7fb", "a\u2028b"])
def test_credential_that_cannot_be_sent_is_refused(bad):
    with pytest.raises(MalformedCredential, match="copy it again"):
        Secret(bad)


@pytest.mark.parametrize("form", [VALUE, "correct%2Bhorse%2Fbattery"])
def test_a_credential_is_found_and_redacted_in_both_forms(form):
    secret = Secret(VALUE)
    assert secret.redact(f"a {form} b") == "a *** b"
    assert secrets_in(f"a {form} b")
    assert redacted(f"a {form} b") == "a *** b"


DUMMIES = (
    "lm-studio none mock placeholder not-needed EMPTY sk-no-key-required ollama dummy llama.cpp your-api-key-here"
    " ************ sk-xxxxxxxx no_key_required test-key k"
)
REAL = (
    "sk-proj-abc12345 my-secret-key swordfish jGDRFOqHcZKAo lm-studio-7f3a9c21 AIzaSyA-fake correct-horse-battery"
    " test-key-1"
)


def test_dummy_is_not_masked():
    for value in DUMMIES.split():
        secret, text = Secret(value), f"Start {value}: check {value.upper()}."
        redactor = Redactor(secret)
        assert redactor.feed(text) + redactor.close() == text
        assert (secret.redact(text), redacted(text)) == (text, text), value


def test_real_credential_is_masked_also_if_it_has_a_dummy_word():
    for value in REAL.split():
        secret = Secret(value)
        redactor = Redactor(secret)
        assert value not in redactor.feed(f"a {value} b") + redactor.close()
        assert value not in redacted(f"a{value}b")


def test_short_credential_is_masked_only_where_it_stands_alone():
    assert Secret("sk-1234").redact("key sk-1234, not sk-12345") == "key ***, not sk-12345"
    assert Secret("k").redact("check the token k") == "check the token k"


def test_a_short_credential_is_not_taken_for_a_word():
    secret = Secret("banana")
    assert not secrets_in("a banana")
    assert redacted("a banana") == "a banana"
    assert secret.redact("a banana") == "a ***"


def test_credentials_with_a_common_beginning_are_redacted_in_full():
    kept = [Secret("alike-alike-1"), Secret("alike-alike-1234"), Secret("alike-alike-12")]
    assert redacted("alike-alike-1234 alike-alike-1") == "*** ***"
    assert len(kept) == 3


def test_deleted_credential_is_not_searched_for():
    secret = Secret("forgotten-credential")
    assert secrets_in("forgotten-credential")
    del secret
    gc.collect()
    assert not secrets_in("forgotten-credential")


def fed(secret, pieces):
    redactor = Redactor(secret)
    return "".join([*map(redactor.feed, pieces), redactor.close()])


@given(
    st.lists(st.sampled_from([VALUE, "correct", "+", "horse", "c", "correct%2Bhorse%2F", "battery", " "])),
    st.integers(1, 9),
)
def test_text_in_pieces_is_redacted_like_the_whole(words, size):
    text = "".join(words)
    secret = Secret(VALUE)
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert fed(secret, pieces) == secret.redact(text)


@pytest.mark.parametrize("parting", ["\0", "\x1b", "\x85", "\u202e", "\U000e0041", "\0\u2066\U000e007f"])
def test_a_parted_credential_is_redacted_wherever_the_reply_is_cut(parting):
    secret = Secret(VALUE)
    text = f"\x1b[1mcorrect {VALUE[:9]}{parting}{VALUE[9:]} c{parting}a {parting.join(VALUE)}{parting}."
    whole = f"\x1b[1mcorrect *** c{parting}a ***{parting}."
    assert secret.redact(text) == whole
    for cut in range(len(text)):
        assert fed(secret, [text[:cut], text[cut:]]) == whole, cut
    assert fed(secret, text) == whole
    assert secrets_in(text)


def test_any_number_of_characters_between_the_letters_hides_no_credential():
    secret, redactor = Secret(VALUE), Redactor(Secret(VALUE))
    pieces = ["a ", VALUE[:9], *["\0\u202e" * 500] * 20, VALUE[9:], " b"]
    held = 0
    shown = ""
    for piece in pieces:
        shown += redactor.feed(piece)
        held = max(held, len(redactor._held))
    assert shown + redactor.close() == "a *** b"
    assert held <= MAX_HELD
    assert secret.redact("".join(pieces)) == "a *** b"


def test_a_credential_escaped_twice_is_redacted_whole():
    secret = Secret('\\a"bcdefgh\\')
    nested = json.dumps({"a": json.dumps({"b": secret.reveal()})})
    assert json.loads(json.loads(secret.redact(nested))["a"]) == {"b": "***"}


def test_text_that_cannot_begin_a_credential_is_not_held_back():
    redactor = Redactor(Secret(VALUE))
    assert redactor.feed("hello ") == "hello "
    assert redactor.feed("c") == ""
    assert redactor.feed("at") == "cat"


def test_a_word_is_not_taken_for_a_credential():
    assert fed(Secret("mock"), ["the mo", "ck"]) == "the mock"
    assert fed(None, ["any", "thing"]) == "anything"


def test_text_that_the_collector_cleans_while_credentials_are_listed_waits_for_nobody(monkeypatch):
    class Dropped(list):
        def __del__(self):
            cleaned.append(redacted(f"key {VALUE}"))

    def collect_and_sort(found):
        dropped = Dropped()
        dropped.append(dropped)
        del dropped
        gc.collect()
        return by_size(found)

    cleaned, by_size, kept = [], secrets_in_use._by_size, Secret(VALUE)
    monkeypatch.setattr(secrets.LIVE, "lock", type(secrets.LIVE.lock)())  # one of its own, which a failure may hold
    monkeypatch.setattr(
        secrets_in_use, "_by_size", lambda found: by_size(found) if cleaned else collect_and_sort(found)
    )
    thread = threading.Thread(target=redacted, args=["a"], daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert (cleaned[0], kept.size()) == ("key ***", len(VALUE))


def test_credential_that_another_thread_sets_while_the_environment_is_searched_is_found_next(monkeypatch):
    search = secrets_in_use._secrets_of

    def search_and_set(values):
        os.environ["LATE_API_KEY"] = "late-credential-1"
        return search(values)

    monkeypatch.setenv("LATE_API_KEY", "")
    monkeypatch.setattr(secrets_in_use, "_secrets_of", search_and_set)
    redacted("a")
    monkeypatch.setattr(secrets_in_use, "_secrets_of", search)
    assert redacted("late-credential-1") == "***"


def test_markup_is_left_alone_where_no_credential_is_in_use():
    for text in ("a &amp; <b>c</b>", r"a \* [b](https://c.example)"):
        assert redaction.redact_html(text, ()) is text
        assert redaction.redact_markdown(text, ()) is text


@pytest.mark.parametrize(("text", "masked"), [
    ("Incorrect API key provided: sk-proj-Ab3********xY9z. See", "Incorrect API key provided: ***. See"),
    ("key sk-p...9z,", "key ***,"), ("sk-proj-Ab3dE\u2026 and sk-proj-Ab\u2022\u2022\u2022\u2022Y9z", "*** and ***"),
    ("sk-proj-Ab3dxxxxxxxx", "***"),
    ("your key is like sk-proj-... or sk-****", "your key is like sk-proj-... or sk-****"),
    ("sk-proj-Zz9****xY9", "sk-proj-Zz9****xY9"), ("sk-proj- **bold**", "sk-proj- **bold**"),
])  # fmt: skip
def test_credential_that_a_server_abbreviates_is_masked(text, masked):
    """Services quote the beginning and the end of a refused key; in a saved notebook that tells whose key it was."""
    secret = Secret("sk-proj-Ab3dEfGh1jKlMnOpxY9z")
    assert secret.redact(text) == redacted(text) == masked
    assert secrets_in(text) == (text != masked)


@given(st.text("ab*", max_size=40), st.text("ab", min_size=3, max_size=8))
def test_an_abbreviation_is_as_long_as_it_agrees_with_the_credential(text, value):
    """Compared with a search of all lengths, which takes seconds for a long credential in a hostile text."""
    for ending in range(len(text) + 1):
        agreeing = [n for n in range(1, min(ending, len(value)) + 1) if value.endswith(text[:ending][:n])]
        assert abbreviations._count_ending(text[:ending][: len(value)], value) == max(agreeing, default=0)
    agreeing = [n for n in range(1, len(value) + 1) if text.startswith(value[:n])]
    assert abbreviations._count_common(text, value) == max(agreeing, default=0)
