"""`--file https://...`: pages as text, bounded, and with no redirect into a private network."""

import pytest

from lockbots_magic import LockbotsError, UsageError
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.prompt import loaders
from lockbots_magic.providers.http import page as pages
from tests.rawserver import RawServer


def load(url):
    return loaders.load_part(*loaders.split_name(url))


def site(routes):
    """Serve answers by path: (body, status, headers)."""

    def script(peer):
        while (request := peer.request()) is not None:
            body, status, headers = routes[request.target]
            peer.answer(body, status, **headers)

    return RawServer(script)


def redirect(location, status="302 Found"):
    return b"", status, {"Location": location}


HTML = {"Content_Type": "text/html; charset=utf-8"}


def test_a_page_is_its_text_with_its_title():
    body = "<head><title>A &amp; Б</title></head><script>x()</script><h1>Head</h1><p>Some <b>bold</b> text</p>".encode()
    with site({"/page?q=1": (body, "200 OK", HTML)}) as server:
        part = load(f"{server.url}/page?q=1#part")
        assert part.text == f"Page A & Б ({server.url}/page):\n\n# Head\n\nSome bold text"
        assert part.notes == (f"Page A & Б ({server.url}/page): 22 characters loaded",)
        (request,) = server.requests
        assert request.headers["user-agent"].startswith("lockbots-magic/")
        assert "cookie" not in request.headers


def test_text_in_any_encoding_is_read():
    for content_type, body, expected in (
        ("text/plain; charset=windows-1251", "погода".encode("cp1251"), "погода"),
        ("text/html", '<meta charset="koi8-r"><p>погода'.encode("koi8-r"), "погода"),
        ("text/html; charset=nonsense", "<p>погода".encode(), "погода"),
        ("application/json", b'{"a": 1}', '{"a": 1}'),
        ("application/ld+json; charset=utf-8", b"[]", "[]"),
        ("text/csv", b"a,b\n1,2", "a,b\n1,2"),
    ):
        with site({"/": (body, "200 OK", {"Content_Type": content_type})}) as server:
            assert load(f"{server.url}/").text.endswith(f":\n\n{expected}"), content_type


def test_what_is_no_text_is_told():
    for content_type, body in (
        ("application/pdf", b"%PDF-1.7"),
        ("image/png", b"\x89PNG\0"),
        ("text/plain", b"\0\1\2"),
    ):
        with (
            site({"/x": (body, "200 OK", {"Content_Type": content_type})}) as server,
            pytest.raises(UsageError) as caught,
        ):
            load(f"{server.url}/x")
        assert "Download it" in str(caught.value)


def test_errors_of_servers_are_told():
    with site({"/x": (b"no", "404 Not Found", {})}) as server, pytest.raises(UsageError, match="status 404"):
        load(f"{server.url}/x")
    with site({}) as server:
        url = server.url
    with pytest.raises(LockbotsError):
        load(f"{url}/x")


@pytest.mark.parametrize("url", ["http://", "http:///x", "http:/x", "https://a b/", "http://h:99999/", "https://[::1/"])
def test_what_is_no_url_is_told(url):
    with pytest.raises(UsageError, match="not the URL of a page"):
        load(url)


def test_a_password_in_a_url_goes_nowhere():
    with site({}) as server, pytest.raises(UsageError, match="user name or password") as caught:
        load(server.url.replace("//", "//user:hunter2hunter2@") + "/x")
    assert "hunter2" not in str(caught.value)
    assert not server.requests


def test_a_long_page_is_cut(monkeypatch):
    monkeypatch.setattr(pages, "MAX_PAGE", 200_000)
    body = b"<p>" + b"word " * 1_000_000
    with site({"/": (body, "200 OK", HTML)}) as server:
        part = load(f"{server.url}/")
    assert len(part.text) < 101_000
    assert "only the first" in part.notes[0]


def test_redirects_at_the_same_place_are_followed_and_told():
    routes = {"/a": redirect("/b"), "/b": redirect("c", "301 Moved Permanently"), "/c": (b"<p>found", "200 OK", HTML)}
    with site(routes) as server:
        assert load(f"{server.url}/a").text == f"Page {server.url}/c:\n\nfound"


def test_a_redirect_in_a_loop_ends():
    with site({"/a": redirect("/a")}) as server, pytest.raises(LockbotsError, match="loop"):
        load(f"{server.url}/a")


def test_no_redirect_leads_to_a_private_address():
    inner = {"/secret": (b"the secret", "200 OK", HTML)}
    with site(inner) as private:
        port = private.url.rpartition(":")[2]
        for location in (
            f"{private.url}/secret",
            f"http://localhost:{port}/secret",
            f"http://[::1]:{port}/secret",
            f"http://[::ffff:127.0.0.1]:{port}/secret",
            f"http://0.0.0.0:{port}/secret",
            f"http://2130706433:{port}/secret",
            f"http://127.1:{port}/secret",
            f"http://printer.local:{port}/secret",
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.1/",
            "http://192.168.1.1/",
            f"//127.0.0.1:{port}/secret",
        ):
            with site({"/": redirect(location)}) as server, pytest.raises(LockbotsError) as caught:
                load(f"{server.url}/")
            assert "secret" not in str(caught.value) or "private address" in str(caught.value), location
        assert not private.requests


def test_redirects_to_other_schemes_are_refused():
    for location in (
        "file:///etc/passwd",
        "ftp://example.org/",
        "javascript:alert(1)",
        "http://u:p@example.org/",
        "http://[",
    ):
        with site({"/": redirect(location)}) as server, pytest.raises(LockbotsError, match=r"not a page|invalid"):
            load(f"{server.url}/")


def test_a_name_that_leads_elsewhere_the_second_time_is_refused(monkeypatch):
    """The first request counts as sent to a public address; the redirect there arrives at a private one."""
    addresses = iter(["93.184.216.34", "127.0.0.1"])
    check = pages.PageRequest.check_peer
    monkeypatch.setattr(
        pages.PageRequest, "check_peer", lambda self, url, address: check(self, url, next(addresses, address))
    )
    routes = {"/a": redirect("/secret"), "/secret": (b"the secret", "200 OK", HTML)}
    with site(routes) as server, pytest.raises(LockbotsError, match="private address"):
        pages.fetch_page(f"{server.url}/a", Cancellation())
    assert [request.target for request in server.requests] == ["/a"]


def test_a_redirect_from_https_to_http_is_refused():
    request = pages.PageRequest("GET", "https://example.org/a")
    with pytest.raises(LockbotsError, match="not encrypted"):
        request.follow_redirect("https://example.org/a", 302, "http://example.org/b")
    assert request.follow_redirect("http://example.org/a", 302, "https://example.org/b#x") == "https://example.org/b"


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("172.16.0.1", True), ("192.168.0.1", True), ("169.254.169.254", True),
        ("100.64.0.1", True), ("0.0.0.0", True), ("224.0.0.1", True), ("::1", True), ("fe80::1%eth0", True),
        ("fd00::1", True), ("::ffff:10.0.0.1", True), ("2002:7f00:1::", True), ("8.8.8.8", False),
        ("2606:4700::1111", False),
    ],
)  # fmt: skip
def test_private_addresses_are_known(address, private):
    assert pages._is_private(address) is private
