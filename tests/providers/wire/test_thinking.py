"""Reasoning between tags in the text, cut anywhere, inside code and outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.conversation.messages import ChatRequest, Delta, ToolCall, Usage
from lockbots_magic.conversation.turn_accumulator import TurnAccumulator
from lockbots_magic.errors import ServerError
from lockbots_magic.providers.base import Provider
from lockbots_magic.providers.wire.reasoning_text import split_reasoning
from lockbots_magic.providers.wire.thinking import MAX_HELD, ThinkingSplitter
from tests.chatserver import chat_server, delta, events, in_turn, say
from tests.effort import examples


def split(*pieces: str, finish_reason: str = "stop") -> tuple[str, str]:
    """Return the text and the reasoning of an answer that arrives in pieces."""
    reply = TurnAccumulator()
    for step in split_reasoning(iter([*map(Delta, pieces), Delta(finish_reason=finish_reason)])):
        reply.add(step)
    (one,) = reply.rounds or [None]
    reasoning = "".join(part.text for part in one.parts if type(part).__name__ == "ReasoningPart") if one else ""
    return reply.text, reasoning


def cuts(text: str) -> Iterator[list[str]]:
    """Yield the text cut once, at every position, and into pieces of every small size."""
    for at in range(len(text) + 1):
        yield [text[:at], text[at:]]
    for size in (1, 2, 3, 5, 7):
        yield [text[at : at + size] for at in range(0, len(text), size)]


ANSWERS = {
    "<think>\nTwo and two.\n</think>\n\nFour.": ("Four.", "Two and two."),
    " \n<thinking>Two.</thinking>\n\nFour.": ("Four.", "Two."),
    "<Think>Two.</think>Four.": ("Four.", "Two."),
    "[THINK]Two.[/THINK]Four.": ("Four.", "Two."),
    "<seed:think>Two.</seed:think>Four.": ("Four.", "Two."),
    "<think>\n\n</think>\n\nFour.": ("Four.", ""),
    "<think>a</think>\n<think>b</think>\nFour.": ("Four.", "a\n\nb"),
    "<think>a</think>One.<think>b</think>Two.": ("One.Two.", "a\n\nb"),
    "<think>a</think>one<think>b</think>two": ("onetwo", "a\n\nb"),
    "<think>a</think>one <think>b</think>two": ("one <think>b</think>two", "a"),  # may be prose, and is not lost
    "One.\n<think>b</think>\nTwo.": ("One.\n\nTwo.", "b"),
    "<reasoning>Two.</reasoning>\nFour.": ("Four.", "Two."),
    "<thought>Two.</thought>Four.": ("Four.", "Two."),
    "◁think▷Two.◁/think▷Four.": ("Four.", "Two."),
    "<|channel>thought\nTwo.\n<channel|>Four.": ("Four.", "Two."),
    "<|START_THINKING|>Two.<|END_THINKING|>Four.": ("Four.", "Two."),
    "<|begin_of_thought|>\nTwo.\n<|end_of_thought|>\nFour.": ("Four.", "Two."),
    "<|inner_prefix|>Two.<|inner_suffix|>Four.": ("Four.", "Two."),
    "<reason>Two.</reason>\nFour.": ("Four.", "Two."),
    "<mm:think>Two.</mm:think>\n\nFour.": ("Four.", "Two."),
    "<longcat_think>\nTwo.\n</longcat_think>\n\nFour.": ("Four.", "Two."),
    "<unused94>thought\nTwo.<unused95>Four.": ("Four.", "Two."),
    "<think>a</reasoning>b</thinking>Four.": ("Four.", "a</reasoning>b"),
    "<think>a</think>\n\n</think>\n\nFour.": ("Four.", "a"),
    "<think>a</think>\nFour.\n</think>\n": ("Four.\n\n", "a"),  # a stray tag is no reason to lose the answer
    "<think>never closed": ("", "never closed"),
    "<think>half a tag</thi": ("", "half a tag</thi"),
    # only the closing tag
    "Two and two.\n</think>\n\nFour.": ("Four.", "Two and two."),
    "Two and two.</think>Four.": ("Four.", "Two and two."),
    "Two and two. </think> Four.": ("Four.", "Two and two."),
    "Two and two </think>\nFour.": ("Four.", "Two and two"),
    "</think>\n\nFour.": ("Four.", ""),
    "Maybe `x`.\n```\ny\n```\n</think>\nFour.": ("Four.", "Maybe `x`.\n```\ny\n```"),
    # reasoning about tags and code
    "<think>I end with `</think>`, then.\n</think>Four.": ("Four.", "I end with `</think>`, then."),
    "<think>`<think>x</think>` is code\n</think>Four.": ("Four.", "`<think>x</think>` is code"),
    '<think>Say "</think>" first.</think>Four.': ("Four.", 'Say "</think>" first.'),
    "<think>it's ` odd </think>Four.": ("Four.", "it's ` odd"),
    "<think>\n```json\n{\n</think>\nFour.": ("Four.", "```json\n{"),
    "<think>\n```\ny\n```</think>Four.": ("Four.", "```\ny\n```"),
    "<think>\n```\n<think>\na\n</think>\n```\nb\n</think>\nFour.": ("Four.", "```\n<think>\na\n</think>\n```\nb"),
    '<think>\n```\nf("</think>")\n```\nb</think>Four.': ("Four.", '```\nf("</think>")\n```\nb'),
}


END_TOKENS = (
    "<|im_end|>", "</s>", "<|eot_id|>", "<|endoftext|>", "<end_of_turn>", "<|end|>", "<eos>", "<|EOT|>", "<|return|>",
    "<｜end▁of▁sentence｜>", "<|END_OF_TURN_TOKEN|>", "<|end_of_text|>", "<|im_end|>\n<|endoftext|>", "</s></s>\n",
    "<|im_end|>\n<|im_start|>assistant\n", "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "<|im_end|>\n<|im_start|>",
)  # fmt: skip


def test_tokens_that_end_an_answer_are_no_part_of_it_wherever_they_are_cut():
    for token in END_TOKENS:
        for text in ("Four.", "四", '{"a": "b"}', "a\n```\nb\n```", "Use `x`", "Four.\n", "Yes! "):
            for pieces in cuts(text + token):
                assert split(*pieces) == (text, ""), pieces
                assert split(*pieces, finish_reason="length") == (text, ""), pieces
        assert split(f"<think>Two.</think>Four.{token}") == ("Four.", "Two.")
        assert split(f"<think>Two.{token}") == ("", "Two.")


def test_the_head_of_a_turn_at_the_beginning_is_no_part_of_an_answer():
    for head in (
        "<|im_start|>assistant\n",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<start_of_turn>model\n",
    ):
        for pieces in cuts(f"{head}Four.<|im_end|>"):
            assert split(*pieces) == ("Four.", ""), pieces
        assert split(f"{head}<think>Two.</think>Four.") == ("Four.", "Two.")
    for answer in (
        "<|im_start|> begins a turn.",
        "<|im_start|>user\nHi",
        "<s>old</s>",
        "<|im_start|>assistant",
        "<s>assistant",
    ):
        for pieces in cuts(answer):
            assert split(*pieces) == (answer, ""), pieces


def test_little_is_held_back_for_the_end_of_an_answer():
    steps = ThinkingSplitter().feed("Four.<|im_end|>" + " " * MAX_HELD)
    assert "".join(step.text for step in steps) == "Four.<|im_end|>" + " " * MAX_HELD


def test_reasoning_is_split_off_wherever_the_text_is_cut():
    for answer, expected in ANSWERS.items():
        for pieces in cuts(answer):
            assert split(*pieces) == expected, pieces


PLAIN = (
    "",
    " \n",
    "Plain.",
    "a < b, [x], `y`, ~~z~~",
    "A half <thin",
    "Write `<think>` and `</think>`.",
    "The tags <think> and </think> surround thoughts.",
    "Tags end with </think>",
    "Write one<think>b</think>two.",
    "写<think>，然后</think>。",
    "◁ and ▷ are triangles; <|x|> is a token",
    "One.\n<reason>none</reason>",
    # the answer speaks of the tokens that end one
    "ChatML ends with <|im_end|>",
    "It ends with `<|im_end|>`",
    "It ends with `<|im_end|>`.",
    "Put <|im_end|> behind it. Always put <|im_end|>",
    "Hello!<|im_end|>\n<|im_start|>user\nMore?",
    "```\n<|im_start|>user\nHi<|im_end|>\n```",
    "```\nHi<|im_end|>",
    "Tokens:\n\n1. <s>\n2. </s>",
    "Tokens:\n\n- <|im_end|>\n- <|eot_id|>",
    "<s>old</s>",
    "stop=<|im_end|>",
    "<|im_end|>",
    "\n</s>\n",
    'Its end is "</think>" here.',
    "```\n<think>\na\n</think>\n```\nb",
    "~~~~xml\n~~~\n<think>\n</think>\n~~~~\nb",
    "1. ```\n   <think>\n   a\n   </think>\n   ```\n2. b",
    "> ```\n> </think>\n> ```",
    "``` not a fence ``` b",
    "Code:\n\n    <think>\n    </think>\n\nb",
    "Open:\n```\n<think>\n</think>",
)


def test_tags_in_code_and_in_sentences_are_text():
    for answer in PLAIN:
        for pieces in cuts(answer):
            assert split(*pieces) == (answer, ""), pieces


CODE = st.sampled_from(("<think>", "</think>", "<thinking>", "x = 1", "", "if a < b:", "[THINK]", '{"a": 1}'))
FENCES = st.builds(
    lambda mark, language, lines: "\n".join((f"{mark}{language}", *lines, mark)),
    st.sampled_from(("```", "````", "~~~")),
    st.sampled_from(("", "xml", "python")),
    st.lists(CODE, max_size=4),
)
INLINE = st.builds("Use {0}{1}{0} here.".format, st.sampled_from(("`", "``")), CODE.filter(bool))
PROSE = st.sampled_from(
    ("Four.", "a < b", "Say <think> or </think> so.", "- one\n- two", "it's", '{"n": 30}', "[1]", "é…")
)
BLOCKS = st.lists(st.one_of(PROSE, FENCES, INLINE), min_size=1, max_size=4).map("\n\n".join)
THOUGHTS = st.lists(
    st.one_of(INLINE, st.sampled_from(("Hmm.", "a < b", '{"n": 2}', "```\ny\n```", "is it <think>?"))), max_size=4
).map("\n\n".join)


@settings(max_examples=examples(800))
@given(text=BLOCKS, thoughts=THOUGHTS, tag=st.sampled_from(("think", "thinking")), data=st.data())
def test_any_thoughts_and_any_text_come_apart(text: str, thoughts: str, tag: str, data: st.DataObject):
    answer = f"<{tag}>\n{thoughts}\n</{tag}>\n\n{text}"
    places = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=8)))
    pieces = [answer[start:end] for start, end in zip([0, *places], [*places, len(answer)], strict=True)]
    assert split(*pieces) == (text, thoughts)
    assert split(*text) == (text, "")


@settings(max_examples=examples(800))
@given(st.lists(st.sampled_from(("<think>", "</think>", "`", "```", "\n", " ", "a", ".", '"', "~~~", "<", "[/THINK]"))))
@example(["<think>", "`", "</think>", "`", "</think>"])
def test_no_character_is_lost_or_moved_by_where_it_is_cut(pieces: list[str]):
    answer = "".join(pieces)
    whole = split(answer)
    assert split(*pieces) == split(*answer) == whole
    for character in "a.\"'":
        assert sum(part.count(character) for part in whole) == answer.count(character)


def test_what_is_split_once_is_not_split_again():
    for answer in (*ANSWERS, *PLAIN):
        reply = TurnAccumulator()
        for step in split_reasoning(split_reasoning(iter([*map(Delta, answer), Delta(finish_reason="stop")]))):
            reply.add(step)
        assert reply.text == split(answer)[0]


def test_little_is_held_back_for_a_tag_that_stays_undecided():
    splitter = ThinkingSplitter()
    splitter.feed("<think>a ` b </think>")
    fed = ["x" * 16] * (MAX_HELD // 16 + 2)
    steps = [step for piece in fed for step in splitter.feed(piece)]
    assert "".join(step.text for step in steps) == "".join(fed)


def test_other_fields_keep_their_place_beside_the_split_text():
    usage = Usage(1, 2)
    deltas = [
        Delta("<think>a</think>b", "native", usage=usage),
        Delta("<thi", notice="retrying"),
        Delta(finish_reason="stop"),
    ]
    steps = list(split_reasoning(iter(deltas)))
    assert [(step.text, step.reasoning) for step in steps[:3]] == [("", "native"), ("", "a"), ("b", "")]
    assert [step.usage for step in steps if step.usage] == [usage]
    assert [step.notice for step in steps if step.notice] == ["retrying"]
    assert steps[-1] == Delta("<thi", finish_reason="stop")


def test_what_was_held_back_comes_before_an_error():
    def broken() -> Iterator[Delta]:
        yield Delta("Four <thi")
        raise ServerError("gone")

    seen = []
    with pytest.raises(ServerError):
        seen.extend(step.text for step in _noting(split_reasoning(broken()), seen))
    assert "".join(seen) == "Four <thi"


def _noting(steps: Iterator[Delta], seen: list[str]) -> Iterator[Delta]:
    for step in steps:
        seen.append(step.text)
        yield step._replace(text="")


class Muser(Provider):
    """A plug-in whose model writes its thoughts into the text."""

    name = "muser"

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        for piece in ("<thi", "nk>Hmm.</th", "ink>\n\n", "Four."):
            yield Delta(piece)


class QuietMuser(Muser):
    """Calls the wrapped method of its base class."""

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        yield from super().stream(request)


def test_every_provider_separates_reasoning_from_text():
    for model in (Muser(), QuietMuser(), lambda prompt: "<think>Hmm.</think>\n\nFour."):
        turn = Chat(model).ask("2 + 2?")
        assert (turn.reply, turn.reasoning) == ("Four.", "Hmm.")
    for stream in (True, False):
        assert "".join(QuietMuser.create_completion("", [], stream=stream)) == "Four."


def test_text_before_a_lone_closing_tag_is_taken_out_of_the_turn():
    chat = Chat(lambda prompt: ["Two and", " two.\n", "</think>\n", "Four."])
    reply = chat.stream("2 + 2?")
    steps = list(reply.deltas)
    assert [step.text for step in steps if step.retracts] == [""]
    assert (reply.turn.reply, reply.turn.reasoning) == ("Four.", "Two and two.")
    assert chat.prepare("And?").request.messages[1].content == "Four."


def test_text_of_earlier_rounds_is_not_iterated_again():
    def double(n: int) -> int:
        """Return twice the number."""
        return 2 * n

    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "double", "arguments": '{"n": 2}'}}
    first = events(delta(content="Let me see."), delta(tool_calls=[call]), delta("tool_calls"))
    with chat_server(in_turn(first, say("Hmm.\n</think>\nFour."))) as (url, _):
        reply = Chat("vllm:m", base_url=url).stream("2 + 2?", tools=[double])
        text = "".join(reply)
    assert text.count("Let me see.") == text.count("Four.") == 1
    assert (reply.turn and reply.turn.reply) == "Let me see.\n\nFour."


def test_every_service_has_its_reasoning_split_off(mock_server):
    for service in ("openai", "lockchat", "liaobots"):
        chat = Chat(service, base_url=mock_server.url(service), auth="mock")
        for prompt in ("say <think>Hmm.</think>Four.", "say Hmm.</think>Four."):
            turn = chat.ask(prompt)
            assert (turn.reply, turn.reasoning) == ("Four.", "Hmm."), service


def test_code_is_not_taken_out_of_thoughts(run, shell):
    text = "<think>\n```python\nx = 1\n```\n</think>\n```python\nx = 2\n```"
    with chat_server(in_turn(say(text))) as (url, _):
        assert run(f"%%chat -m openai:m --base-url {url} --as code --to code\nWrite it.").error is None
    assert shell.user_ns["code"] == "x = 2"


def test_a_recorded_reply_holds_its_reasoning_as_such(tmp_path):
    tape = tmp_path / "talk.jsonl"
    for text in ("<think>Hmm.</think>Four.", "Hmm.\n</think>\nFour."):
        with chat_server(in_turn(say(text))) as (url, _):
            recorded = Chat("vllm:m", base_url=url, cassette=tape, mode="new").ask("2 + 2?")
        played = Chat("vllm:m", cassette=tape, mode="replay").ask("2 + 2?")
        for turn in (recorded, played):
            assert (turn.reply, turn.reasoning.strip()) == ("Four.", "Hmm.")
        assert '"reply": "Four."' in tape.read_text("utf-8")


def test_text_of_earlier_rounds_is_not_retracted():
    reply = TurnAccumulator()
    reply.add(Delta("One."))
    reply.add(Delta(calls=(ToolCall("a", "f", "{}", "1"),)))
    reply.add(Delta("Hmm."))
    shown = reply.add(Delta("Two.", retracts=True))
    assert shown.text == reply.text == "One.\n\nTwo."
    assert [part.text for part in reply.rounds[1].parts] == ["Hmm.", "Two."]
