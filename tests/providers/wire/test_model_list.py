"""Lists of models in every form that servers send."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.errors import AuthenticationError, ProtocolError, RateLimitError
from lockbots_magic.providers.wire import model_list
from lockbots_magic.providers.wire.model_list import parse_model, parse_model_list, read_model_list
from tests.effort import examples

KEYS = st.sampled_from(["id", "name", "data", "models", "meta", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["id", "name", "data", "models", "meta", "x"]), inner)
    ),
    max_leaves=30,
)


def parse(value):
    return parse_model_list(json.dumps(value).encode())


def ids(value):
    return [model.id for model in parse(value).models]


FORMS = {
    "list of OpenAI": {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
    "plain array": [{"id": "a"}, {"id": "b"}],
    "array of names": ["a", "b"],
    "names in data": {"data": ["a", "b"]},
    "Ollama's own": {"models": [{"name": "a", "model": "a"}, {"name": "b", "size": 1}]},
    "results": {"count": 2, "next": None, "results": [{"id": "a"}, {"id": "b"}]},
    "slugs": {"models": [{"slug": "a"}, {"slug": "b"}]},
    "names beside numbers": {"data": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]},
    "keyed data": {"data": {"a": {"context_length": 1}, "b": {}}},
    "keyed models": {"models": {"a": {}, "b": "B"}},
    "nested": {"success": True, "data": {"object": "list", "data": [{"id": "a"}, {"id": "b"}]}},
    "nested models": {"data": {"models": ["a", "b"], "total": 2}},
    "keyed with a count": {"data": {"a": {}, "b": None, "total": 2}},
    "keyed": {"a": {"owned_by": "x"}, "b": {"name": "B", "created": 1}},
    "llama-server's two lists": {"models": [{"name": "x"}], "object": "list", "data": [{"id": "a"}, {"id": "b"}]},
    "an empty one first": {"data": [], "models": [{"name": "a"}, {"name": "b"}]},
    "malformed rows": {"data": [{"id": "a"}, {"object": "model"}, None, 7, {"id": ""}, {"id": "x\ny"}, {"id": "b"}]},
    "twice the same": {"data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_list_is_read_in_any_form(form):
    assert ids(form) == ["a", "b"]


def test_gemini_keeps_the_folder_of_its_ids():
    row = {"name": "models/gemini-2.5-flash", "displayName": "Gemini 2.5 Flash", "inputTokenLimit": 1048576}
    (model,) = parse({"models": [row]}).models
    assert (model.id, model.name, model.token_limit) == ("models/gemini-2.5-flash", "Gemini 2.5 Flash", 1048576)


def test_skipped_rows_are_counted():
    assert parse(FORMS["malformed rows"]).skipped == 5
    assert parse(FORMS["plain array"]).skipped == 0


@pytest.mark.parametrize("value", [{"data": None}, {"data": []}, {"models": None}, []])
def test_list_without_models_is_empty(value):
    assert parse(value).models == ()


NO_LISTS = [
    b"",
    b"<html>hello</html>",
    b"\xff\xfe\0",
    b"null",
    b"3",
    b"{}",
    b'{"error": {"message": "no", "type": "x"}}',
    b'{"data": "models"}',
    b'{"data": {}}',
    b'{"status": {"ok": 1}}',
    b'{"data": [{"object": "model"}]}',
    b"[" * 100_000,
    b'{"models": [1], "data": ' * 900 + b"{}" + b"}" * 900,
    b"9" * 100_000,
]


@pytest.mark.parametrize("body", NO_LISTS, ids=lambda body: repr(body[:20]))
def test_anything_else_is_an_error_that_says_what_arrived(body):
    with pytest.raises(ProtocolError, match=r"not a list of models: .+\. Check the base URL\.") as caught:
        parse_model_list(body)
    assert len(str(caught.value)) < 2_200


def test_a_single_model_needs_no_list():
    row = {"id": "m", "object": "model", "max_model_len": 4096}
    for value in (row, {"data": row}, {"object": "list", "data": row}):
        (model,) = parse(value).models
        assert (model.id, model.token_limit) == ("m", 4096)


def test_refusal_inside_a_success_is_an_error_of_its_kind():
    for code, kind in ((401, AuthenticationError), (429, RateLimitError)):
        with pytest.raises(kind, match="no"):
            parse({"error": {"message": "no", "code": code}})


def test_length_is_bounded_while_bytes_arrive(monkeypatch):
    monkeypatch.setattr(model_list, "MAX_LIST", 1000)
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 100
            yield b" " * 100

    with pytest.raises(ProtocolError, match="longer"):
        read_model_list(endless())
    assert taken <= 1100


def test_number_of_models_is_bounded(monkeypatch):
    monkeypatch.setattr(model_list, "MAX_MODELS", 3)
    assert ids([f"m{n}" for n in range(10)]) == ["m0", "m1", "m2"]


CONTEXT_SIZES = [
    {"max_model_len": 4096},
    {"context_length": 4096},
    {"context_window": "4096"},
    {"max_context_length": 4096.0},
    {"loaded_context_length": 4096, "max_context_length": 131072},
    {"inputTokenLimit": 4096},
    {"meta": {"n_ctx": 4096, "n_ctx_train": 32768}},
    {"meta": {"n_ctx_train": 4096}},
    {"meta": None, "parameters": {"max_seq_len": 4096}},
    {"context_length": 8192, "top_provider": {"context_length": 4096}},
    {"max_model_len": None, "context_length": 0, "context_window": -1, "n_ctx": 4096},
]


@pytest.mark.parametrize("fields", CONTEXT_SIZES, ids=repr)
def test_context_size_is_read(fields):
    assert parse_model({"id": "m", **fields}).token_limit == 4096


@pytest.mark.parametrize("size", [None, 0, 1, -5, True, "x", [], {}, float("inf"), 1e300, "9" * 50])
def test_implausible_context_size_is_unknown(size):
    assert parse_model({"id": "m", "context_length": size}).token_limit is None


KINDS = {
    "text-embedding-3-small": "embedding",
    "text-embedding-nomic-embed-text-v1.5": "embedding",
    "nomic-embed-text:latest": "embedding",
    "BAAI/bge-m3": "embedding",
    "intfloat/multilingual-e5-large": "embedding",
    "all-minilm": "embedding",
    "jina-reranker-v2": "rerank",
    "bge-reranker-large": "embedding",
    "whisper-1": "speech",
    "whisper-large-v3-turbo": "speech",
    "gpt-4o-mini-tts": "speech",
    "gpt-4o-transcribe": "speech",
    "playai-tts": "speech",
    "dall-e-3": "image",
    "gpt-image-1": "image",
    "black-forest-labs/FLUX.1-schnell": "image",
    "stable-diffusion-xl": "image",
    "omni-moderation-latest": "moderation",
    "llama-guard-3-8b": "moderation",
}
CHAT = ["gpt-4o", "llama3:8b", "qwen2.5-coder", "gemini-2.5-flash-image", "flexible", "guardrails", "clipper"]


def test_models_that_are_not_for_chat_are_known_by_their_ids():
    assert {model: parse_model(model).kind for model in KINDS} == KINDS
    assert {model: parse_model(model).kind for model in CHAT if model != "gte"} == dict.fromkeys(
        set(CHAT) - {"gte"}, ""
    )
    assert not parse_model("/models/embeddings/chat.gguf").kind


FIELDS = [
    ({"type": "embeddings"}, "embedding"),
    ({"type": "embedding"}, "embedding"),
    ({"task": "feature-extraction"}, "embedding"),
    ({"mode": "audio_transcription"}, "speech"),
    ({"mode": "image_generation"}, "image"),
    ({"type": "rerank"}, "rerank"),
    ({"type": "moderation"}, "moderation"),
    ({"capabilities": ["embedding"]}, "embedding"),
    ({"supportedGenerationMethods": ["embedContent"]}, "embedding"),
    ({"architecture": {"output_modalities": ["image"]}}, "image"),
    ({"type": "llm"}, ""),
    ({"type": "vlm"}, ""),
    ({"type": "model"}, ""),
    ({"mode": "chat"}, ""),
    ({"capabilities": ["completion", "embedding"]}, ""),
    ({"capabilities": {"completion_chat": True, "classification": True}}, ""),
    ({"capabilities": {"vision": True, "audio": True}}, ""),
    ({"architecture": {"output_modalities": ["text", "image"]}}, ""),
    ({"supportedGenerationMethods": ["generateContent", "countTokens"]}, ""),
]


@pytest.mark.parametrize(("fields", "kind"), FIELDS, ids=repr)
def test_models_that_are_not_for_chat_are_known_by_their_fields(fields, kind):
    assert parse_model({"id": "m", **fields}).kind == kind


def test_fields_count_more_than_the_id():
    assert not parse_model({"id": "embedded-systems-chat", "type": "llm"}).kind


def test_images_are_known_to_be_taken_or_not():
    assert parse_model({"id": "m", "architecture": {"input_modalities": ["text", "image"]}}).takes_images is True
    assert parse_model({"id": "m", "architecture": {"input_modalities": ["text"]}}).takes_images is False
    assert parse_model({"id": "m", "type": "vlm"}).takes_images is True
    assert parse_model({"id": "m"}).takes_images is None


@settings(max_examples=examples(300))
@given(JSON)
def test_any_json_is_a_list_or_an_error(value):
    try:
        listed = parse(value)
    except ProtocolError:
        return
    for model in listed.models:
        assert model.id
        assert (model.id + model.name + model.owned_by + model.kind).isprintable()
        assert len(model.id) <= model_list.MAX_ID
        assert model.token_limit is None or model.token_limit >= model_list.MIN_CONTEXT


@settings(max_examples=examples(100))
@given(st.binary())
def test_any_bytes_are_a_list_or_an_error(body):
    with suppress(ProtocolError):
        parse_model_list(body)


def test_models_that_are_not_served_are_marked():
    for row in ({"active": False}, {"enabled": False}, {"archived": True}, {"is_available": False, "type": "chat"}):
        assert parse_model({"id": "a", **row}).kind == "inactive", row
    for row in ({"active": True}, {"active": None}, {"archived": False}, {"deprecated": True}):
        assert parse_model({"id": "a", **row}).kind == "", row


def test_lists_that_are_not_quite_json_are_read():
    for body in (
        b': ping\n\n: ping\n\n{"data": [{"id": "a"}, {"id": "b"}]}',
        b'{"id": "a"}\n{"id": "b"}\n',
        b'{"data": [{"id": "a", "description": "two\nlines"}, {"id": "b"}]}',
        b'{"modelSummaries": [{"modelId": "a"}, {"modelId": "b"}]}',
    ):
        assert [model.id for model in parse_model_list(body).models] == ["a", "b"], body
    with pytest.raises(ProtocolError):
        parse_model_list(b'{"id": "a"}\n{"id": ')


def test_a_row_is_known_by_the_name_that_requests_take():
    uuid = "7ed8d8e8-6040-4680-843a-aef402d6b013"
    rows = [{"id": uuid, "name": "@cf/meta/llama"}, {"id": "azureml://registries/x", "name": "gpt-5"}, {"id": uuid}]
    listed = parse_model_list(json.dumps({"result": rows}).encode())
    assert [model.id for model in listed.models] == ["@cf/meta/llama", "gpt-5", uuid]
