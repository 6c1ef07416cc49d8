"""What clients of others do with the mock server, each in a process of its own: ``snippets.py CLIENT URL``.

A client prints one JSON object: the text of a streamed reply and of one that is not, and the type of the error for a
wrong credential; where it can, also the arguments of a tool call, the ids of the models and the tokens used.
"""

from __future__ import annotations

import json
import sys
from typing import Any

PROMPT = "say hi there"
MESSAGES = [{"role": "user", "content": PROMPT}]
CALL = [{"role": "user", "content": 'call add {"a": 1, "b": 2}'}]
NUMBERS = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
TOOLS = [{"type": "function", "function": {"name": "add", "description": "Add.", "parameters": NUMBERS}}]


def use_openai(url: str) -> dict[str, Any]:
    import openai

    client = openai.OpenAI(base_url=url, api_key="mock", max_retries=0)
    create = client.chat.completions.create
    chunks = list(create(model="demo", messages=MESSAGES, stream=True, stream_options={"include_usage": True}))
    called = create(model="demo", messages=CALL, tools=TOOLS).choices[0]
    pieces = create(model="demo", messages=CALL, tools=TOOLS, stream=True)
    deltas = [call for chunk in pieces for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    try:
        openai.OpenAI(base_url=url, api_key="wrong", max_retries=0).models.list()
    except openai.APIStatusError as error:
        refused = type(error).__name__
    return {
        "streamed": "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices),
        "whole": create(model="demo", messages=MESSAGES).choices[0].message.content,
        "usage": [chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens],
        "call": [called.finish_reason, called.message.tool_calls[0].function.arguments],
        "streamed call": "".join(call.function.arguments or "" for call in deltas),
        "models": [model.id for model in client.models.list()],
        "refused": refused,
        **use_responses(client),
    }


def use_responses(client: Any) -> dict[str, Any]:
    """Ask the Responses API, streamed and not, with a tool, with reasoning that goes back, and with an error."""
    create = client.responses.create
    events = list(create(model="demo", input=PROMPT, stream=True))
    last = events[-1].response
    tool = {"type": "function", "name": "add", "parameters": NUMBERS, "strict": False}
    called = create(model="demo", input=CALL, tools=[tool]).output[0]
    pieces = list(create(model="demo", input=CALL, tools=[tool], stream=True))
    result = {"type": "function_call_output", "call_id": called.call_id, "output": "3"}
    answer = create(model="demo", input=[*CALL, called.model_dump(exclude_none=True), result])
    try:
        create(model="demo", input=[{"type": "reasoning", "id": "rs_1", "summary": []}], store=False)
    except Exception as error:  # noqa: BLE001  # of this client
        complaint = type(error).__name__
    return {
        "responses streamed": "".join(event.delta for event in events if event.type == "response.output_text.delta"),
        "responses whole": create(model="demo", input=PROMPT).output_text,
        "responses types": [type(event).__name__ for event in (events[0], events[-1])],
        "responses end": [last.status, last.output_text],
        "responses usage": [last.usage.input_tokens, last.usage.output_tokens],
        "responses call": [called.type, called.name, called.arguments],
        "responses streamed call": "".join(
            event.delta for event in pieces if event.type == "response.function_call_arguments.delta"
        ),
        "responses result": answer.output_text,
        "responses refused": complaint,
    }


def use_litellm(url: str) -> dict[str, Any]:
    import litellm

    def ask(key: str = "mock", **options: Any) -> Any:
        return litellm.completion(model="openai/demo", api_base=url, api_key=key, max_retries=0, **options)

    try:
        ask("wrong", messages=MESSAGES)
    except litellm.AuthenticationError as error:
        refused = type(error).__name__
    called = ask(messages=CALL, tools=TOOLS).choices[0]
    return {
        "streamed": "".join(c.choices[0].delta.content or "" for c in ask(messages=MESSAGES, stream=True)),
        "whole": ask(messages=MESSAGES).choices[0].message.content,
        "call": [called.finish_reason, called.message.tool_calls[0].function.arguments],
        "refused": refused,
    }


def use_llm(url: str) -> dict[str, Any]:
    from llm.default_plugins.openai_models import Chat

    def ask(key: str, *, stream: bool) -> Any:
        model = Chat("demo", model_name="demo", api_base=url)
        model.key = key
        return model.prompt(PROMPT, stream=stream)

    try:
        ask("wrong", stream=False).text()
    except Exception as error:  # noqa: BLE001  # of the client that it uses
        refused = type(error).__name__
    whole = ask("mock", stream=False)
    return {
        "streamed": "".join(ask("mock", stream=True)),
        "whole": whole.text(),
        "usage": [whole.usage().input, whole.usage().output],
        "refused": refused,
    }


def use_chatlas(url: str) -> dict[str, Any]:
    import chatlas

    def chat(key: str = "mock") -> Any:
        return chatlas.ChatOpenAICompletions(model="demo", base_url=url, api_key=key)

    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    try:
        chat("wrong").chat(PROMPT, stream=False, echo="none")
    except Exception as error:  # noqa: BLE001  # of the client that it uses
        refused = type(error).__name__
    tools = chat()
    tools.register_tool(add)
    return {
        "streamed": "".join(chat().stream(PROMPT)),
        "whole": str(chat().chat(PROMPT, stream=False, echo="none")),
        "result": str(tools.chat(CALL[0]["content"], stream=False, echo="none")),
        "refused": refused,
    }


def use_anthropic(url: str) -> dict[str, Any]:
    import anthropic

    def make(key: str = "mock") -> Any:
        return anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key=key, max_retries=0)

    client = make()
    tools = [{"name": "add", "description": "Add.", "input_schema": NUMBERS}]
    asked = {"model": "demo", "max_tokens": 2000}
    with client.messages.stream(**asked, messages=MESSAGES) as stream:
        streamed = "".join(stream.text_stream)
        usage = stream.get_final_message().usage
    whole = client.messages.create(**asked, messages=MESSAGES)
    with client.messages.stream(**asked, messages=CALL, tools=tools) as stream:
        called = stream.get_final_message()
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    with client.messages.stream(**asked, **thinking, messages=CALL, tools=tools) as stream:
        thought = stream.get_final_message()
    result = {"type": "tool_result", "tool_use_id": thought.content[-1].id, "content": "3"}
    history = [*CALL, {"role": "assistant", "content": thought.content}, {"role": "user", "content": [result]}]
    answer = client.messages.create(**asked, **thinking, messages=history, tools=tools)
    try:
        make("wrong").messages.create(**asked, messages=MESSAGES)
    except anthropic.APIStatusError as error:
        refused = type(error).__name__
    return {
        "streamed": streamed,
        "whole": whole.content[0].text,
        "usage": [usage.input_tokens, usage.output_tokens],
        "streamed call": json.dumps(called.content[0].input),
        "thinking": [block.type for block in thought.content] + [thought.content[0].thinking],
        "result": answer.content[-1].text,
        "models": [model.id for model in client.models.list()],
        "tokens": client.messages.count_tokens(model="demo", messages=MESSAGES).input_tokens,
        "refused": refused,
    }


CLIENTS = {
    "anthropic": use_anthropic,
    "openai": use_openai,
    "litellm": use_litellm,
    "llm": use_llm,
    "chatlas": use_chatlas,
}

if __name__ == "__main__":
    name, base_url = sys.argv[1:]
    print(json.dumps(CLIENTS[name](base_url)))
