"""Pictures are what their content says; and text of a server on one line."""

import base64

import pytest

from lockbots_magic.security.foreign_text import quote_line
from lockbots_magic.security.pictures import MAX_PICTURE, Picture, embed_picture, embedded_picture, picture_kind
from lockbots_magic.security.secrets import Secret

BEGINS = {
    "png": b"\x89PNG\r\n\x1a\n",
    "jpeg": b"\xff\xd8\xff\xe0",
    "gif": b"GIF89a",
    "webp": b"RIFF\0\0\0\0WEBPVP8 ",
}


def url(data, kind="png"):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("kind", BEGINS)
def test_a_picture_is_embedded_and_known_again(kind):
    data = BEGINS[kind] + b"x" * 50
    assert picture_kind(data) == kind
    assert embed_picture(data) == url(data, kind)
    assert embedded_picture(embed_picture(data)) == Picture(kind, len(data))
    other = next(name for name in BEGINS if name != kind)
    assert embedded_picture(url(data, other)) is None


def test_what_is_no_picture_is_not_shown():
    for address in (
        "https://a.example/x.png",
        "data:image/svg+xml;base64,PHN2Zz4=",
        url(b"<svg onload=alert(1)>"),
        "data:image/png;base64,A",
        "data:image/png;base64,AAAAA",
        url(BEGINS["png"]) + " onerror=x",
        url(BEGINS["png"] + b"x" * MAX_PICTURE),
        "x" * (MAX_PICTURE * 2),
    ):
        assert embedded_picture(address) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<?xml?><SVG>", "an SVG image"),
        (b"BM", "not a PNG, JPEG, GIF or WebP image"),
        (BEGINS["png"] + b"x" * MAX_PICTURE, "larger than 8 MB"),
    ],
)
def test_what_can_not_be_embedded_says_why(data, said):
    with pytest.raises(ValueError, match=said):
        embed_picture(data)


def test_text_of_a_server_is_one_line_cut_after_it_was_redacted():
    secret = Secret("planted-credential-7")
    said = quote_line("no\x1b[2J\r\nway  planted-credential-7 " + "x" * 90, 40)
    assert said.startswith("no [2J way *** xxx")
    assert (len(said), said[-1]) == (40, "…")
    assert quote_line("x" * 20 + "planted-credential-7", 30) == "x" * 20 + "***"
    assert secret
