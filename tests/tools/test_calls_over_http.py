"""Tool calls between a chat and a server: what a server is told of earlier calls, and what never happens."""

import json
from contextlib import suppress

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import CellOrigin
from lockbots_magic.errors import Interrupted, ProviderError
from lockbots_magic.prompt.preview import describe_request
from lockbots_magic.storage.files import export_conversation, import_conversations, load_conversation, save_conversation
from lockbots_magic.storage.output_metadata import metadata, parse_record
from tests.providers.refusing_server import DONE, chunk, refusing
from tests.rawserver import RawServer

SIGNED = {"extra_content": {"google": {"thought_signature": "c2lnbmVk"}}}
TOLD = "Tell me the weather."


class Server(RawServer):
    """Answers the chat requests with the given streams, one after the other, and the last one again and again."""

    def __init__(self, *streams):
        def script(peer):
            while peer.request():
                peer.answer(streams[min(len(self.bodies), len(streams)) - 1], Content_Type="text/event-stream")

        super().__init__(script)

    def __enter__(self):
        super().__enter__()
        return self

    @property
    def bodies(self):
        return [json.loads(request.body) for request in self.requests]

    def chat(self, **more):
        return Chat("openai:m", base_url=f"{self.url}/v1", auth="sk-test-0000000000", max_retries=0, **more)

    def messages(self, request=-1):
        return self.bodies[request]["messages"]


def calls(*names, reason="tool_calls", done=DONE, **more):
    asked = [
        {"index": n, "id": f"c{n}", "type": "function", "function": {"name": name, "arguments": arguments}, **more}
        for n, (name, arguments) in enumerate(names)
    ]
    return chunk(tool_calls=asked) + chunk(reason) + done


def says(text):
    return chunk(content=text) + chunk("stop") + DONE


def weather(city: str = "Oslo") -> str:
    """Say the weather of a city."""
    return f"20 degrees in {city}"


def roles(messages):
    return [message["role"] for message in messages]


ROME = calls(("weather", '{"city": "Rome"}'), **SIGNED)
CALLED = ["user", "assistant", "tool", "assistant", "user"]


def test_next_request_begins_like_the_one_before():
    rounds = [calls(("weather", "{}"), ("weather", '{"city": "Rome"}')), calls(("weather", "{}")), says("Warm.")]
    with Server(*rounds) as server:
        chat = server.chat()
        chat.ask(TOLD, tools=[weather])
        chat.ask("And now?", tools=[weather])
        assert roles(server.messages()) == [
            "user",
            "assistant",
            "tool",
            "tool",
            "assistant",
            "tool",
            "assistant",
            "user",
        ]
        assert server.messages()[:-2] == server.messages(2)  # a cached prefix stays one
        asked = [call["id"] for message in server.messages() for call in message.get("tool_calls", ())]
        assert asked == [message["tool_call_id"] for message in server.messages() if message["role"] == "tool"]
        assert len(set(asked)) == 3


def kept(chat, how, tmp_path):
    """Return the conversation of a chat after it was kept in some form."""
    conversation = chat.conversation
    if how == "file":
        return load_conversation(save_conversation(conversation, tmp_path / "a.json"))
    if how == "export":
        (back,) = import_conversations(export_conversation(conversation, tmp_path / "a.json").path).conversations
        return back
    if how == "notebook":
        records = [json.loads(json.dumps(metadata(entry, "cell"))) for entry in conversation.entries()]
        turns = [parse_record(record["lockbots"]).entry.turn for record in records]
        return Conversation(turns=turns)
    return conversation.fork("fork")


@pytest.mark.parametrize("how", ["fork", "file", "export", "notebook"])
def test_calls_outlast_saving(how, tmp_path):
    with Server(ROME, says("Warm.")) as server:
        chat = server.chat()
        chat.ask(TOLD, tools=[weather])
        server.chat(conversation=kept(chat, how, tmp_path)).ask("And now?")
        messages = server.messages()
        assert roles(messages) == CALLED
        (call,) = messages[1]["tool_calls"]
        assert call["function"] == {"name": "weather", "arguments": '{"city": "Rome"}'}
        assert messages[2] == {"role": "tool", "content": "20 degrees in Rome", "tool_call_id": call["id"]}
        assert call.get("extra_content") == (None if how == "export" else SIGNED["extra_content"])


def test_a_signature_goes_back_in_the_loop_and_later_but_to_nobody_else():
    with Server(ROME, says("Warm.")) as server, Server(says("Hi.")) as other:
        chat = server.chat()
        chat.ask(TOLD, tools=[weather])
        chat.ask("And now?", tools=[weather])
        assert all(request["messages"][1]["tool_calls"][0].items() >= SIGNED.items() for request in server.bodies[1:])
        other.chat(conversation=chat.conversation).ask("And now?")
        chat.model = "n"
        chat.ask("And now?")
        Chat("gemini:m", base_url=f"{server.url}/v1", auth="k", conversation=chat.conversation).ask("And now?")
        for request in (other.bodies[-1], *server.bodies[-2:]):
            assert roles(request["messages"])[:5] == CALLED
            assert "signature" not in json.dumps(request)


def test_a_cassette_replays_calls_with_their_signature(tmp_path):
    path = tmp_path / "talk.jsonl"
    with Server(ROME, says("Warm.")) as server:
        recorded = server.chat(cassette=path, mode="record")
        said = [recorded.ask(prompt, tools=[weather]).rounds for prompt in (TOLD, "And now?")]
    ran = []

    def weather_again(city: str = "Oslo") -> str:
        """Say the weather of a city."""
        ran.append(city)
        return "never"

    weather_again.__name__ = "weather"
    replayed = server.chat(cassette=path, mode="replay")
    assert [replayed.ask(prompt, tools=[weather_again]).rounds for prompt in (TOLD, "And now?")] == said
    assert not ran
    assert said[0][0].parts[0].opaque.data == SIGNED


def test_an_interrupt_in_a_call_leaves_no_call_without_a_result():
    def stop():
        raise KeyboardInterrupt

    with Server(calls(("weather", "{}"), ("stop", "{}"), ("weather", "{}")), says("Warm.")) as server:
        chat = server.chat()
        with pytest.raises(Interrupted):
            chat.ask(TOLD, tools=[weather, stop])
        chat.ask("And now?", tools=[weather, stop])
        messages = server.messages()
        assert roles(messages) == ["user", "assistant", "tool", "tool", "assistant", "user"]
        assert [call["function"]["name"] for call in messages[1]["tool_calls"]] == ["weather", "stop"]
        assert messages[3]["content"] == "interrupted"


def test_a_service_without_tools_gets_calls_as_text():
    told = []

    def model(messages):
        told.extend(messages)
        return "Hi."

    with Server(ROME, says("Warm.")) as server:
        chat = server.chat()
        chat.ask(TOLD, tools=[weather])
        Chat(model, conversation=chat.conversation).ask("And now?")
    assert [message["role"] for message in told] == ["user", "assistant", "user"]
    assert told[1]["content"] == '[Called weather(city="Rome"); result: 20 degrees in Rome]\n\nWarm.'


@pytest.mark.parametrize("words", [
    "Requests which have `tool_use` or `tool_result` blocks in history must define tools",
    "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
    "registry.ollama.ai/library/m does not support tools", "Invalid role: tool",
])  # fmt: skip
def test_calls_are_sent_as_text_where_they_are_refused_without_tools(words):
    def refusal(body):
        return words if "tools" not in body and any("tool_calls" in message for message in body["messages"]) else None

    with Server(ROME, says("Warm.")) as server, refusing(refusal) as strict:
        chat = server.chat()
        chat.ask(TOLD, tools=[weather])
        elsewhere = Chat("openai:m", base_url=f"{strict.url}/v1", auth="k", conversation=chat.conversation)
        assert elsewhere.ask("And now?").reply == "ok"
        assert elsewhere.ask("And now?").reply == "ok"
        bodies = strict.bodies()
        assert len(bodies) == 3
        assert roles(bodies[1]["messages"]) == ["user", "assistant", "user"]
        assert bodies[1]["messages"][1]["content"].endswith("\n\nWarm.")


def test_a_dry_run_shows_and_counts_calls():
    with Server(ROME, says("Warm.")) as server:
        chat = server.chat()
        chat.ask(TOLD, tools=[weather])
        shown = describe_request(chat.provider, chat.prepare("And now?", origin=CellOrigin()).request)
    assert 'call: weather(city="Rome")' in shown
    assert "20 degrees in Rome" in shown
    assert "assistant (23 characters" in shown


@pytest.mark.parametrize("stream", [
    calls(("weather", '{"city": "Rome"}'), reason=None, done=b""),
    calls(("weather", '{"city": "Rome"}'), reason="length"),
    calls(("weather", '{"city": "Rome"}'), reason="network_error"),
    calls(("weather", '{"city": "Ro')), calls(("weather", "")), calls(("weather", None)),
    calls(("weather", '{"city": "Rome"}{"city": "Oslo"}')), calls(("weather", '"Rome"')),
    chunk(tool_calls=[{"function": {"arguments": '{"city": "Rome"}'}}]) + chunk("tool_calls") + DONE,
])  # fmt: skip
def test_a_function_never_runs_without_its_arguments(stream):
    ran = []

    def weather(city: str = "everything") -> str:
        """Say the weather of a city."""
        ran.append(city)
        return "20 degrees"

    with Server(stream, says("Sorry.")) as server, suppress(ProviderError):
        turn = server.chat().ask(TOLD, tools=[weather])
        assert turn.status == "truncated" or turn.calls[0].result.startswith("error: Invalid arguments")
    assert not ran


def test_a_function_without_parameters_needs_no_arguments():
    with Server(calls(("roll", "")), says("Four.")) as server:
        turn = server.chat().ask("Roll.", tools=[roll])
    assert [call.result for call in turn.calls] == ["4"]


def roll() -> int:
    """Roll a dice."""
    return 4


ANNOUNCED = chunk(content="Hello.", tool_calls=[]) + chunk("tool_calls") + DONE


@pytest.mark.parametrize(("stream", "tools", "error"), [
    (ANNOUNCED, [weather], "The server announced tool calls but sent none."),
    (ANNOUNCED, [], "The server announced tool calls but sent none."),
    (ROME, [], "The model asked for a tool call, but no tools were offered."),
])  # fmt: skip
def test_calls_that_were_not_made_are_told(stream, tools, error):
    with Server(stream) as server:
        turn = server.chat().ask("Hi", tools=tools)
    assert (turn.status, turn.error) == ("truncated", error)


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
def test_a_call_as_text_is_told_and_not_made(reason):
    ran = []

    def weather(city: str = "everything") -> str:
        """Say the weather of a city."""
        ran.append(city)
        return "20 degrees"

    text = 'I will look.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>'
    with Server(chunk(content=text) + chunk(reason) + DONE) as server:
        with_tools = server.chat().ask("Hi", tools=[weather])
        without = server.chat().ask("Hi")
    assert with_tools.status == "truncated"
    assert with_tools.error.startswith("The model wrote a tool call as text, so none was made")
    assert with_tools.reply == text
    assert without.status == "complete" or reason == "tool_calls"
    assert not ran


@pytest.mark.parametrize("arguments", [["Rome"], 7, True, "7", "Rome"])
def test_arguments_that_are_no_object_are_refused_as_they_came(arguments):
    call = {"index": 0, "id": "a", "function": {"name": "weather", "arguments": arguments}}
    with Server(chunk(tool_calls=call) + chunk("tool_calls") + DONE, says("Sorry.")) as server:
        turn = server.chat().ask("Hi", tools=[weather])
    assert turn.calls[0].result.startswith("error: Invalid arguments")
    assert "missing" not in turn.calls[0].result
