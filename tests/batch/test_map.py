"""A prompt for each row: rows of every kind, answers beside them, errors as values."""

import enum
import json
import re
from collections import namedtuple
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import polars as pl
import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.documents import DocumentRules
from lockbots_magic.errors import AuthenticationError, ContextLengthError, RateLimitError, UsageError
from tests.batch.server import RowServer, refusal, whole


def shout(prompt: str) -> str:
    return prompt.upper()


def test_rows_of_dicts_become_a_frame_with_a_plain_index():
    batch = Chat(shout).map("say {{ word }}", [{"word": "a"}, {"word": "b"}])
    expected = pd.DataFrame({"word": ["a", "b"], "reply": ["SAY A", "SAY B"], "error": ["", ""]})
    pd.testing.assert_frame_equal(batch.frame, expected)
    assert batch.rows == expected.to_dict("records")
    assert batch.failed == []


def test_frame_keeps_its_index_and_its_columns():
    frame = pd.DataFrame({"review": ["good", "bad", "good"]}, index=[7, 3, 7])
    result = Chat(shout).map("{{ review }}!", frame).frame
    assert list(result.index) == [7, 3, 7]
    assert list(result.columns) == ["review", "reply", "error"]
    assert list(result.reply) == ["GOOD!", "BAD!", "GOOD!"]
    assert list(frame.columns) == ["review"], "the frame that was given has changed"


def test_rows_may_come_in_any_form():
    Point = namedtuple("Point", "x")

    @dataclass
    class Item:
        x: str

    for rows in (
        pd.Series(["a", "b"], name="x"),
        pl.Series("x", ["a", "b"]),
        pl.DataFrame({"x": ["a", "b"]}),
        pl.DataFrame({"x": ["a", "b"]}).lazy(),
        [Point("a"), Point("b")],
        [Item("a"), Item("b")],
        ({"x": x} for x in "ab"),
        ["a", "b"],
        iter(["a", "b"]),
        pd.Series(["a", "b"]),
    ):
        batch = Chat(shout).map("-{{ x }}", rows)
        assert [row.value for row in batch.answers] == ["-A", "-B"], type(rows)
        assert len(batch.frame) == 2
    assert isinstance(Chat(shout).map("-{{ x }}", pl.DataFrame({"x": ["a"]})).frame, pl.DataFrame)


def test_what_is_no_table_is_refused():
    for rows in ("text", {"x": 1}, 7, None):
        with pytest.raises(UsageError, match="rows must be"):
            Chat(shout).map("{{ x }}", rows)


UNIT = "km"


def test_other_names_are_the_callers():
    batch = Chat(shout).map("{{ x + offset }} {{ unit }}", [{"x": 1}], variables={"offset": 1, "unit": "m"})
    assert batch.rows[0]["reply"] == "2 M"
    sign = ["!"]
    template = "{{ x }} {{ UNIT }}{{ ''.join(mark for mark in sign) }}"
    assert Chat(shout).map(template, [{"x": 1}]).rows[0]["reply"] == "1 KM!"
    assert [row.value for row in Chat(shout).rows(template, [{"x": 1}])] == ["1 KM!"]
    assert sign


def test_a_row_may_be_named_whole():
    assert Chat(shout).map("{{ row['x y'] }}", [{"x y": 1}]).rows[0]["reply"] == "1"


def test_unknown_name_is_refused_before_the_first_request():
    asked = []
    with pytest.raises(UsageError, match=r"reviw.*neither a column nor a variable. Columns: review"):
        Chat(asked.append).map("{{ reviw }}", [{"review": "x"}])
    assert asked == []


@pytest.mark.parametrize(
    ("written", "column"),
    [("Unit price", "Unit price"), ("class", "class"), ("a-b", "a-b"), ("2020", "2020"), ("Отзыв клиента",) * 2],
)
def test_column_whose_name_is_no_name_of_python_is_shown_the_way(written, column):
    asked = []
    with pytest.raises(UsageError, match=re.escape(f"The column is {{{{ row['{column}'] }}}}.")) as error:
        Chat(asked.append).map(f"{{{{ {column} }}}}", [{column: 5}])
    assert "--raw" not in str(error.value)
    assert asked == []
    assert Chat(shout).map(f"{{{{ row['{column}'] }}}}", [{column: 5}]).rows[0]["reply"] == "5"


def test_columns_with_numbers_or_two_headers_are_found_by_these():
    numbered = pd.DataFrame([["a", "b"]])
    assert (
        Chat(shout).map("{{ row[0] }} {{ row['1'] }} {{ row }}", numbered).rows[0]["reply"]
        == "A B {'0': 'A', '1': 'B'}"
    )
    headed = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("price", "mean"), ("price", "max")]))
    assert Chat(shout).map("{{ row['price', 'max'] }}", headed).rows[0]["reply"] == "2"
    assert "KeyError: 'x'" in Chat(shout).map("{{ row['x'] }}", numbered).answers[0].error


def test_columns_of_one_row_are_not_those_of_the_next():
    batch = Chat(shout).map("{{ a }}{{ b }}", [{"a": 1, "b": 2}, {"a": 3}])
    assert [bool(row.error) for row in batch.answers] == [False, True]
    assert "b" in batch.answers[1].error


def test_equal_rows_are_asked_once():
    asked = []

    def model(prompt):
        asked.append(prompt)
        return prompt

    batch = Chat(model).map("{{ x }}", [{"x": x} for x in "abacab"])
    assert sorted(asked) == ["a", "b", "c"]
    assert [row.value for row in batch.answers] == list("abacab")
    assert (batch.usage.rows, batch.usage.asked, batch.usage.reused, batch.usage.failed) == (6, 3, 3, 0)


def test_each_row_starts_from_the_system_prompt_alone():
    def model(messages):
        return f"{len(messages)} {messages[0]['content']}"

    chat = Chat(model, system="Be brief.")
    chat.ask("before")
    batch = chat.map("{{ value }}", ["a", "b"])
    assert {row.value for row in batch.answers} == {"2 Be brief."}
    assert len(chat.conversation.turns) == 1


@dataclass
class Label:
    mood: Literal["good", "bad"]
    score: int


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


def test_fields_of_a_schema_become_columns_and_a_misfit_an_error():
    replies = {"a": '{"mood": "good", "score": 3}', "b": "no idea", "c": '{"mood": "bad", "score": 1}'}

    def model(prompt):
        return replies[prompt[0]]

    batch = Chat(model).map("{{ x }}", [{"x": x} for x in "abc"], schema=Label)
    frame = batch.frame
    assert list(frame.columns) == ["x", "mood", "score", "error"]
    assert list(frame.mood.fillna("")) == ["good", "", "bad"]
    assert [row.value for row in batch.answers] == [Label("good", 3), None, Label("bad", 1)]
    assert [row.index for row in batch.failed] == [1]
    assert "no JSON" in batch.failed[0].error
    replies["b"] = '{"mood": "good", "score": 2}'
    assert batch.retry() is batch
    assert batch.failed == []
    assert list(batch.frame.score) == [3, 2, 1]
    assert (batch.usage.rows, batch.usage.asked, batch.usage.failed) == (3, 4, 0)


def test_scalar_schema_makes_one_column():
    frame = Chat(lambda prompt: "3").map("{{ value }}", ["x"], schema=int).frame
    assert list(frame.reply) == [3]
    batch = Chat(lambda prompt: '"red"').map("{{ value }}", ["x"], schema=Color)
    assert batch.answers[0].value is Color.RED
    assert list(batch.frame.reply) == ["red"]


def test_columns_that_exist_are_not_overwritten():
    frame = pd.DataFrame({"x": ["a"], "reply": ["mine"], "error": ["mine too"]})
    batch = Chat(shout).map("{{ x }}", frame)
    assert list(batch.frame.columns) == ["x", "reply", "error", "reply_2", "error_2"]
    assert list(batch.frame.iloc[0]) == ["a", "mine", "mine too", "A", ""]
    assert any("'reply_2'" in note for note in batch.notes)
    assert "reply_2" in repr(batch)


def test_field_of_the_answers_is_not_overwritten_by_the_errors():
    @dataclass
    class Line:
        error: bool

    chat = Chat(lambda prompt: '{"error": true}' if prompt[0] == "a" else "?")
    batch = chat.map("{{ x }}", [{"x": "a"}, {"x": "b"}], schema=Line)
    assert [row["error"] for row in batch.rows] == list(batch.frame["error"]) == [True, None]
    assert [bool(error) for error in batch.frame["error_2"]] == [False, True]
    assert batch.notes == ("the answers have a field 'error': errors are in 'error_2'",)


def test_failure_of_a_row_is_a_value_of_the_row():
    def model(prompt):
        if prompt == "b":
            raise ContextLengthError("Too long.", status=400)
        return prompt

    batch = Chat(model).map("{{ value }}", list("abc"))
    assert [row.value for row in batch.answers] == ["a", None, "c"]
    assert batch.failed[0].error.startswith("ContextLengthError: Too long.")


def test_table_without_rows_is_an_empty_batch():
    batch = Chat(shout).map("{{ x }}", pd.DataFrame({"x": []}))
    assert list(batch.frame.columns) == ["x", "reply", "error"]
    assert len(batch) == 0
    assert Chat(shout).map("{{ x }}", []).rows == []


def test_generator_is_read_as_it_is_needed():
    read = []

    def numbers():
        for number in range(1000):
            read.append(number)
            yield {"n": number}

    rows = iter(Chat(shout).rows("{{ n }}", numbers(), active=4))
    for _ in range(10):
        next(rows)
    assert len(read) <= 10 + 8
    rows.close()


def test_failing_iterable_ends_the_batch_and_keeps_the_answers():
    def numbers():
        yield {"n": 1}
        raise OSError("disk gone")

    batch = Chat(shout).map("{{ n }}", numbers())
    assert [row.value for row in batch.answers] == ["1"]
    assert "disk gone" in batch.stopped


def test_sample_is_spread_over_the_table():
    batch = Chat(shout).map("{{ x }}", pd.DataFrame({"x": range(100)}), sample=4)
    assert list(batch.frame.x) == [0, 25, 50, 75]
    assert len(Chat(shout).map("{{ x }}", ({"x": n} for n in range(100)), sample=3).frame) == 3
    with pytest.raises(UsageError, match="sample"):
        Chat(shout).map("{{ x }}", [{"x": 1}], sample=0)


def test_wrong_credential_ends_the_batch_at_once():
    with RowServer(lambda prompt, number: refusal(401, "Incorrect API key provided")) as server:
        chat = Chat("openai:m", base_url=server.url, auth="wrong", backoff=0)
        batch = chat.map("{{ value }}", [str(n) for n in range(1000)], active=4)
        assert server.count <= 4
    assert "Incorrect API key" in batch.stopped
    assert len(batch.failed) == len(batch.frame) == 1000
    assert batch.answers[0].error.startswith("AuthenticationError")
    assert batch.answers[999].error.startswith("Not asked: ")
    assert batch.usage.rows == 1000


def test_missing_credential_raises_before_the_first_request():
    with pytest.raises(AuthenticationError):
        Chat("openai:gpt-4o-mini").map("{{ value }}", ["a"])
    with pytest.raises(AuthenticationError):
        Chat("openai:gpt-4o-mini").rows("{{ value }}", ["a"])


def test_failed_attempts_are_retried_and_the_rest_are_errors():
    def answer(prompt, number):
        if prompt == "broken":
            return refusal(500, "oops")
        return whole(prompt) if number > 2 or prompt == "fine" else None

    with RowServer(answer) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k", backoff=0.001, max_retries=2)
        batch = chat.map("{{ value }}", ["fine", "reset", "broken"])
    assert [row.value for row in batch.answers] == ["fine", "reset", None]
    assert batch.failed[0].error.startswith("ServerError")
    assert server.asked == {"fine": 1, "reset": 3, "broken": 3}


def test_usage_and_cost_are_those_of_the_requests():
    with RowServer() as server:
        chat = Chat("openai:m", base_url=server.url, auth="k")
        batch = chat.map("{{ value }}", ["a", "b", "a"], prices={"openai:m": [1_000_000, 2_000_000]})
    assert (batch.usage.tokens, batch.usage.prompt_tokens, batch.usage.completion_tokens) == (30, 20, 10)
    assert batch.usage.cost == pytest.approx(40)
    assert batch.usage.seconds > 0
    assert not server.bodies[0]["stream"], "nobody watches a row come"


def test_exhausted_quota_ends_the_batch():
    def model(prompt):
        raise RateLimitError("Your credit is used up.", status=402)

    batch = Chat(model).map("{{ value }}", list("abcdef"), active=1)
    assert batch.usage.asked == 1
    assert "credit" in batch.stopped


def test_files_and_images_of_a_row_go_with_its_prompt(tmp_path):
    (tmp_path / "a.txt").write_text("text of a")
    image = "data:image/png;base64,iVBORw0KGgo="
    rows = [{"file": str(tmp_path / "a.txt"), "image": image}, {"file": str(tmp_path / "gone.txt"), "image": image}]
    with RowServer(lambda prompt, number: whole("ok")) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k")
        batch = chat.map("Read it: {{ 1 + 1 }}", rows, files="file", images=["image"])
        (body,) = server.bodies
    assert [row.value for row in batch.answers] == ["ok", None]
    assert "gone.txt" in batch.failed[0].error
    text, picture = body["messages"][-1]["content"]
    assert "text of a" in text["text"]
    assert text["text"].endswith("Read it: 2")
    assert picture["image_url"]["url"] == image


def test_image_of_every_row_is_a_file_a_url_or_bytes():
    image = "data:image/png;base64,iVBORw0KGgo="
    with RowServer(lambda prompt, number: whole("ok")) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k")
        chat.map("{{ value }}", ["a"], images=[image, b"\x89PNG\r\n\x1a\n"])
        (body,) = server.bodies
    assert [part["image_url"]["url"] for part in body["messages"][-1]["content"][1:]] == [image, image]


def test_prompt_of_a_row_that_is_too_long_is_its_error(mock_server):
    chat = Chat("liaobots:gpt-3.5-turbo", auth="mock", base_url=mock_server.url("liaobots"))
    batch = chat.map("{{ value }}", ["a", "x" * 12001])
    assert [bool(row.error) for row in batch.answers] == [False, True]
    assert "12000" in batch.failed[0].error


def test_equal_documents_of_other_names_are_other_rows(tmp_path, monkeypatch):
    (tmp_path / "a.html").write_text("<p>Hello</p>")
    (tmp_path / "b.html").write_text("<p>Hello</p>")
    rows = [{"file": str(tmp_path / name)} for name in ("a.html", "b.html", "a.html")]
    with RowServer(lambda prompt, number: whole("ok")) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k", dialect="chat-completions", send_documents="native")
        rules = DocumentRules(frozenset({"text/html"}), max_data=1000)
        monkeypatch.setattr(type(chat.provider), "document_rules", lambda provider, model: rules)
        chat.map("What is it called?", rows, files="file", tools=(one for one in [shout]))
        names = [body["messages"][-1]["content"][0]["file"]["filename"] for body in server.bodies]
    assert sorted(names) == ["a.html", "b.html"]
    assert all(body["tools"] for body in server.bodies), "the tools were used up by the first request"


def test_each_expression_is_evaluated_once():
    numbers = iter(range(10))
    batch = Chat(shout).map("{{ next(numbers) }} {{ [x] }}", [{"x": 1}, {"x": 2}], variables={"numbers": numbers})
    assert [row.value for row in batch.answers] == ["0 [1]", "1 [2]"]


def test_credential_in_a_row_is_not_sent(monkeypatch):
    monkeypatch.setenv("GATEWAY_API_KEY", "sk-" + "0123456789abcdef")
    asked = []
    batch = Chat(lambda prompt: asked.append(prompt) or "ok").map("{{ x }}", [{"x": "key sk-" + "0123456789abcdef"}])
    assert asked == ["key ***"]
    assert any("credential" in note for note in batch.notes)


def test_tools_follow_the_policy_of_approval():
    called = []

    def weigh(name: str) -> int:
        """Weigh a bird."""
        called.append(name)
        return 7

    def answer(prompt, number):
        if "weigh" not in prompt:
            return whole(f"It said {prompt}")
        call = {"id": "c1", "type": "function", "function": {"name": "weigh", "arguments": '{"name": "a"}'}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return (
            200,
            {},
            json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}).encode(),
        )

    for approve, expected in (("auto", "It said 7"), ("never", None)):
        called.clear()
        with RowServer(answer) as server:
            chat = Chat("openai:m", base_url=server.url, auth="k")
            batch = chat.map("weigh {{ value }}", ["a"], tools=[weigh], approve=approve)
        assert not batch.stopped
        assert bool(called) == (expected is not None)
        if expected:
            assert batch.answers[0].value == expected
