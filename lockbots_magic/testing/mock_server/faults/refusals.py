"""Answers that are no reply: a bad status, an error object, a web page, a redirect."""

from __future__ import annotations

from http import HTTPStatus

from ..answers import Answer
from ..services import Question, frame
from .base import EVENTS, Maker, fault, normal, refusal, streamed

_PAGE = b"<!DOCTYPE html>\n<html><head><title>Just a moment</title></head><body>Are you human?</body></html>\n"


def _status(status: int) -> Maker:
    return lambda q: refusal(q, status, f"the mock server was told to answer {status}")


for _code in (400, 401, 402, 403, 404, 408, 429, 500, 502, 503):
    fault(f"http-{_code}", f"{_code} {HTTPStatus(_code).phrase}, with the service's error object")(_status(_code))


@fault("unknown-model", "404 whose error object says that there is no such model")
def _unknown_model(q: Question) -> Answer:
    model = q.body.get("model")
    name = model.get("id") if isinstance(model, dict) else model
    return refusal(q, 404, f"The model `{name}` does not exist", "model_not_found")


@fault("echo-credential", "401 whose message repeats the credential")
def _echo_credential(q: Question) -> Answer:
    return refusal(q, 401, f"Incorrect API key provided: {q.credential}. It was sent to {q.path}.")


@fault("page-503", "503 with a web page")
def _page_503(_: Question) -> Answer:
    return Answer([_PAGE], "text/html; charset=utf-8", 503)


@fault("page", "a web page, as of a captcha or a login")
def _page(_: Question) -> Answer:
    return Answer([_PAGE], "text/html; charset=utf-8")


@fault("page-plain", "a web page declared as text/plain")
def _page_plain(_: Question) -> Answer:
    return Answer([b"\n  ", _PAGE], "text/plain")


@fault("json-error", "an error object in place of the reply")
def _json_error(q: Question) -> Answer:
    return Answer([_error(q).encode()])


@fault("error-event", "an error object as the first event; `status` is the one it names", EVENTS)
def _error_event(q: Question) -> Answer:
    return streamed(q, frame(_error(q)))


@fault("error-midway", "an error object as an event after some text", EVENTS)
def _error_midway(q: Question) -> Answer:
    return streamed(q, *q.half(), frame(_error(q)))


@fault("error-type", "an event of type `error`", EVENTS)
def _error_type(q: Question) -> Answer:
    return streamed(q, b"event: error\n" + frame(_error(q)))


def _error(q: Question) -> str:
    return q.service.error(q.settings.status, "the mock server was told to fail", str(q.settings.status or "") or None)


@fault("empty", "an empty body")
def _empty(q: Question) -> Answer:
    return streamed(q)


def _denial(q: Question) -> str:
    return f"The model: `{q.body.get('model')}` does not exist"


@fault("no-model-line", "the line by which Lockchat denies a model", ("lockchat",))
def _no_model_line(q: Question) -> Answer:
    return streamed(q, _denial(q).encode() + b"\n")


@fault("no-model-data", "that line as the data of an event", ("lockchat",))
def _no_model_data(q: Question) -> Answer:
    return streamed(q, frame(_denial(q)))


@fault("no-model-404", "that line as the body of a 404", ("lockchat",))
def _no_model_404(q: Question) -> Answer:
    return Answer([_denial(q).encode()], "text/plain", 404)


@fault("no-model-error", "that line as the message of an error object, in an event", ("lockchat",))
def _no_model_error(q: Question) -> Answer:
    return streamed(q, frame(q.service.error(404, _denial(q))))


@fault("no-model-midway", "that line as the data of an event after some text", ("lockchat",))
def _no_model_midway(q: Question) -> Answer:
    return streamed(q, *q.half(), frame(_denial(q)))


@fault("redirect-host", "307 to another host name (of this same server, which would notice)")
def _redirect_host(q: Question) -> Answer:
    return _redirect(q, 307, q.origin.replace("127.0.0.1", "localhost") + _without_settings(q))


@fault("redirect-path", "307 to the address without its settings")
def _redirect_path(q: Question) -> Answer:
    return _redirect(q, 307, _without_settings(q))


@fault("redirect-302", "302 to the address without its settings: it would make a GET of the POST")
def _redirect_302(q: Question) -> Answer:
    return _redirect(q, 302, _without_settings(q))


@fault("redirect-loop", "307 to the same address")
def _redirect_loop(q: Question) -> Answer:
    return _redirect(q, 307, q.request.path)


def _redirect(_: Question, status: int, location: str) -> Answer:
    return Answer([], "text/plain", status, {"Location": location})


def _without_settings(q: Question) -> str:
    return f"/{q.service.name}{q.service.base}{q.path}"


@fault("set-cookie", "an ordinary answer that sets a cookie")
def _set_cookie(q: Question) -> Answer:
    ordinary = normal(q)
    return Answer(ordinary.pieces, ordinary.media_type, headers={"Set-Cookie": "who=you; Path=/"})
