"""Link policy."""

import pytest

from lockbots_magic.security.links import host_of, is_small_picture, is_web_link, spelled_out, unlinked


@pytest.mark.parametrize(
    "text", ["see https://a.example", "HTTP://a", "a: b", "my data: 3 and 4", "C://", "1://x", "x:/y"]
)
def test_ordinary_text_is_unchanged(text):
    assert unlinked(text) == text or ":" in text


@pytest.mark.parametrize(
    "text", ["javascript://x", "a JAVASCRIPT://x", "data:text/html,x", "file:///etc", "vscode://x", "(x+y.z-1://q)"]
)
def test_only_http_addresses_stay_links(text):
    shown = unlinked(text)
    assert "://" not in shown.replace("\u2060:", "")
    assert "data:" not in shown
    assert shown.replace("\u2060", "") == text


def test_only_http_and_mailto_links_are_allowed():
    for address in ("https://a.example/b", "HTTP://a.example", "mailto:me@a.example"):
        assert is_web_link(address)
    for address in (
        "javascript:x",
        "ftp://a",
        "//a.example",
        "/lab",
        "https:",
        "http://[x",
        "http://a:port/",
        "https://",
    ):
        assert not is_web_link(address), address


def test_a_malformed_address_has_no_host():
    assert host_of("https://a.example:80/b") == "a.example"
    assert [host_of(address) for address in ("http://[::1", "https://a:b/", "ftp://a", "cat.png")] == [None] * 4


def test_address_is_percent_encoded_without_markup():
    assert spelled_out('https://a.example/b(c)"<d>*@@e@f') == "https://a.example/b%28c%29%22%3Cd%3E%2A@%40e@f"


def test_embedded_image_matches_its_type():
    assert is_small_picture("data:image/gif;base64,R0lGODlh")
    for source in (
        "data:image/png;base64,R0lGODlh",
        "data:image/svg+xml;base64,R0lGODlh",
        "data:image/gif;base64,R0lG===",
    ):
        assert not is_small_picture(source), source


def test_a_picture_whose_base64_is_broken_is_none():
    assert not is_small_picture("data:image/png;base64,AAAAA")
