"""Chunks read as one before them with another text: the same as when each is parsed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.errors import ProtocolError
from lockbots_magic.providers.wire import text_template
from lockbots_magic.providers.wire.chat_completions import ChatCompletionsDecoder
from lockbots_magic.providers.wire.text_template import MAX_LEARNED, TextTemplate
from tests.effort import examples


def chunk(text: Any, model: str = "m", finish: Any = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return {"id": "1", "object": "chunk", "model": model, "choices": [choice], **fields}


def learned(*events: str) -> TextTemplate:
    template = TextTemplate(("choices", 0, "delta", "content"), ("id", "created", "obfuscation"))
    for data in events:
        template.learn(data, json.loads(data))
    return template


def test_another_text_is_read_and_any_other_difference_is_not():
    data = json.dumps(chunk("Hel"))
    template = learned(data)
    for text in ("lo", "", "Hel", 'a"b\\c', "é\n🙂", "\ud83d", "}"):
        assert template.read(json.dumps(chunk(text))) == text
        assert template.read(json.dumps(chunk(text), ensure_ascii=False)) == text
    others = [chunk("lo", "n"), chunk("lo", finish="stop"), chunk("lo", usage={}), chunk(None), chunk(["lo"]), {}]
    for other in [*map(json.dumps, others), "", data[:-1], data + " ", data[:40], data.replace("Hel", 'Hel", "x": "y')]:
        assert template.read(other) is None
    assert template.read(data.replace("Hel", "H\nel")) is None  # no JSON


def test_the_text_is_found_where_it_is():
    for form in (
        '{"id": "\\"content\\": \\"a\\"", "choices": [{"delta": {"content": TEXT}}]}',
        '{"content": "a", "choices": [{"delta": {"content" :\tTEXT}}]}',
        '{"choices":[{"delta":{"role":"content","content":TEXT}}],"content":"a"}',
    ):
        template = learned(form.replace("TEXT", '"a"'))
        assert template.read(form.replace("TEXT", '"b"')) == "b"
    twice = '{"choices": [{"delta": {"content": "b", "content": "a"}}]}'
    assert learned(twice).read(twice.replace('"b"', '"x"')) is None


def test_fields_that_say_nothing_may_differ():
    data = json.dumps(chunk("Hel", created=1, obfuscation="xyz"))
    assert learned(data).read(data.replace("xyz", "")) is None  # they have not varied yet
    template = learned(json.dumps({**chunk("Hel", created=2, obfuscation=""), "id": "2"}), data)
    assert (
        template.read(data.replace("xyz", "").replace('"created": 1', '"created": 1790000000').replace("Hel", "lo"))
        == "lo"
    )
    assert template.read(data.replace('"id": "1"', '"id": "a-2"')) == "Hel"
    for other in (
        '"created": 1.5',
        '"created": "1"',
        '"created": -1',
        '"created": 01',
        '"created": null',
        '"index": 1',
    ):
        name = other.partition(":")[0]
        old = next(old for old in ('"created": 1', '"index": 0') if old.startswith(name))
        assert template.read(data.replace(old, other)) is None, other


def test_it_stops_to_learn_from_events_that_are_like_no_other(monkeypatch):
    parsed = []
    monkeypatch.setattr(text_template, "parse_json", parsed.append)
    template = TextTemplate(("a",))
    for _ in range(2 * MAX_LEARNED):
        template.learn('{"a": "b"}', {"a": "b"})
    assert len(parsed) == MAX_LEARNED


PIECES = st.sampled_from([
    chunk("a"), chunk("b"), chunk(""), chunk("c", "n"), chunk("d", usage={"prompt_tokens": 1}),
    chunk("e", finish="stop"), chunk("f", id="2"), chunk(None), {"choices": []}, {"model": "k"},
    chunk("<g>", x_y={"z": "content"}), {"choices": [{"index": 1, "delta": {"content": "h"}}]}, chunk("i", citations=["http://x"]),
])  # fmt: skip


@settings(max_examples=examples(300))
@given(st.lists(PIECES, max_size=12))
def test_replies_are_the_same_with_and_without_it(pieces: list[dict[str, Any]]):
    body = b"".join(b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in pieces) + b"data: [DONE]\n\n"

    def read(decoder: ChatCompletionsDecoder) -> list[Any]:
        try:
            return [*decoder.feed(body), *decoder.close()]
        except ProtocolError as error:  # none of the pieces belongs to a reply
            return [str(error)]

    plain = ChatCompletionsDecoder()
    plain._template.read = lambda data: None
    assert read(ChatCompletionsDecoder()) == read(plain)
