"""Event streams of the WHATWG HTML standard, clause by clause, and text cut anywhere."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.providers.wire import sse
from lockbots_magic.providers.wire.sse import Event, EventDecoder, MalformedStream, SurrogateJoiner, TextDecoder


def events_of(*pieces: bytes) -> list[Event]:
    decoder = EventDecoder()
    events = events_fed(decoder, list(pieces))
    decoder.close()
    return events


def events_fed(decoder: EventDecoder, pieces: list[bytes]) -> list[Event]:
    return [event for piece in pieces for event in decoder.feed(piece)]


def data_of(*pieces: bytes) -> list[str]:
    return [event.data for event in events_of(*pieces)]


def in_bytes(body: bytes) -> list[bytes]:
    return [body[i : i + 1] for i in range(len(body))]


def cut(body: bytes, places: list[int]) -> list[bytes]:
    marks = [0, *sorted(min(place, len(body)) for place in places), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(marks)]


class TestStream:
    """`stream = [ bom ] *event`, and its line ends."""

    def test_one_byte_order_mark_at_the_start_is_dropped(self):
        assert data_of(b"\xef\xbb\xbfdata: a\n\n") == ["a"]

    def test_byte_order_mark_cut_in_three_is_dropped(self):
        assert data_of(*in_bytes(b"\xef\xbb\xbfdata: a\n\n")) == ["a"]

    def test_second_byte_order_mark_is_text(self):
        assert data_of(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n") == ["b"]

    def test_byte_order_mark_in_data_is_text(self):
        assert data_of(b"data: \xef\xbb\xbfa\n\n") == ["\ufeffa"]

    def test_byte_order_mark_at_a_later_line_is_text(self):
        assert data_of(b"data: a\n\n\xef\xbb\xbfdata: b\n\n") == ["a"]

    @pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
    def test_each_line_end_ends_a_line(self, end):
        assert data_of(b"data: a" + end + b"data: b" + end + end) == ["a\nb"]

    @pytest.mark.parametrize("place", range(1, 16))
    def test_crlf_is_one_line_end_wherever_it_is_cut(self, place):
        body = b"data: a\r\ndata: b\r\n\r\n"
        assert data_of(body[:place], body[place:]) == ["a\nb"]

    def test_crlf_with_empty_pieces_between_its_halves_is_one_line_end(self):
        assert data_of(b"data: a\r", b"", b"", b"\ndata: b\n\n") == ["a\nb"]

    def test_line_ends_may_be_mixed(self):
        assert data_of(b"data: a\r\ndata: b\rdata: c\n\r\n") == ["a\nb\nc"]

    def test_cr_at_the_end_of_a_piece_ends_its_line_at_once(self):
        assert next(EventDecoder().feed(b"data: a\r\r")) == Event("a")

    def test_two_line_feeds_after_a_cut_crlf_are_an_empty_line(self):
        assert data_of(b"data: a\r", b"\n\ndata: b\n\n") == ["a", "b"]

    @pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
    def test_other_separators_do_not_end_a_line(self, separator):
        assert data_of(f"data: a{separator}b\n\n".encode()) == [f"a{separator}b"]

    def test_empty_stream_has_no_event(self):
        assert events_of() == events_of(b"") == events_of(b"\n\n\n") == []


class TestFields:
    """`field = 1*name-char [ colon [ space ] *any-char ] end-of-line`."""

    def test_comment_is_ignored_and_makes_no_event(self):
        assert data_of(b": ping\n\n:\n\ndata: a\n\n: bye\n\n") == ["a"]

    def test_comment_inside_an_event_does_not_part_it(self):
        assert data_of(b"data: a\n: ping\ndata: b\n\n") == ["a\nb"]

    def test_space_after_the_colon_is_optional(self):
        assert data_of(b"data:a\n\ndata: a\n\n") == ["a", "a"]

    def test_only_one_space_is_dropped(self):
        assert data_of(b"data:  a \n\ndata:\ta\n\n") == [" a ", "\ta"]

    def test_text_that_holds_a_field_name_is_text(self):
        assert data_of(b"data: one data: two\n\ndata: a: b\n\n") == ["one data: two", "a: b"]

    def test_data_of_several_lines_is_joined_with_line_feeds(self):
        assert data_of(b"data: a\ndata:\ndata: b\n\n") == ["a\n\nb"]

    def test_field_without_colon_has_an_empty_value(self):
        assert data_of(b"data\n\n") == [""]
        assert data_of(b"data\ndata\n\n") == ["\n"]

    def test_empty_data_makes_an_event(self):
        assert data_of(b"data:\n\ndata: \n\n") == ["", ""]

    def test_event_without_data_is_not_dispatched(self):
        assert events_of(b"event: ping\nid: 1\n\n") == []

    def test_unknown_fields_are_ignored_and_kept(self):
        decoder = EventDecoder()
        assert list(decoder.feed(b"colour: red\nDATA: x\n data: y\ndata: a\n\n")) == [Event("a")]
        assert decoder.ignored == ["colour: red", "DATA: x", " data: y"]

    def test_ignored_lines_are_kept_up_to_a_bound(self):
        decoder = EventDecoder()
        list(decoder.feed(b"".join(b"%d %s\n" % (n, b"x" * 10_000) for n in range(100))))
        assert len(decoder.ignored) == sse.MAX_IGNORED_LINES
        assert max(map(len, decoder.ignored)) == sse.MAX_IGNORED_LINE

    def test_type_is_that_of_the_last_event_field(self):
        assert events_of(b"event: a\nevent: b\ndata: x\n\n") == [Event("x", "b")]

    def test_type_is_message_by_default_and_again_afterwards(self):
        assert events_of(b"event: a\ndata: x\n\nevent: b\n\nevent:\ndata: y\n\n") == [Event("x", "a"), Event("y")]

    def test_id_stays_until_another_comes(self):
        events = events_of(b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n")
        assert [event.id for event in events] == ["1", "1", ""]

    def test_id_with_nul_is_ignored(self):
        assert events_of(b"id: 1\nid: 2\x003\ndata: a\n\n") == [Event("a", id="1")]

    def test_retry_takes_ascii_digits(self):
        decoder = EventDecoder()
        list(decoder.feed(b"retry: 1500\n"))
        assert decoder.retry == 1500

    @pytest.mark.parametrize("value", ["", "-1", "+1", "1.5", "1 ", "١٢", "²", "ms", "9" * 5000])
    def test_retry_ignores_everything_else(self, value):
        decoder = EventDecoder()
        list(decoder.feed(f"retry: 7\nretry:{value}\n".encode()))
        assert decoder.retry == 7


class TestEnd:
    """ "If the file ends in the middle of an event, the incomplete event is not dispatched."."""

    @pytest.mark.parametrize("rest", [b"data: b", b"data: b\n", b"data: b\r\n", b"data"])
    def test_unfinished_event_is_discarded(self, rest):
        assert data_of(b"data: a\n\n" + rest) == ["a"]

    @pytest.mark.parametrize(
        ("rest", "pending"), [(b"data: b", "b"), (b"data: b\n", "b"), (b"data: b\ndata: c", "b\nc")]
    )
    def test_unfinished_event_is_pending(self, rest, pending):
        decoder = EventDecoder()
        list(decoder.feed(b"data: a\n\n" + rest))
        decoder.close()
        assert decoder.pending == pending

    def test_nothing_is_pending_after_a_whole_event(self):
        decoder = EventDecoder()
        list(decoder.feed(b"data: a\n\n: bye\n\n"))
        decoder.close()
        assert decoder.pending == ""

    def test_first_bytes_of_a_character_are_dropped_at_the_end(self):
        decoder = EventDecoder()
        list(decoder.feed("data: жж".encode()[:-1]))
        decoder.close()
        assert decoder.pending == "ж"

    def test_line_of_half_a_character_does_not_discard_what_is_pending(self):
        decoder = EventDecoder()
        list(decoder.feed(b"data: a\n\xd0"))
        decoder.close()
        assert decoder.pending == "a"


class TestBytes:
    """UTF-8, size, and time."""

    def test_utf8_may_be_cut_anywhere(self):
        text = "aж語😀\u0301"
        assert data_of(*in_bytes(f"data: {text}\n\n".encode())) == [text]

    @pytest.mark.parametrize("bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xd0a", b"\xf5\x80\x80\x80"])
    def test_invalid_utf8_is_malformed(self, bad):
        with pytest.raises(MalformedStream):
            list(EventDecoder().feed(b"data: " + bad + b"\n\n"))

    def test_events_before_invalid_utf8_are_yielded(self):
        events = EventDecoder().feed(b"data: a\n\ndata: b\r\n\r\ndata: \xff\n\n")
        assert [next(events), next(events)] == [Event("a"), Event("b")]
        with pytest.raises(MalformedStream):
            next(events)

    def test_invalid_utf8_in_the_last_line_is_malformed(self):
        decoder = EventDecoder()
        list(decoder.feed(b"data: \xffa"))
        with pytest.raises(MalformedStream):
            decoder.close()

    def test_bytes_of_a_huge_line_in_small_pieces_are_looked_at_twice(self, monkeypatch):
        looked_at = []

        def counting(function):
            def call(data):
                looked_at.append(len(data))
                return function(data)

            return call

        for name in ("_find_end_of_lines", "_decode_lines"):
            monkeypatch.setattr(sse, name, counting(getattr(sse, name)))
        pieces = [b"data: ", *[b"x" * 1024] * 1024, b"\n", b"\n"]
        (event,) = events_of(*pieces)
        assert len(event.data) == 1024 * 1024
        assert sum(looked_at) <= 2 * sum(map(len, pieces)), "as they arrive, and when the line is complete"

    def test_line_over_the_bound_is_malformed(self, monkeypatch):
        monkeypatch.setattr(sse, "MAX_EVENT", 10_000)
        decoder = EventDecoder()
        with pytest.raises(MalformedStream, match="10000"):
            events_fed(decoder, [b"x" * 1000] * 11)

    def test_event_over_the_bound_is_malformed(self, monkeypatch):
        monkeypatch.setattr(sse, "MAX_EVENT", 10_000)
        decoder = EventDecoder()
        with pytest.raises(MalformedStream, match="10000"):
            events_fed(decoder, [b"data: 123456789\n"] * 1001)

    @pytest.mark.parametrize("filler", [b"\n", b"\r\n", b"\r", b": \n\n", b"event: a\n", b"noise\n"])
    def test_lines_without_an_event_over_the_bound_are_malformed(self, filler, monkeypatch):
        monkeypatch.setattr(sse, "MAX_BETWEEN", 10_000)
        decoder = EventDecoder()
        with pytest.raises(MalformedStream, match="10000"):
            events_fed(decoder, [b"data: a\n\n", *[filler * 10] * 1000])

    def test_heartbeats_between_events_are_counted_anew_after_each(self, monkeypatch):
        monkeypatch.setattr(sse, "MAX_BETWEEN", 10_000)
        for event in (b"data: a\n\n", b"data: a\ndata: b\n\n", b"event: b\ndata: a\n\n"):
            pieces = [b": ping\n\n" * 10 + event] * 100
            assert len(events_fed(EventDecoder(), pieces)) == 100
            assert len(events_fed(EventDecoder(), [b"".join(pieces)])) == 100

    def test_many_events_together_may_be_larger_than_one(self, monkeypatch):
        monkeypatch.setattr(sse, "MAX_EVENT", 100)
        assert len(data_of(b"data: 2345678\n\n" * 1000)) == 1000


def reference_events(body: bytes) -> list[Event]:
    """The algorithm of the standard, literally, over the whole body at once."""
    text = body.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    events, data, kind, last_id = [], "", "", ""
    for line in text.split("\n")[:-1]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line and data:
            events.append(Event(data.removesuffix("\n"), kind or "message", last_id))
        if not line:
            data, kind = "", ""
        elif name == "data":
            data += value + "\n"
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value
    return events


TOKENS = [b"data", b"event", b"id", b"retry", b":", b": ", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"1", b"a"]
TOKENS += [b"\xef\xbb\xbf", "ж".encode(), "😀".encode(), b"data: x\n\n", b"data\n"]
PLACES = st.lists(st.integers(0, 400), max_size=12)


LINES = [
    *(b"data:a", b"data: b", b"data:  c", b"data: ", b"data:", b"data: d\ndata: e", b"data: f\n: note"),
    *(
        b"event: t\ndata: g",
        b"event: t\ndata:h",
        b"event:t\ndata: i",
        b"event: \ndata: j",
        b"event: t\ndata: k\ndata: l",
    ),
    *(b"event: u\ndata: m", b"id: 1\ndata: n", b"event: t"),
]
"""Events, most of which are one line of data."""


@given(st.lists(st.sampled_from(LINES), max_size=12).map(b"\n\n".join), PLACES)
def test_events_that_begin_alike_are_read_alike(body, places):
    body += b"\n\n"
    assert events_of(*cut(body, places)) == events_of(body) == reference_events(body)


@given(st.lists(st.sampled_from(TOKENS), max_size=60).map(b"".join), PLACES)
def test_events_are_those_of_the_standard_wherever_the_bytes_are_cut(body, places):
    assert events_of(*cut(body, places)) == events_of(*in_bytes(body)) == reference_events(body)


@given(st.binary(max_size=200), PLACES)
def test_any_bytes_cut_anywhere_are_events_or_malformed(body, places):
    def outcome(pieces: list[bytes]) -> object:
        events: list[object] = []
        decoder = EventDecoder()
        try:
            for piece in pieces:
                events += decoder.feed(piece)
            decoder.close()
        except MalformedStream:
            events.append("malformed")
        return events

    assert outcome(cut(body, places)) == outcome(in_bytes(body)) == outcome([body])


class TestText:
    """`TextDecoder` and `SurrogateJoiner`."""

    def test_character_is_returned_once_it_is_complete(self):
        decoder = TextDecoder()
        assert [decoder.feed(piece) for piece in in_bytes("ж😀".encode())] == ["", "ж", "", "", "", "😀"]
        assert decoder.pending == b""

    def test_beginning_of_a_character_is_pending(self):
        decoder = TextDecoder()
        assert decoder.feed("a😀".encode()[:-1]) == "a"
        assert decoder.pending == "😀".encode()[:-1]

    @pytest.mark.parametrize("bad", [b"\xff", b"\xd0a", b"\xed\xa0\x80"])
    def test_invalid_utf8_is_malformed(self, bad):
        with pytest.raises(MalformedStream):
            TextDecoder().feed(bad)

    @given(st.text(), PLACES)
    def test_text_is_the_same_wherever_it_is_cut(self, text, places):
        decoder = TextDecoder()
        assert "".join(decoder.feed(piece) for piece in cut(text.encode(), places)) == text

    def test_two_halves_of_a_pair_are_joined(self):
        joiner = SurrogateJoiner()
        assert [joiner.feed("a\ud83d"), joiner.feed("\ude00b"), joiner.close()] == ["a", "😀b", ""]

    def test_half_is_held_back_through_empty_text(self):
        joiner = SurrogateJoiner()
        assert [joiner.feed("\ud83d"), joiner.feed(""), joiner.feed("\ude00")] == ["", "", "😀"]

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("\ud83da", "\ufffda"),
            ("a\ude00b", "a\ufffdb"),
            ("\ude00\ud83d", "\ufffd\ufffd"),
            ("\ud83d\ud83d\ude00", "\ufffd😀"),
        ],
    )
    def test_lone_half_becomes_the_replacement_character(self, text, shown):
        joiner = SurrogateJoiner()
        assert joiner.feed(text) + joiner.close() == shown

    def test_valid_text_is_unchanged(self):
        text = "aж😀" * 3
        assert SurrogateJoiner().feed(text) is text

    @given(st.lists(st.text(st.characters(exclude_categories=[]) | st.sampled_from("\ud83d\ude00"))))
    def test_text_with_surrogates_is_the_same_and_valid_wherever_it_is_cut(self, texts):
        joiner = SurrogateJoiner()
        joined = "".join([*map(joiner.feed, texts), joiner.close()])
        units = "".join(texts).encode("utf-16-le", "surrogatepass")
        assert joined == units.decode("utf-16-le", "replace")
        joined.encode()


class TestEventsWithoutBlankLines:
    """Observed: events separated by a single line break. They are dispatched as the next one begins."""

    def decoder(self) -> EventDecoder:
        return EventDecoder(is_whole=lambda data: data.startswith("{") and data.endswith("}"))

    def test_whole_data_end_with_the_next_line_of_data(self):
        decoder = self.decoder()
        assert events_fed(decoder, [b"data: {1}\n"]) == []
        assert events_fed(decoder, [b"data: {2}\n", b": ping\ndata: {3}\n"]) == [Event("{1}"), Event("{2}")]
        assert decoder.pending == "{3}"
        assert events_fed(decoder, [b"\n"]) == [Event("{3}")]

    def test_data_in_several_lines_stay_one_event(self):
        body = b"data: {\ndata: }\n\ndata: a\ndata: {b}\n\n"
        assert events_fed(self.decoder(), in_bytes(body)) == [Event("{\n}"), Event("a\n{b}")]

    def test_each_has_the_type_that_was_named_before_its_data(self):
        body = b"event: a\ndata: {1}\nevent: b\ndata: {2}\ndata: {3}\n\n"
        assert events_fed(self.decoder(), in_bytes(body)) == [Event("{1}", "a"), Event("{2}", "b"), Event("{3}")]

    def test_type_after_the_data_belongs_to_them_if_a_blank_line_follows(self):
        assert events_fed(self.decoder(), [b"data: {1}\nevent: a\n\ndata: {2}\n\n"]) == [
            Event("{1}", "a"),
            Event("{2}"),
        ]
