"""Lines of the wire formats that the usual responses don't reach: odd bodies, bounds, and values nested too deeply."""

import json
import struct

import pytest

from lockbots_magic.conversation.attachments import ImagePart
from lockbots_magic.conversation.documents import SentDocument
from lockbots_magic.conversation.messages import Message, ToolCall
from lockbots_magic.errors import ProtocolError, ServerError
from lockbots_magic.providers.wire import anthropic_blocks, attachments, stray_lines, stream_decoder, tool_calls
from lockbots_magic.providers.wire.anthropic_blocks import dump_input
from lockbots_magic.providers.wire.anthropic_messages import MessagesDecoder
from lockbots_magic.providers.wire.anthropic_request import encode_conversation, flatten_blocks
from lockbots_magic.providers.wire.attachments import parse_image
from lockbots_magic.providers.wire.body import BodyDecoder
from lockbots_magic.providers.wire.chat_messages import IMAGES_OF_RESULTS, encode_messages, flatten_encoded
from lockbots_magic.providers.wire.error_words import error_words
from lockbots_magic.providers.wire.finish import read_word
from lockbots_magic.providers.wire.gguf import parse_gguf_header
from lockbots_magic.providers.wire.json_text import is_cut_json
from lockbots_magic.providers.wire.reasoning_fields import ReasoningReader
from lockbots_magic.providers.wire.refusal import specify_error
from lockbots_magic.providers.wire.responses import ResponsesDecoder
from lockbots_magic.providers.wire.responses_input import encode_input
from lockbots_magic.providers.wire.responses_output import ReasoningJoiner
from lockbots_magic.providers.wire.snapshots import MAX_CORRECTED, SnapshotFilter
from lockbots_magic.providers.wire.stray_lines import StrayLines
from lockbots_magic.providers.wire.stream_decoder import StreamDecoder
from lockbots_magic.providers.wire.text_template import TextTemplate
from lockbots_magic.providers.wire.thinking import MAX_HELD, ThinkingSplitter
from lockbots_magic.providers.wire.tool_calls import ToolCallAssembler
from lockbots_magic.providers.wire.usage import read_token_count
from tests.providers.anthropic_events import end, start, stream, thinking
from tests.providers.wire.whole_bodies import read_whole

PICTURE = "data:image/png;base64,iVBORw0KGgo="
TARGET = ("openai", "https://a.example", "m")


def nested(depth=100_000):
    value = "deep"
    for _ in range(depth):
        value = [value]
    return value


def unnest(value):
    """Take a value apart, since freeing it as a whole overflows the stack of some Pythons."""
    while isinstance(value, list) and value:
        value = value.pop()


@pytest.fixture
def deep():
    value = nested()
    yield value
    unnest(value)


def test_values_that_are_nested_too_deeply_are_refused_or_unnamed(deep):
    with pytest.raises(ProtocolError, match="nested too deeply"):
        dump_input({"path": deep})
    with pytest.raises(ProtocolError, match="nested too deeply"):
        ToolCallAssembler().feed([{"id": "1", "function": {"name": "add", "arguments": {"a": deep}}}])
    assert error_words({"oddity": deep}) == ""
    assert error_words(nested(10)) == '[[[[[[[[[["deep"]]]]]]]]]]', "nobody looks for words so far down"
    assert read_word(deep) == "invalid"
    assert not is_cut_json("[" * 100_000)


def test_input_of_a_call_may_be_text_already():
    assert [dump_input(value) for value in ('{"a": 1}', {}, None, {"a": 1})] == ['{"a": 1}', "", "", '{"a": 1}']


def test_blocks_and_calls_of_a_response_are_bounded(monkeypatch):
    monkeypatch.setattr(anthropic_blocks, "MAX_EVENT", 10)
    body = stream(start(), *thinking(0, "12345", "67890", "more"), *end("end_turn", 3))
    with pytest.raises(ProtocolError, match="content blocks that are too long"):
        read_whole(MessagesDecoder(), body)
    monkeypatch.setattr(tool_calls, "MAX_SIZE", 100)
    calls = ToolCallAssembler()
    message = [{"id": "1", "function": {"name": "add", "arguments": "{}" + " " * 30}}]
    calls.feed_message(message)
    with pytest.raises(ProtocolError, match="too many tool calls, or too long ones"):
        calls.feed_message(message)


def test_events_without_data_say_nothing():
    for decoder in (MessagesDecoder(), ResponsesDecoder()):
        assert [*decoder.feed(b"event: ping\ndata:  \n\n")] == []


def test_an_image_in_a_message_is_an_attachment():
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE.partition(",")[2]}
    picture = {"type": "content_block_start", "index": 0, "content_block": {"type": "image", "source": source}}
    turn, _ = read_whole(MessagesDecoder(), stream(start(), picture, *end("end_turn", 3)))
    assert [part.url for one in turn.rounds for part in one.parts if isinstance(part, ImagePart)] == [PICTURE]


def test_a_picture_that_is_too_large_says_so(monkeypatch):
    monkeypatch.setattr(attachments, "MAX_PICTURE", 1_000_000)
    assert parse_image({"data": "A" * 1_600_000}).omitted == "larger than 1 MB"
    assert parse_image({"image_url": {"url": {"source": {"data": 7}}}}) is None
    assert parse_image({"image_url": {"image_url": {"image_url": {"image_url": "x"}}}}) is None


def test_text_behind_a_json_document_is_not_lost():
    body = BodyDecoder()
    events = [*body.feed(b'{"a": 1} and more'), *body.close()]
    assert [event.data for event in events] == ['{"a": 1}', "and more"]


def test_images_of_results_go_in_a_message_behind_them():
    messages = [
        Message("assistant", "", calls=(ToolCall("1", "plot", "{}"),)),
        Message("tool", "done", images=(PICTURE,), call_id="1"),
    ]
    *_, result, behind = encode_messages(messages, *TARGET)
    assert result["content"] == "done"
    assert behind["content"][0] == {"type": "text", "text": IMAGES_OF_RESULTS}
    assert behind["content"][1]["image_url"]["url"] == PICTURE
    flat = flatten_encoded([{"role": "user", "content": "Plot."}, *encode_messages(messages, *TARGET)])
    assert [message["role"] for message in flat] == ["user", "assistant", "user"]
    assert "plot()" in flat[1]["content"]
    assert flatten_encoded([{"role": "assistant", "content": "Hi"}]) == [{"role": "assistant", "content": "Hi"}]


def test_images_of_results_are_blocks_of_messages_and_words_where_calls_are_text():
    messages = [
        Message("user", "Plot."),
        Message("assistant", "", calls=(ToolCall("1", "plot", "{}"),)),
        Message("tool", "done", images=(PICTURE,), call_id="1"),
    ]
    encoded = encode_conversation(messages, TARGET)
    (result,) = encoded[-1]["content"]
    assert [block["type"] for block in result["content"]] == ["text", "image"]
    assert "result: done\n[an image]" in str(flatten_blocks(encoded)[-1]["content"])


def test_a_document_without_a_file_goes_as_text():
    document = SentDocument("a.txt", "text/plain", "Sales rose.")
    (item,) = encode_input([Message("user", "Read.", documents=(document,))], TARGET)
    assert item["content"][0] == {"type": "input_text", "text": "Document a.txt:\n\nSales rose."}


def test_an_array_of_unknown_items_ends_the_header_of_a_model_file():
    key = struct.pack("<Q", 1) + b"a"
    file = struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + key + struct.pack("<IIQ", 9, 99, 1)
    assert parse_gguf_header(file) == {}


def test_pieces_of_two_fields_in_turn_are_joined_each():
    reader = ReasoningReader()
    for text_, thought in (("So ", "Let "), ("far.", "me.")):
        detail, block = {"type": "reasoning.text", "text": text_}, {"type": "thinking", "thinking": thought}
        reader.feed({"reasoning_details": [detail], "thinking_blocks": [block]})
    assert reader.returned(has_calls=True) == {
        "reasoning_details": [{"type": "reasoning.text", "text": "So far."}],
        "thinking_blocks": [{"type": "thinking", "thinking": "Let me."}],
    }


def test_words_of_an_error_are_found_in_a_list_and_at_no_great_depth():
    error = specify_error(ServerError("failed"), [{"error": {"code": "overloaded", "param": "model"}}])
    assert (error.code, error.param) == ("overloaded", "model")
    value = "too deep"
    for _ in range(40):
        value = {"details": value}
    assert "too deep" not in specify_error(ServerError("failed"), {"error": value}).details


def test_a_whole_response_counts_whatever_state_it_names():
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Four."}]}
    body = json.dumps({"object": "response", "status": "in_progress", "output": [said]}).encode()
    turn, _ = read_whole(ResponsesDecoder(), body)
    assert (turn.text, turn.finish_reason) == ("Four.", "stop")


def test_reasoning_may_come_as_an_object():
    joiner = ReasoningJoiner()
    assert joiner.feed("summary", {"delta": {"text": "So."}}) == "So."
    assert joiner.feed("other", {"delta": "again"}) == ""


def test_a_snapshot_that_begins_otherwise_is_a_text_of_its_own():
    filter_ = SnapshotFilter()
    got = [filter_.feed(one) for one in ("Well, we", "Well, we shall", "Well, we shall see about it", "Another text.")]
    assert "".join([*got, filter_.close()]).endswith("see about itAnother text.")
    assert len("Well, we shall see about it") > MAX_CORRECTED


def test_lines_that_never_become_an_object_are_forgotten():
    lines = StrayLines()
    assert [lines.feed(line) for line in ("{", *['"a": 1,'] * (stray_lines.MAX_LINES + 5))] == [""] * (
        stray_lines.MAX_LINES + 6
    )
    assert lines.feed("error: overloaded") == "overloaded"


def test_blank_text_between_tags_is_kept_within_bounds():
    splitter = ThinkingSplitter()
    pieces = ("<think>", "so", *[" \n"] * (MAX_HELD + 20), "on", "</think>", "Four.")
    steps = [step for piece in pieces for step in splitter.feed(piece)]
    steps += splitter.close()
    reasoning = "".join(step.reasoning for step in steps)
    assert reasoning.split() == ["so", "on"]
    assert "".join(step.text for step in steps).strip() == "Four."


def test_what_is_no_number_of_tokens_is_refused():
    assert read_token_count(b'{"input_tokens": 7}') == 7
    for body, said in ((b"", "an empty body"), (b'{"input_tokens": null}', "input_tokens"), (b"[7]", r"\[7\]")):
        with pytest.raises(ProtocolError, match=said):
            read_token_count(body)


def test_an_event_that_names_its_text_elsewhere_is_no_template():
    template = TextTemplate(("choices", 0, "delta", "content"))
    for data in (
        '{"choices": [], "content": "x"}',
        '{"choices": [{"content": "x"}]}',
        '{"choices": 7, "content": "x"}',
    ):
        template.learn(data, json.loads(data))
        assert template.read(data) is None


def test_heartbeats_and_double_framing_are_no_failure_in_any_dialect():
    said = b'data: data: {"type": "response.output_text.delta", "delta": "Hi"}\n\n'
    ended = b'data: data: {"type": "response.completed", "response": {"status": "completed", "output": []}}\n\n'
    bodies: list[tuple[StreamDecoder, bytes]] = [(ResponsesDecoder(), said + b"data: ping\n\n" + ended)]
    said = b'data: data: {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}}\n\n'
    ended = b'data: data: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}\n\n'
    bodies.append((MessagesDecoder(), b"event: ping\ndata: x\n\n" + said + ended))
    for decoder, body in bodies:
        _, deltas = read_whole(decoder, body)
        assert ("".join(delta.text for delta in deltas), deltas[-1].finish_reason) == ("Hi", "stop")


def test_the_parts_of_one_event_are_searched_up_to_a_bound(monkeypatch):
    assert stream_decoder.split_data("{}data:" * 5, None) == ["{}"] * 5
    monkeypatch.setattr(stream_decoder, "MAX_JOINTS", 2)
    assert stream_decoder.split_data("{}data:" * 5, None) == ["{}", "{}", "{}data:{}data:{}data:"]
    assert stream_decoder.split_data("{}" * 5, None) == ["{}"] * 5
    monkeypatch.setattr(stream_decoder, "MAX_JOINED", 9)
    assert stream_decoder.split_data("{}" * 5, None) == []
