"""Advice after an error is right, was tried where that is possible, and leads to no other error."""

import json
import re
import threading
import time
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.errors import (
    AuthenticationError,
    Cancelled,
    ContextLengthError,
    HTTPStatusError,
    LockbotsError,
    ModelNotFoundError,
    ProtocolError,
    ProviderError,
    ProviderTimeout,
)
from lockbots_magic.language import speaking
from lockbots_magic.providers.address import origin
from lockbots_magic.providers.advice import advise_on_credential, advise_on_model, append_advice, is_unknown_model
from lockbots_magic.providers.presets import presets
from lockbots_magic.providers.server_probe import PROBE_TIMEOUT, ServerProbe, candidate_base_urls, strip_endpoint
from lockbots_magic.providers.wire.errors import refusal_error
from tests.effort import examples
from tests.providers.refusing_server import refuse, refusing, say
from tests.rawserver import RawServer

KEY = "fake-credential-0123456789"
MODELS = {
    "object": "list",
    "data": [{"id": name} for name in ("llama3.2:3b", "llama3.2:1b", "qwen3:8b", "/m/phi.gguf")],
}


@contextmanager
def api_at(path, otherwise, models=MODELS):
    """Run a server whose API is at `path`; `otherwise(peer)` answers everything else."""

    def script(peer):
        while request := peer.request():
            if request.line.startswith(f"POST {path}/chat/completions"):
                say(peer)
            elif request.line.startswith(f"GET {path}/models") and models is not None:
                peer.answer(json.dumps(models).encode(), Content_Type="application/json")
            else:
                otherwise(peer)

    with RawServer(script) as server:
        yield server


def error_of(base_url, prompt="hi", model="m", **options):
    """The error of a chat at this base URL."""
    with pytest.raises(LockbotsError) as caught:
        Chat(f"openai:{model}", base_url=base_url, auth=KEY, max_retries=0).ask(prompt, **options)
    return caught.value


WRONG_PLACES = {
    "go": lambda peer: peer.answer(b"404 page not found", "404 Not Found", Content_Type="text/plain"),
    "fastapi": lambda peer: refuse(peer, {"detail": "Not Found"}, 404),
    "method": lambda peer: refuse(peer, {"detail": "Method Not Allowed"}, 405),
    "page": lambda peer: peer.answer(b"<html>404</html>", "404 Not Found", Content_Type="text/html"),
    "front page": lambda peer: peer.answer(b"<!doctype html><html>Hello</html>", Content_Type="text/html"),
    "lm studio": lambda peer: refuse(peer, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}, 200),
    "other json": lambda peer: peer.answer(b'{"status": "ok"}', Content_Type="application/json"),
}


# The address.


@pytest.mark.parametrize("otherwise", WRONG_PLACES.values(), ids=WRONG_PLACES)
def test_base_url_that_the_api_answers_at_is_told_and_leads_there(otherwise):
    for path in ("/v1", "/api/v1", "/openai", "/compatible-mode/v1"):
        with api_at(path, otherwise) as server:
            error = error_of(server.url)
            advised = re.search(r"The API answers at (\S+):", str(error))[1]
            assert advised == server.url + path
            assert Chat("openai:m", base_url=advised, auth=KEY).ask("hi").reply == "ok"


@pytest.mark.parametrize("otherwise", WRONG_PLACES.values(), ids=WRONG_PLACES)
def test_where_nothing_answers_the_base_url_is_named_but_none_is_advised(otherwise):
    with api_at("/v1", otherwise, models=None) as server:
        message = str(error_of(server.url))
        assert message.lower().count("check the base url") == 1
        assert "answers at" not in message


def test_api_is_found_above_a_path_that_was_pasted():
    for path in ("/v1/chat", "/v1/embeddings", "/docs", "//v1", "/V1", "/v1,"):
        with api_at("/v1", WRONG_PLACES["fastapi"]) as server:
            assert f"The API answers at {server.url}/v1:" in str(error_of(server.url + path)), path


def test_request_of_a_size_that_a_proxy_refuses_is_told():
    page = b"<html><head><title>413 Request Entity Too Large</title></head></html>"
    with api_at("/none", lambda peer: peer.answer(page, "413 Too Large", Content_Type="text/html")) as server:
        assert "takes no request of this size. Attach less" in str(error_of(server.url))


def test_status_of_neither_a_reply_nor_a_refusal_doubts_the_address():
    for status in ("304 Not Modified", "308 Permanent Redirect", "300 Multiple Choices"):
        with api_at("/v1", lambda peer, status=status: peer.answer(b"", status)) as server:
            error = error_of(server.url)
            assert isinstance(error, ProtocolError), status
            assert f"answered with HTTP {status[:3]}" in str(error)
            assert f"The API answers at {server.url}/v1:" in str(error)


def test_advice_does_not_depend_on_the_language_of_the_message():
    for name, otherwise in WRONG_PLACES.items():
        with speaking("ru"), api_at("/v1", otherwise) as server:
            assert f"API отвечает по адресу {server.url}/v1:" in str(error_of(server.url)), name
        with speaking("ru"), api_at("/v1", otherwise, models=None) as server:
            assert str(error_of(server.url)).lower().count("проверьте базовый адрес") == 1, name
    page = refusal_error(403, b"<html><title>Blocked</title></html>")
    with speaking("ru"):
        assert "сетевой экран" in advise_on_credential(page, "openai", has_auth=True)


def test_base_url_with_the_endpoint_is_put_right():
    with api_at("/v1", WRONG_PLACES["fastapi"]) as server:
        chat = Chat("openai:m", base_url=f"{server.url}/v1/chat/completions", auth=KEY)
        assert chat.provider.base_url == f"{server.url}/v1"
        assert chat.ask("hi").reply == "ok"
    assert strip_endpoint("http://h/v1/chat/completions/?v=1") == "http://h/v1?v=1"
    assert strip_endpoint("http://h/v1") == "http://h/v1"


def test_list_of_models_has_the_same_advice():
    with api_at("/v1", WRONG_PLACES["fastapi"]) as server:
        provider = presets.openai(base_url=server.url, auth=KEY)
        with pytest.raises(ProviderError, match=f"The API answers at {server.url}/v1:"):
            provider.list_models()


def test_server_without_a_chat_endpoint_is_told_as_one():
    models = {"object": "list", "data": [{"id": "m"}]}
    with api_at("/elsewhere", WRONG_PLACES["fastapi"]) as server:

        def script(peer):
            while request := peer.request():
                if request.line.startswith("GET /v1/models"):
                    peer.answer(json.dumps(models).encode())
                else:
                    refuse(peer, {"detail": "Not Found"}, 404)

        with RawServer(script) as listing:
            assert "no chat endpoint answers there" in str(error_of(f"{listing.url}/v1"))
        assert server.requests == []


def test_looking_can_be_cancelled():
    hold = threading.Event()

    def script(peer):
        while request := peer.request():
            if request.line.startswith("POST"):
                refuse(peer, {"detail": "Not Found"}, 404)
            else:
                peer.until_gone()
                return

    with RawServer(script) as server:
        reply = Chat("openai:m", base_url=server.url, auth=KEY).stream("hi")
        failures = []

        def read():
            try:
                for _ in reply.deltas:
                    pass
            except BaseException as error:  # noqa: BLE001  # looked at below
                failures.append(error)
            hold.set()

        thread = threading.Thread(target=read)
        thread.start()
        server.wait_for_request()
        server.wait_for_request()  # the first look
        reply.cancel()
        assert hold.wait(30)
        thread.join()
        assert reply.turn.status == "interrupted"
        assert failures == [] or isinstance(failures[0], Cancelled)


def test_all_looks_at_a_server_share_one_deadline():
    deadlines = []

    def read_models(base_url, deadline):
        deadlines.append(deadline)
        raise ProviderTimeout("late")

    assert "no API answers there" in ServerProbe("openai", "http://h", read_models).advise_on_address("m")
    assert len(set(deadlines)) == 1
    assert deadlines[0] <= time.monotonic() + PROBE_TIMEOUT


@settings(max_examples=examples(200))
@given(
    st.sampled_from(["http://h", "https://h.example:8443", "http://[::1]:80"]),
    st.lists(st.sampled_from(["v1", "api", "openai", "chat", "completions", "models", "messages", "x"]), max_size=5),
    st.sampled_from(["", "?api-version=1"]),
)
def test_candidates_are_other_addresses_of_the_same_origin(base, path, query):
    url = "/".join([base, *path]) + query
    found = candidate_base_urls(url)
    assert url not in found
    assert {origin(one) for one in found} == {origin(url)}
    assert all(one.endswith(query) for one in found)
    assert len(found) <= 12


# Accounts and deployments.

BILLS = [
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": (
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade.")}}),
    (400, {"error": {"code": "billing_hard_limit_reached", "message": "Billing hard limit has been reached"}}),
    (400, {"error": {"code": "Arrearage", "message": "Access denied, please make sure your account is good."}}),
    (402, {"error": {"message": "Insufficient Balance", "type": "unknown_error", "code": "invalid_request_error"}}),
    (402, {"error": {"message": "This request requires more credits, or fewer max_tokens.", "code": 402}}),
    (403, {"error": {"message": "Your team has no credits and has reached its spending limit."}}),
    (429, {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota."}}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), BILLS)
def test_account_that_does_not_pay_is_sent_to_its_billing_page(status, body):
    with refusing(lambda _: (body, status)) as server:
        message = str(error_of(server.url))
    assert message.count("billing page of the service") == 1
    assert "login" not in message


def test_bad_key_under_a_400_is_about_the_credential():
    told = [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "X"}}]
    with refusing(lambda _: (told, 400)) as server:
        error = error_of(server.url)
    assert isinstance(error, AuthenticationError)
    assert "`%lockbots login openai`" in str(error)


def test_words_about_money_in_a_prompt_are_no_bill():
    with refusing(lambda _: "temperature must be <= 2, got a balance of 3 credits") as server:
        assert "billing" not in str(error_of(server.url))


def test_missing_deployment_is_told_as_one():
    words = "The API deployment for this resource does not exist. If you created it within the last 5 minutes, wait."
    with refusing(lambda _: ({"error": {"code": "DeploymentNotFound", "message": words}}, 404)) as server:
        error = error_of(server.url)
    assert isinstance(error, ModelNotFoundError)
    assert "name of a deployment" in str(error)
    assert "base URL" not in str(error)


# Redirects.


def redirecting(location, status="301 Moved Permanently"):
    def script(peer):
        while request := peer.request():
            peer.answer(b"", status, Location=location + request.target)

    return RawServer(script)


def test_redirect_advises_the_base_url_and_not_the_endpoint():
    with api_at("/v1", WRONG_PLACES["fastapi"]) as good, redirecting(good.url) as moved:
        error = error_of(f"{moved.url}/v1")
        assert f"redirects to {good.url}/v1; nothing was sent there." in str(error)
        assert good.requests == []
        assert Chat("openai:m", base_url=f"{good.url}/v1", auth=KEY).ask("hi").reply == "ok"


def test_redirect_of_the_list_of_models_advises_the_base_url():
    with redirecting("https://elsewhere.example") as moved, pytest.raises(ProtocolError) as caught:
        presets.ollama(base_url=f"{moved.url}/v1").list_models()
    assert "redirects to https://elsewhere.example/v1; nothing" in str(caught.value)
    assert "set it as the base URL" in str(caught.value)


def test_redirect_to_a_login_page_is_no_base_url():
    def script(peer):
        while peer.request():
            peer.answer(b"", "302 Found", Location="https://login.example/sign-in?next=1")

    with RawServer(script) as server:
        message = str(error_of(f"{server.url}/v1"))
    assert "redirects to https://login.example/sign-in; nothing was sent there." in message
    assert "set it as" not in message


def test_redirect_to_the_same_address_with_a_slash_does_not_advise_it():
    def script(peer):
        while request := peer.request():
            peer.answer(b"", "301 Moved Permanently", Location=request.target + "/")

    with RawServer(script) as server:
        message = str(error_of(f"{server.url}/v1"))
    assert "set it as" not in message
    assert "307 or 308" in message


# Models.


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("llama3.2", "Did you mean 'llama3.2:3b' or 'llama3.2:1b'?"),
        ("qwen3-8b", "Did you mean 'qwen3:8b'?"),
        ("phi", "Did you mean 'phi.gguf'?"),
        ("gpt-xyz", "The server has llama3.2:3b, llama3.2:1b, qwen3:8b, phi.gguf."),
    ],
)
def test_unknown_model_is_met_by_near_names_of_the_list(asked, advice):
    answer = ({"error": {"message": f"model {asked!r} not found, try pulling it first"}}, 404)
    with refusing(lambda body: answer, models=MODELS) as server:
        error = error_of(server.url, model=asked)
        assert isinstance(error, ModelNotFoundError)
        assert str(error).endswith(advice)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Model Not Exist"),
        (400, "qwen is not a valid model ID"),
        (404, "models/qwen is not found for API version v1beta"),
        (400, "Invalid model name passed in model=qwen"),
        (422, "Unknown model: qwen"),
        (404, "The model `qwen` does not exist or you do not have access to it."),
    ],
)
def test_unknown_model_is_recognised_in_other_words(status, words):
    with refusing(lambda body: ({"error": {"message": words}}, status), models=MODELS) as server:
        error = error_of(server.url, model="qwen")
        assert isinstance(error, HTTPStatusError | ModelNotFoundError)
        assert "Did you mean 'qwen3:8b'?" in str(error)


def test_errors_that_mention_a_model_are_not_taken_for_a_missing_one():
    for words in ("max_tokens is too large for this model", "this model does not support tools", "model is loading"):
        assert not is_unknown_model(refusal_error(400, json.dumps({"error": words}).encode()))


def test_unknown_model_of_a_server_without_a_list_names_no_command_that_fails():
    answer = ({"error": {"message": "model 'x' not found"}}, 404)
    with refusing(lambda body: answer) as server:
        message = str(error_of(server.url, model="x"))
        assert "%lockbots models" not in message
        assert "Check the name of the model" in message


def test_long_list_of_models_is_cut():
    ids = [f"{letter}{number}" for number in range(9) for letter in "xyz"]
    assert advise_on_model("nothing-like-it", ids, "openai").endswith("and 22 more: `%lockbots models openai`.")


def test_ollama_is_told_to_download_a_model_that_it_lacks():
    command = "`ollama pull nothing-like-it`"
    for listed in ([], ["llama3.2:3b"]):
        assert command in advise_on_model("nothing-like-it", listed, "ollama")
        assert "pull" not in advise_on_model("nothing-like-it", listed, "vllm")
    assert "pull" not in advise_on_model("llama3.2:3", ["llama3.2:3b"], "ollama"), "a slip"


def test_model_of_another_interface_is_told_as_one():
    words = "This model is only supported in v1/responses and not in v1/chat/completions."
    for status in (400, 404):
        with refusing(lambda body, status=status: ({"error": {"message": words}}, status), models=MODELS) as server:
            assert "Responses API only" in str(error_of(server.url))
            assert len(server.requests) == 1
    echo = "Unexpected endpoint or method. (POST /v1/responses/chat/completions)"
    with refusing(lambda body: ({"error": echo}, 404), models=MODELS) as server:
        assert "Responses API" not in str(error_of(server.url))
    legacy = "This is not a chat model and thus not supported in the v1/chat/completions endpoint."
    with refusing(lambda body: ({"error": {"message": legacy}}, 404), models=MODELS) as server:
        assert "does not chat" in str(error_of(server.url))


# The credential.


@pytest.mark.parametrize(
    ("status", "words", "login", "others"),
    [
        (401, "Incorrect API key provided", True, "To set another credential"),
        (403, "Country, region, or territory not supported", False, "where you are"),
        (401, "The API key is not valid for this region", True, "another region"),
        (403, "You do not have access to this model", True, "may not do this"),
        (403, "User location is not supported for the API use.", False, "where you are"),
    ],
)
def test_wrong_key_region_and_permission_are_told_apart(status, words, login, others):
    error = refusal_error(status, json.dumps({"error": {"message": words}}).encode())
    advice = advise_on_credential(error, "openai", has_auth=True)
    assert ("%lockbots login openai" in advice) is login
    assert others in advice


def test_region_that_is_refused_with_another_status_is_told():
    with refusing(lambda body: "User location is not supported for the API use.") as server:
        assert "where you are" in str(error_of(server.url))


def test_missing_credential_is_told_as_one():
    assert "No credential was sent" in advise_on_credential(AuthenticationError("no", status=401), "x", has_auth=False)


def test_page_in_place_of_the_service_is_no_matter_of_the_credential():
    error = refusal_error(403, b"<html><title>Access denied</title></html>")
    advice = advise_on_credential(error, "openai", has_auth=True)
    assert "firewall" in advice
    assert "login openai" not in advice


# Parameters, tools and images of the user.


def test_refused_parameter_of_the_user_is_named_with_how_to_unset_it():
    words = "Unsupported value: 'temperature' does not support 0.2 with this model."
    with refusing(lambda body: words) as server:
        message = str(error_of(server.url, temperature=0.2))
        assert "You set `temperature`" in message
        assert "%lockbots set temperature None" in message
        assert len(server.bodies()) == 1


def test_refused_value_of_a_parameter_is_told_as_one():
    for words in (
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 9 instead.",
        {"detail": [{"loc": ["body", "temperature"], "msg": "Input should be less than or equal to 2"}]},
        "temperature must be between 0 and 2",
    ):
        with refusing(lambda body, words=words: words) as server:
            message = str(error_of(server.url, temperature=9))
            assert message.endswith("You set `temperature`; give another value, or leave it out."), message


def test_refused_tools_and_images_are_told():
    def tool():
        """Do something."""

    with refusing(lambda body: "registry/gemma:2b does not support tools; tools are not supported") as server:
        assert "Leave out the tools" in str(error_of(server.url, tools=[tool]))
        assert "Leave out the tools" not in str(error_of(server.url))
    for words, status in (("Tools are not supported with this template", 500), ("Unsupported parameter: tools", 400)):
        with refusing(lambda body, answer=(words, status): answer) as server:
            assert "Leave out the tools" in str(error_of(server.url, tools=[tool])), words
    image = "data:image/png;base64,iVBORw0KGgo="
    for words, status in (
        ("image_url is not supported by this model", 400),
        ("Invalid content type. image_url is only supported by certain models.", 400),
        ("Failed to deserialize the JSON body: messages[0]: unknown variant `image_url`, expected `text`", 400),
        ("messages[0].content must be a string", 400),
        ("At most 0 image(s) may be provided in one request.", 400),
        ("m is not a multimodal model", 400),
        ("No endpoints found that support image input", 404),
        ("image input is not supported - hint: if this is unexpected, you may need to provide the mmproj", 500),
        ("this model is missing data required for image input", 500),
    ):
        with refusing(lambda body, answer=(words, status): answer) as server:
            assert "Leave out the images" in str(error_of(server.url, images=[image])), words
            assert "Leave out the images" not in str(error_of(server.url)), words
    for words, status in (
        ("You uploaded an unsupported image. Please make sure it has of one the following formats: ['png']", 400),
        ("Unsupported image format: image/tiff", 400),
        ("The image could not be downloaded", 400),
        ("image_url is not valid", 400),
        ("At most 1 image(s) may be provided in one request, not 2.", 400),
        ("image failed: the server is not ready", 500),
    ):
        with refusing(lambda body, answer=(words, status): answer) as server:
            assert "Leave out the images" not in str(error_of(server.url, images=[image])), words


def test_plain_http_to_an_https_port_is_told():
    page = b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"
    with RawServer(
        lambda peer: (peer.request(), peer.answer(page, "400 Bad Request", Content_Type="text/html"))
    ) as server:
        assert f"Set the base URL to https://127.0.0.1:{server.port}/v1." in str(error_of(f"{server.url}/v1"))


# The context window.


def test_limit_that_the_error_does_not_name_is_looked_up():
    models = {"data": [{"id": "m", "max_model_len": 300}]}
    with refusing(lambda body: "Input is too long for requested model.", models=models) as server:
        error = error_of(server.url)
        assert isinstance(error, ContextLengthError)
        assert error.limit == 300


def test_sentences_are_joined_with_one_full_stop():
    for message, joined in (("No", "No. Do."), ("No.", "No. Do."), ("No…", "No… Do."), ("No?", "No? Do.")):
        error = HTTPStatusError(message)
        append_advice(error, "Do.")
        assert str(error) == joined
        append_advice(error, "")
        assert str(error) == joined


def test_credential_goes_to_no_other_origin_and_into_no_message():
    with api_at("/v1", WRONG_PLACES["page"]) as server:
        message = str(error_of(server.url))
        assert KEY not in message
        assert {r.headers.get("authorization") for r in server.requests} == {f"Bearer {KEY}"}
