"""Faults: error statuses, error objects, web pages, redirects."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from ..replies import read_documents
from ..responses import MockResponse
from ..services import MockExchange, frame
from .registry import EVENTS, ResponseBuilder, error_response, fault, normal_response, stream_response

_PAGE = b"<!DOCTYPE html>\n<html><head><title>Just a moment</title></head><body>Are you human?</body></html>\n"


def _status_builder(status: int) -> ResponseBuilder:
    return lambda exchange: error_response(exchange, status, f"The mock server was told to answer {status}")


for _code in (400, 401, 402, 403, 404, 408, 429, 500, 502, 503):
    fault(f"http-{_code}", f"{_code} {HTTPStatus(_code).phrase}, with the service's error object")(
        _status_builder(_code)
    )


@fault("unknown-model", "404 whose error object says that the model is unknown")
def _unknown_model(exchange: MockExchange) -> MockResponse:
    model = exchange.body.get("model")
    name = model.get("id") if isinstance(model, dict) else model
    return error_response(exchange, 404, f"The model `{name}` does not exist", "model_not_found")


@fault("echo-credential", "401 whose message repeats the credential")
def _echo_credential(exchange: MockExchange) -> MockResponse:
    return error_response(
        exchange, 401, f"Incorrect API key provided: {exchange.credential}. It was sent to {exchange.path}."
    )


@fault("no-documents", "400 for a request that holds a document as a file, in the words of the format", ("openai",))
def _no_documents(exchange: MockExchange) -> MockResponse:
    for message in exchange.service.messages(exchange.body) or []:
        if read_documents(message):
            return error_response(exchange, 400, _DOCUMENT_REFUSALS[exchange.service.path])
    listed = exchange.service.answer(exchange)
    return normal_response(exchange) if listed is None else MockResponse([listed.encode()])


_DOCUMENT_REFUSALS = {
    "/chat/completions": "Invalid content type: file. Only text and image_url are supported by this model.",
    "/responses": "Invalid value: 'input_file'. Supported values are: 'input_text', 'input_image', 'output_text'.",
    "/messages": "messages.0.content.0: Input tag 'document' found using 'type' does not match any of the expected"
    " tags: 'text', 'image', 'tool_use', 'tool_result'",
}


@fault("page-503", "503 with a web page")
def _page_503(_: MockExchange) -> MockResponse:
    return MockResponse([_PAGE], "text/html; charset=utf-8", 503)


@fault("page", "a web page, such as a captcha or a login")
def _page(_: MockExchange) -> MockResponse:
    return MockResponse([_PAGE], "text/html; charset=utf-8")


@fault("page-plain", "a web page declared as text/plain")
def _page_plain(_: MockExchange) -> MockResponse:
    return MockResponse([b"\n  ", _PAGE], "text/plain")


@fault("json-error", "an error object in place of the reply")
def _json_error(exchange: MockExchange) -> MockResponse:
    return MockResponse([_error_object(exchange).encode()])


@fault("error-event", "an error object as the first event; it names the setting `status`", EVENTS)
def _error_event(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, frame(_error_object(exchange)))


@fault("error-midway", "an error object as an event after some text", EVENTS)
def _error_midway(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half(), frame(_error_object(exchange)))


@fault("error-type", "an event of type `error`", EVENTS)
def _error_type(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, b"event: error\n" + frame(_error_object(exchange)))


def _error_object(exchange: MockExchange) -> str:
    return exchange.service.error(
        exchange.settings.status, "The mock server was told to fail", str(exchange.settings.status or "") or None
    )


@fault("empty", "an empty body")
def _empty(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange)


def _missing_model_line(exchange: MockExchange) -> str:
    return f"The model: `{exchange.body.get('model')}` does not exist"


@fault("no-model-line", "the line by which Lockchat reports a missing model", ("lockchat",))
def _no_model_line(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, _missing_model_line(exchange).encode() + b"\n")


@fault("no-model-data", "that line as the data of an event", ("lockchat",))
def _no_model_data(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, frame(_missing_model_line(exchange)))


@fault("no-model-404", "that line as the body of a 404", ("lockchat",))
def _no_model_404(exchange: MockExchange) -> MockResponse:
    return MockResponse([_missing_model_line(exchange).encode()], "text/plain", 404)


@fault("no-model-error", "that line as the message of an error object, in an event", ("lockchat",))
def _no_model_error(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, frame(exchange.service.error(404, _missing_model_line(exchange))))


@fault("no-model-midway", "that line as the data of an event after some text", ("lockchat",))
def _no_model_midway(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half(), frame(_missing_model_line(exchange)))


@fault("redirect-host", "307 to another host name of this server, which would record the request")
def _redirect_host(exchange: MockExchange) -> MockResponse:
    return _redirect(307, exchange.origin.replace("127.0.0.1", "localhost") + _path_without_settings(exchange))


@fault("redirect-path", "307 to the URL without its settings")
def _redirect_path(exchange: MockExchange) -> MockResponse:
    return _redirect(307, _path_without_settings(exchange))


@fault("redirect-302", "302 to the URL without its settings, which would turn the POST into a GET")
def _redirect_302(exchange: MockExchange) -> MockResponse:
    return _redirect(302, _path_without_settings(exchange))


@fault("redirect-loop", "307 to the same URL")
def _redirect_loop(exchange: MockExchange) -> MockResponse:
    return _redirect(307, exchange.request.path)


def _redirect(status: int, location: str) -> MockResponse:
    return MockResponse([], "text/plain", status, {"Location": location})


def _path_without_settings(exchange: MockExchange) -> str:
    return f"/{exchange.service.name}{exchange.service.base}{exchange.path}"


@fault("set-cookie", "an ordinary response that sets a cookie")
def _set_cookie(exchange: MockExchange) -> MockResponse:
    return replace(normal_response(exchange), headers={"Set-Cookie": "who=you; Path=/"})
