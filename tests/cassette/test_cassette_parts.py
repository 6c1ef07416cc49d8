"""Record and replay of tool calls and images, and of providers that override or add methods."""

import json
from dataclasses import replace
from typing import ClassVar

import pytest

from lockbots_magic import Chat
from lockbots_magic.cassette.active import cassette_of
from lockbots_magic.cassette.cassette import Cassette
from lockbots_magic.cassette.diff import difference
from lockbots_magic.cassette.provider import CassetteProvider
from lockbots_magic.cassette.recording import Recording
from lockbots_magic.cassette.request import RecordedRequest
from lockbots_magic.conversation.messages import ChatRequest, Delta, Message, Tool, ToolCall
from lockbots_magic.errors import NotRecordedError, UsageError
from lockbots_magic.providers.base import Provider
from lockbots_magic.providers.function import FunctionProvider
from lockbots_magic.security.secrets import Secret
from tests.tools.test_toolbox import Model, add, says, stream, wants

PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
OTHER = PIXEL.replace("SJ", "SK")
ASKED = 'call add {"x": 2} and add {"x": 40, "y": 2}'


def live(mock_server, path, **more):
    return Chat("openai:demo", base_url=mock_server.url("openai"), auth="mock", cassette=path, mode="record", **more)


def played(path, **more):
    return Chat("openai:demo", cassette=path, mode="replay", **more)


def turn_of(chat, prompt, **more):
    reply = chat.stream(prompt, **more)
    "".join(reply)
    return reply.turn


def test_replay_with_tool_calls_runs_no_function(mock_server, path):
    ran = []

    def note(x: int):
        ran.append(x)
        return x + 1

    said = turn_of(live(mock_server, path), 'call note {"x": 2}', tools=[note])
    asked = len(mock_server.requests)
    again = turn_of(played(path), 'call note {"x": 2}', tools=[note])
    assert said.reply == again.reply == "note returned 3."
    assert said.calls == again.calls
    (call,) = again.calls
    assert call[:4] == ("call_1_1", "note", '{"x": 2}', "3")
    assert (call.approved_by, call.elapsed is not None) == ("default", True)
    assert (ran, len(mock_server.requests)) == ([2], asked)


def test_longer_conversation_with_tool_calls_is_replayed(mock_server, path):
    prompts = ["say hi", ASKED, "How many?", ASKED]
    chat, again = live(mock_server, path), None
    said = [turn_of(chat, prompt, tools=[add]).reply for prompt in prompts]
    again = played(path)
    assert [turn_of(again, prompt, tools=[add]).reply for prompt in prompts] == said
    assert said[1] == "add returned 3. add returned 42."
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1 + 6


def test_different_tool_calls_are_shown_as_a_difference():
    calls = [ToolCall("1", "f", '{"x": 1}'), ToolCall("1", "f", '{"x": 2}')]
    asked, recorded = (RecordedRequest("p", "m", (Message("assistant", "", calls=(call,)),)) for call in calls)
    assert difference(asked, [recorded]).splitlines()[-2:] == ['-     call: f({"x": 2})', '+     call: f({"x": 1})']


def test_replay_uses_the_recorded_result_of_a_function(mock_server, path):
    values = iter([1, 2])

    def roll():
        return next(values)

    said = turn_of(live(mock_server, path), "call roll {}", tools=[roll])
    again = turn_of(played(path), "call roll {}", tools=[roll])
    assert said.reply == again.reply == "roll returned 1."
    assert [call.result for call in again.calls] == ["1"]
    assert next(values) == 2, "it was called once"


def test_other_functions_make_another_request(mock_server, path):
    def add_too(x: int):
        return x

    turn_of(live(mock_server, path), ASKED, tools=[add])
    with pytest.raises(NotRecordedError, match="add_to"):
        turn_of(played(path), ASKED, tools=[add, add_too])
    with pytest.raises(NotRecordedError):
        turn_of(played(path), ASKED)


def test_an_image_is_recorded_as_its_digest(mock_server, path):
    said = turn_of(live(mock_server, path), "What is this?", images=[PIXEL])
    assert "I see 1 image." in said.reply
    text = path.read_text(encoding="utf-8")
    assert "iVBORw0" not in text
    assert "sha256:" in text
    assert turn_of(played(path), "What is this?", images=[PIXEL]).reply == said.reply


@pytest.mark.parametrize("images", [[OTHER], [], [PIXEL, PIXEL], [PIXEL, OTHER]], ids=range(4))
def test_another_image_makes_another_request(images, mock_server, path):
    turn_of(live(mock_server, path), "What is this?", images=[PIXEL])
    with pytest.raises(NotRecordedError, match=r"(?m)^[-+]     image: sha256:"):
        turn_of(played(path), "What is this?", images=images)


def test_conversation_after_an_image_is_replayed(mock_server, path):
    prompts = [("What is this?", [PIXEL]), ("And now?", []), ("And this?", [OTHER, PIXEL])]
    chat = live(mock_server, path)
    said = [turn_of(chat, prompt, images=images).reply for prompt, images in prompts]
    again = played(path)
    assert [turn_of(again, prompt, images=images).reply for prompt, images in prompts] == said
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    assert [len(line["request"]["messages"]) for line in lines] == [1, 1, 1]  # each follows the one before


def test_images_and_tool_calls_are_replayed_together(mock_server, path):
    said = turn_of(live(mock_server, path), ASKED, images=[PIXEL], tools=[add])
    assert turn_of(played(path), ASKED, images=[PIXEL], tools=[add]).reply == said.reply


def test_a_credential_in_a_call_is_not_recorded(path):
    secret = Secret("planted-credential-0123456789")
    model = Model(wants(("echo", json.dumps({"word": secret.reveal()}))), says("done"))

    def echo(word: str):
        return f"{word} {secret.reveal()}"

    asked = ChatRequest("m", (Message("user", "hi"),))
    list(stream([echo], CassetteProvider(model, Cassette(path, "record")), asked))
    assert secret.reveal() not in path.read_text(encoding="utf-8")
    again = list(stream([echo], CassetteProvider(Model(), Cassette(path, "replay")), asked))
    assert again[-2:] == [Delta("done"), Delta(finish_reason="stop")]


def test_requests_that_differ_only_in_tool_calls_are_different():
    calls = [ToolCall("1", "f", '{"x": 1}'), ToolCall("1", "f", '{"x": 2}'), ToolCall("1", "g", '{"x": 1}')]
    said = [
        ChatRequest("m", (Message("assistant", "", calls=(call,)), Message("tool", "3", call_id="1"))) for call in calls
    ]
    tool = Tool("f", "", {"type": "object"})
    questions = [RecordedRequest.from_request("p", "m", asked) for asked in (*said, replace(said[0], tools=(tool,)))]
    assert len({question.key for question in questions}) == 4
    assert RecordedRequest.from_request("p", "m", said[0]).key == questions[0].key


def test_line_is_read_as_written():
    image = Message("user", "look", images=(PIXEL,))
    call = ToolCall("1", "f", '{"x": "я"}')
    asked = ChatRequest("m", (image, Message("assistant", "hm", calls=(call,)), Message("tool", "3", call_id="1")))
    recording = Recording(RecordedRequest.from_request("p", "m", asked), "well", calls=(call, call), rhythm=[])
    read = Recording.from_line(json.loads(recording.to_line()))
    assert replace(read, id="") == recording
    assert (read.thread, read.digest()) == (recording.thread, recording.digest())
    following = Recording.from_line(json.loads(Recording(recording.request, calls=(call,), id="a").to_line()))
    more = replace(asked, messages=(*following.messages, Message("tool", "4", call_id="1")))
    after = Recording(RecordedRequest("p", "m", more.messages), "end")
    again = Recording.from_line(json.loads(after.to_line(following)), following)
    assert again.request.key == after.request.key


@pytest.mark.parametrize(
    "calls", [7, [7], [{}], [{"id": 1}], {"id": "x"}, [{"id": "x", "function": {"name": 1, "arguments": ""}}]]
)
def test_malformed_tool_calls_are_refused(calls):
    line = json.loads(Recording(RecordedRequest("p", "m", (Message("user", "hi"),))).to_line())
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        Recording.from_line({**line, "ended": "complete", "calls": calls})


class Plugin(FunctionProvider):
    """A plug-in that overrides and adds to what `Provider` defines."""

    takes_images = True
    extra = "more"

    @property
    def default_model(self):
        return "by property"

    def sees(self, model):
        return model == "sighted"

    def check_params(self, params):
        raise UsageError("my own check")

    def embed(self):
        return self.function


def test_provider_behind_a_cassette_keeps_what_it_overrides_and_adds(path):
    plugin = Plugin(lambda prompt: "hi", max_retries=7)
    wrapped = CassetteProvider(plugin, Cassette(path))
    assert isinstance(wrapped, Provider)
    assert (wrapped.sees("sighted"), wrapped.sees("blind")) == (True, False)
    with pytest.raises(UsageError, match="my own check"):
        wrapped.check_params(["x"])
    assert (wrapped.default_model, wrapped.takes_images, wrapped.extra) == ("by property", True, "more")
    assert wrapped.embed() is plugin.function
    with pytest.raises(AttributeError):
        wrapped.missing  # noqa: B018  # reading it is the test


def test_settings_of_a_provider_behind_a_cassette_apply_to_the_provider(path):
    plugin = Plugin(lambda prompt: "hi", max_retries=7)
    wrapped = CassetteProvider(plugin, Cassette(path))
    plugin.max_retries = 3
    assert wrapped.max_retries == 3
    wrapped.max_retries = 5
    assert plugin.max_retries == 5


def test_plugin_behind_a_cassette_decides_about_images(path):
    class Sighted(FunctionProvider):
        def sees(self, model):
            return True

    chat = Chat(Sighted(lambda messages: str(len(messages[-1]["content"]))), cassette=path)
    chat.ask("look", images=[PIXEL])
    assert chat.ask("and again").reply == str(len("and again"))
    with pytest.raises(NotRecordedError):
        Chat(FunctionProvider(lambda messages: ""), cassette=path, mode="replay").ask("look")


class WithOwnSetting(Provider):
    """A plug-in with an attribute `cassette` that has nothing to do with recording."""

    name = "own-setting"
    models: ClassVar = {}
    default_model = "m"
    needs_auth = False
    cassette = "a setting of the plug-in"

    def stream(self, request):
        yield Delta(f"hello from {self.cassette}", finish_reason="stop")


def test_plug_in_with_an_attribute_cassette_of_its_own_is_recorded_and_replayed(path, monkeypatch):
    assert cassette_of(WithOwnSetting()) is None
    monkeypatch.setenv("LOCKBOTS_CASSETTE", str(path))
    first = Chat(WithOwnSetting()).ask("x")
    assert first.reply == "hello from a setting of the plug-in"
    monkeypatch.setattr(WithOwnSetting, "cassette", "another one")
    monkeypatch.setenv("LOCKBOTS_CASSETTE_MODE", "replay")
    assert Chat(WithOwnSetting()).ask("x").reply == first.reply
    assert cassette_of(Chat(WithOwnSetting()).provider).played == 1


def test_a_changed_function_is_a_miss_that_says_so(mock_server, path):
    turn_of(live(mock_server, path), ASKED_TO_ADD, tools=[add])

    def changed(x: int, y: int = 1) -> int:
        """Add two numbers, and round."""
        return x + y

    changed.__name__ = "add"
    with pytest.raises(NotRecordedError, match="The tool add has changed since it was recorded") as caught:
        turn_of(played(path), ASKED_TO_ADD, tools=[changed])
    assert "+ tool add: " in str(caught.value)


ASKED_TO_ADD = 'call add {"x": 2}'
