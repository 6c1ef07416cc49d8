"""Metadata of pictures: removed to the last byte, while the picture stays as it was."""

import io
import struct
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockbots_magic.prompt.picture_metadata import PNG_BEGIN, drop_metadata
from tests.effort import examples

SECRET = b"59.3293 N, 18.0686 E"
SCAN = b"\xff\xda\0\x04ab" + b"pixels\xff\0\xff\xd0more"
EOI = b"\xff\xd9"


def segment(marker, content, fill=0):
    return b"\xff" * (fill + 1) + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def tiff(orientation, order=">", more=SECRET):
    """Exif data with an orientation behind another entry."""
    begin = b"MM\0*" if order == ">" else b"II*\0"
    other = struct.pack(f"{order}HHII", 0x010F, 2, len(more), 8)
    turned = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return (
        begin + struct.pack(f"{order}I", 8 + len(more)) + more + struct.pack(f"{order}H", 2) + other + turned + bytes(4)
    )


def only(orientation):
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def exif_segment(orientation, **more):
    return segment(0xE1, b"Exif\0\0" + tiff(orientation, **more))


def chunk(name, content):
    """A chunk of a WebP."""
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def webp(*chunks):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png_chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


KEPT = (
    segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0"),
    segment(0xE2, b"ICC_PROFILE\0\1\1a profile", fill=2),
    segment(0xEE, b"Adobe\0d\0\0\0\0\1"),
    segment(0xDB, b"\0tables"),
    segment(0xC2, b"\x08\0\1\0\1\3frame"),
    segment(0xDD, b"\0\4"),
)
DROPPED = (
    segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET),
    segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + SECRET, fill=1),
    segment(0xED, b"Photoshop 3.0\08BIM\4\4" + SECRET),
    segment(0xFE, SECRET),
    segment(0xE0, b"JFXX\0\x10" + SECRET),
    segment(0xE2, b"MPF\0" + SECRET),
    segment(0xEF, SECRET),
    exif_segment(1),
    segment(0xE1, b"Exif\0\0" + SECRET),
)


@settings(max_examples=examples(300))
@given(
    st.lists(st.sampled_from([*KEPT, *DROPPED])),
    st.lists(st.sampled_from([*KEPT[3:], *DROPPED, SCAN])),
    st.sampled_from([b"", SECRET, b"\xff\xd8" + DROPPED[0] + SCAN + EOI]),
    st.integers(0, 9),
    st.sampled_from("<>"),
)
def test_jpeg_keeps_what_shows_it(head, between, behind, orientation, order):
    turned = exif_segment(orientation, order=order)
    data = b"\xff\xd8" + b"".join([*head, turned, turned, SCAN, *between]) + EOI + behind
    kept = segment(0xE1, b"Exif\0\0" + only(orientation)) if 2 <= orientation <= 8 else b""
    stays = (*KEPT, SCAN)
    before, after = (b"".join(one for one in part if one in stays) for part in (head, between))
    cleaned = drop_metadata(data)
    assert cleaned == b"\xff\xd8" + before + kept + SCAN + after + EOI
    assert drop_metadata(cleaned) == cleaned


@given(st.integers(0, 9), st.sampled_from("<>"), st.booleans())
def test_webp_and_png_keep_what_shows_them(orientation, order, prefixed):
    is_turned = 2 <= orientation <= 8
    exif = tiff(orientation, order)
    pixels, profile = chunk(b"VP8 ", b"pixel"), chunk(b"ICCP", b"a profile")
    header = [chunk(b"VP8X", bytes([flags]) + bytes(9)) for flags in (0x2C, 0x28 if is_turned else 0x20)]
    told = [chunk(b"EXIF", (b"Exif\0\0" if prefixed else b"") + exif), chunk(b"XMP ", SECRET), chunk(b"othr", SECRET)]
    kept = [chunk(b"EXIF", only(orientation))] if is_turned else []
    cleaned = drop_metadata(webp(header[0], profile, pixels, *told) + SECRET)
    assert cleaned == webp(header[1], profile, pixels, *kept) == drop_metadata(cleaned)
    begin, end = png_chunk(b"IHDR", bytes(13)), png_chunk(b"IDAT", b"pixels") + png_chunk(b"IEND", b"")
    text = png_chunk(b"tEXt", SECRET) + png_chunk(b"iTXt", SECRET)
    kept_png = png_chunk(b"eXIf", only(orientation)) if is_turned else b""
    cleaned = drop_metadata(PNG_BEGIN + begin + text + png_chunk(b"eXIf", exif) + end + SECRET)
    assert cleaned == PNG_BEGIN + begin + kept_png + end == drop_metadata(cleaned)


@settings(max_examples=examples(400))
@given(
    st.sampled_from([b"\xff\xd8", PNG_BEGIN, b"RIFF\x20\0\0\0WEBP", b"GIF89a\1\0\1\0\0\0\0", b""]),
    st.binary(max_size=80),
)
@example(b"\xff\xd8", b"\xff\xe1\0\1")
@example(b"RIFF\x0c\0\0\0WEBP", b"VP8X\0\0\0\0")
@example(b"\xff\xd8", exif_segment(6)[:30] + SCAN)
def test_any_bytes_are_taken_and_cleaned_once(begin, rest):
    cleaned = drop_metadata(begin + rest)
    assert drop_metadata(cleaned) == cleaned


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        PNG_BEGIN,
        PNG_BEGIN + b"\xff\xff\xff\xfftEXt",
        PNG_BEGIN + png_chunk(b"tEXt", SECRET),
        b"\xff\xd8" + DROPPED[3] + EOI,
        b"\xff\xd8" + DROPPED[3] + b"astray" + SCAN + EOI,
        b"\xff\xd8" + DROPPED[3] + b"\xff\xe1\xff\xff",
        webp(chunk(b"EXIF", SECRET)),
        webp(chunk(b"VP8 ", b""), chunk(b"EXIF", SECRET))[:-1],
    ],
    ids=range(10),
)
def test_damaged_picture_is_unchanged(data):
    assert drop_metadata(data) == data


def test_jpeg_that_breaks_off_in_its_scan_loses_what_is_before():
    assert drop_metadata(b"\xff\xd8" + DROPPED[0] + SCAN) == b"\xff\xd8" + SCAN


def gif_parts(label, *parts):
    """An extension of a GIF."""
    return b"!" + bytes([label]) + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


GIF_HEAD = b"GIF89a\1\0\1\0\x80\0\0" + b"rgbRGB"
GIF_IMAGE = b",\0\0\0\0\1\0\1\0\x81" + b"table of four"[:12] + b"\2" + b"\2\x44\1" + b"\0"
GIF_LOOP = gif_parts(0xFF, b"NETSCAPE2.0", b"\1\0\0")
GIF_DELAY = gif_parts(0xF9, b"\0\0\0\0")


def test_gif_keeps_its_pictures_and_how_they_run():
    comment = gif_parts(0xFE, SECRET, SECRET)
    xmp = gif_parts(0xFF, b"XMP DataXMP", SECRET)
    told = GIF_HEAD + comment + GIF_LOOP + xmp + GIF_DELAY + GIF_IMAGE + comment + GIF_DELAY + GIF_IMAGE + b";" + SECRET
    wanted = GIF_HEAD + GIF_LOOP + GIF_DELAY + GIF_IMAGE + GIF_DELAY + GIF_IMAGE + b";"
    assert drop_metadata(told) == wanted
    assert drop_metadata(told[: told.rindex(b";")]) == wanted, "many files lack the end"
    assert drop_metadata(wanted) == wanted
    for damaged in (GIF_HEAD + comment, GIF_HEAD + b"?", told[:20], GIF_HEAD + GIF_IMAGE[:-1], GIF_HEAD + b"!"):
        assert drop_metadata(damaged) == damaged


def test_gif_of_pillow_loses_its_comment():
    images = pytest.importorskip("PIL.Image")
    frames = [images.new("P", (3, 2), n) for n in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], comment=SECRET, loop=2)
    assert SECRET in file.getvalue()
    cleaned = drop_metadata(file.getvalue())
    assert SECRET not in cleaned
    opened = images.open(io.BytesIO(cleaned))
    assert (opened.n_frames, opened.size, opened.info["loop"]) == (images.open(file).n_frames, (3, 2), 2)
