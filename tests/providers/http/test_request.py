"""HTTP requests: display without secrets, redirects, loopback hosts."""

from __future__ import annotations

import pytest

from lockbots_magic.errors import ProtocolError
from lockbots_magic.providers.http.request import HTTPRequest, display_host, display_url, is_loopback
from lockbots_magic.security.secrets import Secret

SECRET = "correct+horse"


def call(method: str = "POST") -> HTTPRequest:
    return HTTPRequest(
        method, "http://a.test", secret_headers={"x": Secret(SECRET)}, secret_query={"auth": Secret(SECRET)}
    )


def test_repr_of_a_request_hides_credentials():
    assert SECRET not in repr(call())
    assert call().redact(f"<{SECRET}> <correct%2Bhorse>") == "<***> <***>"


@pytest.mark.parametrize(("location", "target"), [
    ("/b", "http://a.test/b"), ("b?c=d", "http://a.test/v1/b?c=d"), ("//A.test:80/b", "http://A.test:80/b"),
    ("/b?auth=x&c=d%20e#f", "http://a.test/b?c=d%20e"), ("?a%75th=x", "http://a.test/v1/x"), ("", "http://a.test/v1/x"),
])  # fmt: skip
def test_redirect_within_the_host_is_followed_without_credentials_in_the_url(location, target):
    assert call().follow_redirect("http://a.test/v1/x", 307, location) == target


@pytest.mark.parametrize("location", [
    "http://b.test/", "https://a.test/", "http://a.test:81/", "//b.test", "http://a.test@b.test/", "http://me@a.test/",
    "http://a.test.b.test/", "ftp://a.test/", "file:///etc/passwd", "http://[", "http://a.test:x/", f"/x/{SECRET}",
])  # fmt: skip
def test_redirect_to_another_origin_is_refused(location):
    with pytest.raises(ProtocolError, match="redirects to") as caught:
        call().follow_redirect("http://a.test/v1/x", 307, location)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("method", "status", "follows"), [
    ("POST", 301, False), ("POST", 302, False), ("POST", 303, False), ("POST", 308, True), ("GET", 301, True),
    ("GET", 303, True),
])  # fmt: skip
def test_redirect_keeps_the_method_or_is_refused(method, status, follows):
    if follows:
        assert call(method).follow_redirect("http://a.test/x", status, "/y") == "http://a.test/y"
    else:
        with pytest.raises(ProtocolError, match="redirects to"):
            call(method).follow_redirect("http://a.test/x", status, "/y")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost.", "a.localhost", "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::"]
)
def test_loopback_hosts(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "a.test", "localhost.test", "notlocalhost", "10.0.0.1", "192.168.0.1", "::2", "127.0.0"]
)
def test_other_hosts(host):
    assert not is_loopback(host)


def test_url_is_displayed_without_its_secret_parts():
    assert display_url("https://me:mine@a.test:8/b?c=d#e") == "https://a.test:8/b"
    assert display_host("https://me:mine@a.test:8/b") == "a.test:8"
