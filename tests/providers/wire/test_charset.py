"""Bodies in other encodings than UTF-8, cut anywhere."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.providers.wire.charset import as_utf8
from lockbots_magic.providers.wire.errors import refusal_error
from tests.effort import examples
from tests.providers.speakers import SPEAKERS
from tests.rawserver import Peer, RawServer

TEXTS = {
    "iso-8859-1": "Café, naïve: “50 €”", "windows-1252": "é", "us-ascii": "plain", "windows-1251": "Привет, мир!",
    "koi8-r": "Привет", "gbk": "模型说：你好，世界", "gb2312": "你好", "gb18030": "𠀀你好", "big5": "你好",
    "shift_jis": "表示する", "euc-kr": "안녕", "utf-16": "Grüße, 你好 🙂", "UTF-16LE": "ё", "utf-32": "ё",
    "iso-2022-jp": "日本語です",
}  # fmt: skip
REAL = {"iso-8859-1": "cp1252"}


def read(data: bytes, charset: str, size: int) -> str:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(as_utf8(pieces, charset)).decode().removeprefix("\ufeff")


def test_a_named_encoding_is_read_wherever_it_is_cut():
    for charset, text in TEXTS.items():
        for size in (1, 2, 3, 5, 1000):
            assert (
                read(f'{{"a": "{text}"}} b'.encode(REAL.get(charset, charset)), charset, size) == f'{{"a": "{text}"}} b'
            )


def test_utf16_that_nobody_names_is_known_by_its_mark():
    for name in ("utf-16-le", "utf-16-be"):
        for size in (1, 2, 3, 1000):
            assert read("\ufeffПривет".encode(name), "", size) == "Привет"
    assert read("Привет".encode(), "", 1) == "Привет"
    assert read(b"", "", 1) == ""


def test_a_refusal_is_read_in_the_encoding_that_it_names_itself():
    error = '{"error": {"message": "Нет"}}'
    assert str(refusal_error(400, f"\ufeff{error}".encode("utf-16-le"))) == "Нет (HTTP 400)"
    for meta in ('<meta charset="windows-1251">', "<META http-equiv=a content='text/html; charset=windows-1251'>"):
        page = f"<html><head>{meta}<title>Доступ закрыт</title></head></html>".encode("cp1251")
        assert "Доступ закрыт" in str(refusal_error(403, page))
    for name in (b"rot13", b"unicode_escape", b"nonsense", b"hex"):
        assert "\\" not in str(refusal_error(403, b'<meta charset="%s"><title>\xff</title>' % name))


def test_utf8_under_another_name_is_taken_for_what_it_is():
    for charset in ("latin-1", "iso-8859-15", "us-ascii", "windows-1252", "windows-1251", "gbk"):
        for text in ("你好，世界", "Привет", "a" * 100 + "Grüße и так далее" if charset[0] not in "g" else "Привет"):
            for size in (1, 7, 1000):
                assert read(f"data: {text} b".encode(), charset, size) == f"data: {text} b", (charset, text)


def test_what_is_no_encoding_of_text_is_taken_for_utf8():
    for charset in ("", "utf-8", "utf8", "UTF-8", "none", "binary", "zip", "rot13", "unicode_escape", "idna", "a\0b"):
        assert list(as_utf8([b"\xff"], charset)) == [b"\xff"]


@settings(max_examples=examples(200))
@given(st.binary(max_size=200), st.sampled_from([*TEXTS]), st.integers(1, 50))
def test_any_bytes_become_text_unless_they_are_utf8(data, charset, size):
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    joined = b"".join(as_utf8(pieces, charset))
    assert joined.decode("utf-8", "replace") is not None
    assert joined == data or joined.decode()


def test_replies_and_lists_in_another_encoding_are_read():
    for speaker, dialect in ((SPEAKERS[name], name) for name in SPEAKERS):
        text = "Grüße, Café"
        whole = json.dumps(speaker.whole(text), ensure_ascii=False)
        streamed = speaker.say(text).decode("unicode_escape").encode()  # escapes of JSON as characters
        for charset, body, kind in (
            ("iso-8859-1", whole.encode("latin-1"), "application/json"),
            ("utf-16", whole.encode("utf-16"), "application/json"),
            ("iso-8859-1", whole.encode(), "application/json"),
            ("windows-1252", streamed.decode().encode("cp1252"), "text/event-stream"),
        ):

            def script(peer: Peer, body: bytes = body, kind: str = kind, charset: str = charset) -> None:
                while request := peer.request():
                    rows = '{"object": "list", "data": [{"id": "modèle"}]}'.encode("latin-1")
                    peer.answer(body if request.body else rows, Content_Type=f'{kind}; charset="{charset}"')

            with RawServer(script) as server:
                chat = Chat("openai:m", base_url=server.url, auth="sk-test-0123456789", dialect=dialect, max_retries=0)
                assert chat.ask("hi").reply == text, (dialect, charset)
                if charset.startswith("iso") and dialect == "chat-completions":
                    assert [model.id for model in chat.provider.list_models()] == ["modèle"]


def test_the_early_format_of_liaobots_may_be_in_another_encoding():
    def script(peer: Peer) -> None:
        peer.request()
        peer.answer("Привет, мир".encode("cp1251"), Content_Type="text/plain; charset=windows-1251")

    with RawServer(script) as server:
        assert Chat("liaobots:gpt-4", base_url=server.url, auth="x-test-0123").ask("hi").reply == "Привет, мир"
