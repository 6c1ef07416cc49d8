"""Structured output: what a service is asked to enforce, and when."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pydantic
import pytest

from lockbots_magic import Chat
from lockbots_magic.providers.dialects.base import Service
from lockbots_magic.providers.presets import presets
from lockbots_magic.providers.wire.response_format import MAX_DEPTH, build_response_format, is_strict
from lockbots_magic.schema import type_schema
from lockbots_magic.schema.structured_output import reply_schema
from tests.chatserver import chat_server, say


@dataclasses.dataclass
class Pet:
    name: str
    legs: int


@dataclasses.dataclass
class Litter:
    mother: Pet
    kittens: list[Pet]
    vet: str | None


@dataclasses.dataclass
class Guess:
    name: str
    legs: int = 4


class Model(pydantic.BaseModel):
    """A model that says nothing of further fields."""

    pet: dict[str, int] | None
    name: str


class Plain(pydantic.BaseModel):
    name: str
    born: str = pydantic.Field(pattern="^[0-9]+$")


def test_strict_is_claimed_only_where_the_schema_allows():
    for hint, strict in {Pet: True, Litter: True, Plain: True, Guess: False, Model: False, list[Pet]: False}.items():
        schema = type_schema(hint).json_schema
        described = build_response_format(schema)["json_schema"]
        assert described["strict"] is strict, hint
        if not strict:
            assert described["schema"] == schema
    assert (
        build_response_format(type_schema(Plain).json_schema)["json_schema"]["schema"]["additionalProperties"] is False
    )


NOT_STRICT: tuple[dict[str, Any], ...] = (
    {},
    {"type": "array", "items": {"type": "string"}},
    {"type": "object"},
    {"type": "object", "properties": {"a": {}}, "required": []},
    {"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a"]},
    {"type": "object", "properties": {"a": {"allOf": [{}]}}, "required": ["a"]},
    {"type": "object", "properties": {"a": {"type": "string", "format": "color"}}, "required": ["a"]},
    {"type": "object", "properties": {"a": {"type": "string", "default": ""}}, "required": ["a"]},
    {"type": "object", "properties": {"a": True}, "required": ["a"]},
    {"type": "object", "properties": {}, "patternProperties": {"x": {}}},
)


def test_other_schemas_are_not_strict():
    for schema in NOT_STRICT:
        described = build_response_format(schema)["json_schema"]
        assert (described["strict"], described["schema"]) == (False, schema)
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(MAX_DEPTH + 1):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"], "additionalProperties": False}
    assert not is_strict(deep)
    assert is_strict(deep["properties"]["a"])


def test_the_name_is_one_that_services_accept():
    for title, name in {"": "reply", "My pet!": "My_pet", "Кот": "reply", "x" * 99: "x" * 64}.items():
        assert build_response_format({"title": title})["json_schema"]["name"] == name


def test_the_service_is_asked_to_enforce_the_schema_and_the_prompt_states_it():
    with chat_server(lambda number, body: say('{"name": "Rex", "legs": 3}')) as (url, bodies):
        chat = Chat("openai:m", base_url=url, auth="test")
        turn = chat.ask("A dog.", schema=Pet)
        assert reply_schema(Pet).parse(turn.reply) == Pet("Rex", 3)
        assert bodies[0]["response_format"]["json_schema"]["schema"] == type_schema(Pet).json_schema
        assert json.dumps(type_schema(Pet).json_schema) in bodies[0]["messages"][-1]["content"]
        chat.ask("A dog.", schema=Pet, response_format={"type": "json_object"})
        assert bodies[1]["response_format"] == {"type": "json_object"}
        chat.ask("A dog.", schema=list[Pet])
        assert bodies[2]["response_format"]["json_schema"]["strict"] is False
        chat.ask("A dog.", schema=Pet, tools=[len_of])
        chat.ask("A dog.", schema=reply_schema())
        chat.ask("A dog.")
        Chat("deepseek:m", base_url=url, auth="test").ask("A dog.", schema=Pet)
        assert not any("response_format" in body for body in bodies[3:])


def len_of(word: str) -> int:
    """Return the length of a word."""
    return len(word)


def test_only_a_local_server_gets_the_schema_of_a_list():
    for url, hint, enforced in (("", list[Pet], False), ("", Pet, True), ("http://127.0.0.1:1", list[Pet], True)):
        provider = presets.openai(base_url=url or None)
        request = Chat(provider).prepare("Dogs.", schema=hint).request
        assert Service("openai", provider.base_url, "m").enforces_schema(request) is enforced


def test_a_server_that_refuses_it_is_asked_once_more_and_then_spared():
    def script(number: int, body: dict[str, Any]) -> Any:
        if "response_format" in body:
            return "400 Bad Request", {"error": {"message": "response_format is not supported", "param": None}}
        return say('{"name": "Rex", "legs": 3}')

    with chat_server(script) as (url, bodies):
        chat = Chat("openai:m", base_url=url, auth="test")
        for _ in range(2):
            assert reply_schema(Pet).parse(chat.ask("A dog.", schema=Pet).reply) == Pet("Rex", 3)
        assert ["response_format" in body for body in bodies] == [True, False, False]


@pytest.mark.parametrize("text", ['{"name": "Rex", "le', 'For example {"name": "Rex", "legs": 3}. Now,'])
def test_a_reply_cut_by_its_limit_is_not_asked_for_again(run, text):
    run("from dataclasses import dataclass\n@dataclass\nclass Pet:\n    name: str\n    legs: int\npet = 'old'")
    with chat_server(lambda number, body: say(text, "length")) as (url, bodies):
        cell = f"%%chat -m openai:m --base-url {url} --as json --schema Pet --to pet\nA dog."
        error = str(run(cell).error)
        assert len(bodies) == 1
    assert "no complete JSON" in error
    assert "limit of length" in error
    assert "Its text is in pet" in error


def test_a_correction_is_enforced_too_and_does_not_state_the_schema_again(run, shell):
    run("from dataclasses import dataclass\n@dataclass\nclass Pet:\n    name: str\n    legs: int")
    replies = {1: "No.", 2: '{"name": "Rex", "legs": 3}'}
    with chat_server(lambda number, body: say(replies[number])) as (url, bodies):
        cell = f"%%chat -m openai:m --base-url {url} --as json --schema Pet --to pet\nA dog."
        assert run(cell).error is None
    assert shell.user_ns["pet"].legs == 3
    assert bodies[1]["response_format"] == bodies[0]["response_format"]
    assert "properties" not in bodies[1]["messages"][-1]["content"]
