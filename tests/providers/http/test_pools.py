"""URLs and headers that are sent as they are, beside what requests makes of them."""

from __future__ import annotations

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from lockbots_magic.providers.http import pools

_HOSTS = st.sampled_from(["localhost", "127.0.0.1", "api.example.org", "a..b", "-a", "a.", "A.b", "[::1]", "ä.de"])
_PORTS = st.sampled_from(["", ":80", ":443", ":0", ":08", ":11434", ":65535", ":65536", ":99999", ":"])
_REST = st.text("ab/.-_~?=&%20#; ä\\@", max_size=12)


@given(scheme=st.sampled_from(["http", "https", "HTTP"]), host=_HOSTS, port=_PORTS, rest=_REST)
@example("http", "localhost", "", "")
@example("http", "localhost", ":1", "?a=b")
@example("https", "localhost", ":443", "/v1/../x")
@example("https", "localhost", ":443", "/v1//x/?")
def test_a_url_is_sent_as_requests_sends_it(scheme, host, port, rest):
    url = f"{scheme}://{host}{port}/{rest}" if rest and rest[0] not in "/?" else f"{scheme}://{host}{port}{rest}"
    expected = requests.PreparedRequest()
    try:
        expected.prepare_url(url, None)
    except (requests.RequestException, UnicodeError):
        with pytest.raises((requests.RequestException, UnicodeError)):
            pools.prepare_url(url)
        return
    prepared = pools.prepare_url(url)
    assert (prepared.url, prepared.path) == (expected.url, expected.path_url)
    assert prepared.url.startswith(prepared.origin + prepared.path.partition("?")[0][:1])


@pytest.mark.parametrize("url", ["http://127.0.0.1:11434/v1/chat/completions", "https://a.example/x?api-version=1"])
def test_a_plain_url_needs_no_requests(monkeypatch, url):
    monkeypatch.setattr(pools, "_requests", lambda: pytest.fail("asked"))
    pools.prepare_url.cache_clear()
    assert pools.prepare_url(url).url == url


@pytest.mark.parametrize("value", ["a\nb", "a\rb", " a"])
def test_a_header_that_would_be_two_is_refused(value):
    with pytest.raises(requests.exceptions.InvalidHeader):
        pools._prepare_headers((("x-own", value),))


def test_a_header_of_ones_own_replaces_a_usual_one_in_any_case():
    sent = pools._prepare_headers((("user-agent", "mine"), ("accept", "text/html")))
    assert sent == {"user-agent": "mine", "accept": "text/html", "Connection": "keep-alive"}
