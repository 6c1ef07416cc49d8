"""A server of chat completions that refuses what a test says, for tests of refusals."""

import json
from contextlib import contextmanager

from tests.rawserver import RawServer

DONE = b"data: [DONE]\n\n"


def chunk(finish=None, **delta):
    return (
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode() + b"\n\n"
    )


def say(peer, text="ok", *, stream=True):
    """Answer with a whole reply."""
    if stream:
        peer.answer(chunk(content=text) + chunk("stop") + DONE, Content_Type="text/event-stream")
        return
    whole = {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
    peer.answer(json.dumps(whole).encode(), Content_Type="application/json")


def refuse(peer, error, status=400):
    """Answer with an error: an object, or the text of one in OpenAI's form."""
    body = error if isinstance(error, (dict, list)) else {"error": {"message": error, "type": "invalid_request_error"}}
    peer.answer(json.dumps(body).encode(), f"{status} Refused", Content_Type="application/json")


@contextmanager
def refusing(refusal, *, models=None):
    """Run a server; `refusal(body)` returns an error for a request (or an error and its status), or None for "ok".

    Yields the server; its `bodies()` are the requests to the chat endpoint so far. A GET is answered by `models`,
    or refused.
    """

    def script(peer):
        while request := peer.request():
            if request.line.startswith("GET"):
                if models is None:
                    refuse(peer, "no such page", 404)
                else:
                    peer.answer(json.dumps(models).encode(), Content_Type="application/json")
                continue
            body = json.loads(request.body)
            error = refusal(body)
            error, status = error if isinstance(error, tuple) else (error, 400)
            if isinstance(error, bytes):
                peer.answer(error, Content_Type="text/event-stream")
            elif error is None:
                say(peer, stream=body["stream"])
            else:
                refuse(peer, error, status)

    with RefusingServer(script) as server:
        yield server


class RefusingServer(RawServer):
    """A server that tells the bodies that it was sent."""

    def bodies(self):
        return [json.loads(r.body) for r in self.requests if r.line.startswith("POST")]
