"""A loopback HTTP server that speaks every wire format and fails on demand.

::

    with MockServer() as server:
        server.url("lockchat")            # http://127.0.0.1:PORT/lockchat
        server.url("liaobots")            # early format: the body is the reply
        server.url("liaobots-events")     # later format: server-sent events
        server.url("openai")              # http://127.0.0.1:PORT/openai/v1
        server.url("openai", fault="http-503", times=1, retry_after=0.1)

The behaviour of a URL is part of the URL, so the server keeps no state for it and works from another process.
`MockSettings` lists the settings, `FAULTS` the ways to fail; ``python -m lockbots_magic.testing.mock_server --help``
shows both. The valid credential is the word ``mock``.
"""

from .faults import FAULTS
from .request_log import MockRequest
from .server import MockServer
from .settings import CREDENTIAL, MockSettings

__all__ = ["CREDENTIAL", "FAULTS", "MockRequest", "MockServer", "MockSettings"]
