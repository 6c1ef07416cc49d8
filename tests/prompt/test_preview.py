"""Preview of a request: `--dry-run`."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.conversation.messages import ChatRequest, Message
from lockbots_magic.conversation.token_estimate import estimate_tokens
from lockbots_magic.prompt.preview import MAX_URL_LENGTH, describe_request
from lockbots_magic.providers import provider_class
from lockbots_magic.security.secrets import Secret
from lockbots_magic.tools.toolbox import Toolbox

SECRET = "sk-planted-credential-of-some-length"


def weather(city: str, days: int = 1) -> str:
    """Tell the weather.

    Args:
        city: its name, "Осло" among them.
    """
    return f"rain in {city} for {days} d"


def clock() -> str:
    """Tell the time."""
    return "noon"


def dry(*messages, tools=(), params=None, auth=None, **more):
    """Lines of the preview of a request with these messages."""
    provider = provider_class("openai")(auth=auth)
    offered = Toolbox(tools).tools if tools else ()
    request = ChatRequest("gpt-4o", messages or (Message("user", "Hi!"),), params or {}, tools=offered)
    return describe_request(provider, request, **more).split("\n")


def section(lines, begins):
    """The lines indented below the line with this beginning."""
    (at,) = [n for n, line in enumerate(lines) if line.startswith(begins)]
    return [line[4:] for line in lines[at + 1 : [*lines, ""].index("", at)]]


def test_plain_request_takes_a_few_lines():
    assert dry(Message("system", "Be kind."), Message("user", "Say\n  hi."), params={"temperature": 0.5, "x": "é"}) == [
        "Nothing was sent. The request:",
        "to: openai:gpt-4o at https://api.openai.com/v1",
        "credential: missing",
        'parameters: {"temperature": 0.5, "x": "é"}',
        "total: 2 messages, 17 characters, about 13 tokens",
        "",
        "system (8 characters, about 6 tokens):",
        "    Be kind.",
        "",
        "user (9 characters, about 7 tokens):",
        "    Say",
        "      hi.",
    ]


def test_preview_says_what_does_not_fit_and_what_was_left_out():
    lines = dry(
        left_out=2,
        notes=["df: only 40 of 1,000 rows were sent"],
        cassette="talk.jsonl, mode auto",
        too_long="12 of 10 tokens",
    )
    assert lines[1] == "too long: 12 of 10 tokens"
    assert {
        "left out to fit: 2 older turns",
        "note: df: only 40 of 1,000 rows were sent",
        "cassette: talk.jsonl, mode auto",
    } < {*lines}


def test_the_schema_of_a_function_is_shown_as_it_would_be_sent():
    lines = dry(tools=[weather])
    assert json.loads("\n".join(section(lines, "function weather ("))) == Toolbox([weather]).tools[0].to_dict()
    assert any('name, "Осло" among them'.replace('"', '\\"') in line for line in lines)


def test_functions_are_counted():
    sizes = [json.dumps(tool.to_dict(), ensure_ascii=False) for tool in Toolbox([weather, clock]).tools]
    characters = 3 + sum(map(len, sizes))
    tokens = 5 + sum(map(estimate_tokens, sizes))
    lines = dry(tools=[weather, clock])
    assert f"total: 1 message, 2 functions, {characters:,} characters, about {tokens:,} tokens" in lines
    assert f"function clock ({len(sizes[1])} characters, about {estimate_tokens(sizes[1])} tokens):" in lines


def test_a_message_of_an_image_alone_has_no_line_of_text():
    url = f"data:image/png;base64,{'A' * 1000}"
    assert dry(Message("user", "", (url, "https://a.example/b.png")))[-3:] == [
        "user (0 characters, 2 images, about 2,004 tokens):",
        f"    image 1: {url[:MAX_URL_LENGTH]}… (1,022 characters)",
        "    image 2: https://a.example/b.png",
    ]


def test_preview_contains_no_part_of_a_credential():
    held = Secret(SECRET)

    def leaking():
        return ""

    leaking.__doc__ = f"Uses {SECRET}."
    urls = [f"https://a.example/{'x' * n}?key={SECRET}" for n in range(MAX_URL_LENGTH)]
    told = dry(
        Message("user", SECRET, (*urls,)),
        tools=[leaking],
        params={"key": [SECRET]},
        notes=[SECRET],
        auth=held,
        too_long=SECRET,
    )
    assert "credential: given" in told
    assert "sk-plant" not in "\n".join(told)
    assert not any(line.endswith("key=sk") for line in told)


@given(st.text(), st.lists(st.text(min_size=1), max_size=2))
def test_content_cannot_imitate_lines_of_the_preview(text, urls):
    lines = dry(Message("user", text, (*urls,)))
    at = next(n for n, line in enumerate(lines) if line.startswith("user ("))
    assert at == 5
    assert all(line.startswith("    ") for line in lines[at + 1 :])


def test_half_a_surrogate_pair_is_shown_as_a_replacement_character():
    chat = Chat("openai:m", base_url="http://127.0.0.1:9/v1")
    shown = describe_request(chat.provider, chat.prepare("a\ud800b").request)
    assert "a\ufffdb" in shown
