"""Images as URLs."""

import base64
import io
import random
import sys
from types import SimpleNamespace

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.images import MAX_FILE_BYTES, MAX_IMAGE_BYTES, check_total_size, image_part
from lockbots_magic.prompt.values import value_part
from lockbots_magic.security.pictures import picture_kind

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BEGINS = {"png": PNG, "jpeg": b"\xff\xd8\xff\xe0abc", "gif": b"GIF89a...", "webp": b"RIFF\x00\x00\x00\x00WEBPVP8 "}


def image_url(value):
    """The URL of the one image that `value` is."""
    (url,) = image_part(value).images
    return url


def data_of(url):
    kind, _, data = url.partition(";base64,")
    return kind.removeprefix("data:image/"), base64.b64decode(data, validate=True)


@pytest.mark.parametrize("kind", BEGINS)
def test_image_format_follows_the_first_bytes(tmp_path, kind):
    path = tmp_path / "picture.dat"
    path.write_bytes(BEGINS[kind])
    assert data_of(image_url(path)) == data_of(image_url(str(path))) == (kind, BEGINS[kind])


def test_a_file_in_the_users_own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "a.png").write_bytes(PNG)
    assert image_url("~/a.png").startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    "url",
    ["https://example.org/a.png", "http://example.org/x?y=.svg", "data:image/png;base64,AAAA", "HTTPS://example.org"],
)
def test_url_is_kept(url):
    assert image_url(url) == url


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("https://example.org/a.svg?x", r"SVG\. Models take PNG"),
        ("data:image/svg+xml;base64,AAAA", r"SVG\. Models take PNG"),
        ("data:text/html,x", "An image must be a file"),
        (b"<?xml version='1.0'?><svg xmlns=''/>", r"SVG\. Models take PNG"),
        (b"text", "not an image that models take"),
        (5, "A value of type int is not an image"),
        ([PNG], "A value of type list is not an image"),
        (BEGINS["jpeg"] + bytes(MAX_IMAGE_BYTES), r"larger than 5 MB\. Scale it down"),
        ("data:image/png;base64," + "A" * 30_000_000, "not an image that models take"),
        ("data:image/png," + "A" * 30_000_000, r"larger than 5 MB\. Scale it down"),
    ],
    ids=range(10),
)
def test_unsupported_image_is_an_error(given, said):
    with pytest.raises(UsageError, match=said):
        image_url(given)


def test_file_that_is_not_an_image_is_an_error(tmp_path):
    for name, content, said in (
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg is an SVG"),
        ("a.png", b"not at all", "a.png is not an image"),
        ("empty.png", b"", "empty.png is not an image"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=said):
            image_url(tmp_path / name)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(UsageError, match=r"large\.png is larger than 100 MB"):
        image_url(path)


def photo(kind, size=(2400, 1200), mode="RGB", **more):
    """An image of noise, which does not compress: more than 5 MB as PNG."""
    image = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    image.frombytes(mode, size, random.Random(5).randbytes(size[0] * size[1] * len(mode))).save(file, kind, **more)
    assert len(file.getvalue()) > MAX_IMAGE_BYTES
    return file.getvalue()


def opened(url):
    from PIL import Image

    kind, data = data_of(url)
    assert kind == "jpeg"
    assert len(data) <= MAX_IMAGE_BYTES
    return Image.open(io.BytesIO(data))


def test_large_image_is_scaled_down(tmp_path):
    data = photo("PNG")
    (tmp_path / "a.png").write_bytes(data)
    encoded = base64.b64encode(data).decode()
    for given in (data, tmp_path / "a.png", f"data:image/png;base64,{encoded}"):
        assert opened(image_url(given)).size == (2000, 1000)


def test_large_image_of_any_format_is_scaled_down():
    see_through = opened(image_url(photo("PNG", (2400, 1200), "RGBA")))
    assert (see_through.mode, see_through.size) == ("RGB", (2000, 1000))
    assert opened(image_url(photo("JPEG", (3200, 3200), quality=100, subsampling=0))).size == (2000, 2000)


def test_scaling_keeps_the_orientation():
    pytest.importorskip("PIL")
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert opened(image_url(photo("JPEG", (3200, 2400), quality=100, subsampling=0, exif=exif))).size == (1500, 2000)


def test_small_picture_is_sent_without_its_metadata(tmp_path):
    image = pytest.importorskip("PIL.Image")
    exif = image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    exif.get_ifd(0x8825)[1] = "N"
    for kind in ("JPEG", "PNG", "WEBP"):
        file = io.BytesIO()
        image.new("RGB", (40, 20), "red").save(file, kind, exif=exif, icc_profile=b"a profile")
        data = file.getvalue()
        assert b"a camera" in data
        (tmp_path / "a.dat").write_bytes(data)
        for given in (data, tmp_path / "a.dat", f"data:image/{kind.lower()};base64,{base64.b64encode(data).decode()}"):
            sent = data_of(image_url(given))[1]
            picture = image.open(io.BytesIO(sent))
            assert b"a camera" not in sent
            assert dict(picture.getexif()) == {0x0112: 6}
            assert picture.info["icc_profile"] == b"a profile"
            assert picture.tobytes() == image.open(io.BytesIO(data)).tobytes()


def test_url_that_holds_no_base64_is_kept():
    for url in ("data:image/jpeg,%FF%D8", "data:image/jpeg;base64,é", "data:image/jpeg;base64,A"):
        assert image_url(url) == url


def test_noisy_image_in_memory_is_scaled_down():
    pytest.importorskip("PIL")
    from PIL import Image

    picture = Image.open(io.BytesIO(photo("PNG")))
    assert opened(image_url(picture)).size == (2000, 1000)


def test_large_image_without_pillow_is_an_error_with_the_limit(monkeypatch):
    pytest.importorskip("PIL")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UsageError, match=r"larger than 5 MB\. Scale it down, or install Pillow"):
        image_url(BEGINS["jpeg"] + bytes(MAX_IMAGE_BYTES))


def test_total_size_of_the_images_of_a_prompt_is_limited():
    url = image_url(BEGINS["jpeg"] + bytes(MAX_IMAGE_BYTES - 10))
    far = "https://example.org/" + "a" * 50_000_000
    assert check_total_size([url] * 3) == (url,) * 3
    assert check_total_size([*[url] * 3, far]) == (url, url, url, far)
    assert check_total_size([]) == ()
    with pytest.raises(
        UsageError, match=r"The 4 images of this prompt have 20\.0 MB; the limit is 15 MB\. Leave some out"
    ):
        check_total_size([url] * 4)


def test_missing_image_is_an_error_that_suggests_a_similar_file(tmp_path):
    (tmp_path / "figure.png").write_bytes(PNG)
    with pytest.raises(UsageError, match=r"File not found: .*figur\.png\. Did you mean .*figure\.png\?"):
        image_url(str(tmp_path / "figur.png"))
    with pytest.raises(UsageError, match=r"is a folder\. `--image` takes a PNG"):
        image_url(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("_repr_png_", PNG),
        ("_repr_png_", (PNG, {"width": 1})),
        ("_repr_png_", base64.b64encode(PNG).decode()),
        ("_repr_png_", base64.encodebytes(PNG).decode()),
        ("_repr_jpeg_", BEGINS["jpeg"]),
    ],
)
def test_value_that_draws_itself_is_an_image(name, answer):
    kind = type("Drawing", (), {name: lambda _: answer})
    assert data_of(image_url(kind()))[1] == (PNG if name == "_repr_png_" else BEGINS["jpeg"])
    assert value_part(kind()).images == (image_url(kind()),)


@pytest.mark.parametrize("answer", [None, 5, "no base64!", ()])
def test_value_that_draws_nothing_is_not_an_image(answer):
    kind = type("Drawing", (), {"_repr_png_": lambda _: answer})
    with pytest.raises(UsageError, match="A value of type Drawing is not an image"):
        image_url(kind())
    assert not value_part(kind()).images


def test_failure_to_draw_is_an_error_with_the_reason():
    class Broken:
        def _repr_png_(self):
            raise RuntimeError("no ink")

    with pytest.raises(UsageError, match="Can't draw a Broken: no ink"):
        image_url(Broken())


def test_ipython_image_is_its_data_or_its_url():
    from IPython.display import Image

    assert data_of(image_url(Image(PNG)))[1] == PNG
    assert data_of(image_url(Image(PNG, width=5)))[1] == PNG
    assert data_of(image_url(Image(BEGINS["gif"], format="gif")))[0] == "gif"
    assert image_url(Image(url="https://example.org/a.png")) == "https://example.org/a.png"


@pytest.fixture
def plt():
    pytest.importorskip("matplotlib").use("agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def size(url):
    return tuple(int.from_bytes(data_of(url)[1][at : at + 4], "big") for at in (16, 20))


def test_figure_is_drawn_without_change(plt):
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    before = (figure.dpi, tuple(figure.get_size_inches()), type(figure.canvas), plt.get_fignums())
    assert data_of(image_url(figure))[0] == "png"
    assert (figure.dpi, tuple(figure.get_size_inches()), type(figure.canvas), plt.get_fignums()) == before
    assert value_part(figure).images == (image_url(figure),)


def test_axes_and_subfigures_draw_their_figure(plt):
    figure = plt.figure()
    part, _ = figure.subfigures(1, 2)
    axes = part.subplots()
    assert image_url(axes) == image_url(part) == image_url(figure)


def test_a_huge_figure_is_drawn_smaller(plt):
    assert size(image_url(plt.figure(figsize=(40, 20), dpi=300))) == (1999, 1004)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "F", "I", "I;16", "HSV"])
def test_a_pil_image_of_any_mode_becomes_png(mode):
    image = pytest.importorskip("PIL.Image").new(mode, (3, 2))
    assert size(image_url(image)) == (3, 2)
    assert (image.mode, image.size) == (mode, (3, 2))


def test_huge_pil_image_is_scaled_down_in_a_copy():
    image = pytest.importorskip("PIL.Image").new("RGB", (4000, 10))
    assert size(image_url(image)) == (2000, 5)
    assert image.size == (4000, 10)


def test_array_is_an_error_that_says_how_to_draw_it():
    np = pytest.importorskip("numpy")
    with pytest.raises(UsageError, match="imshow"):
        image_url(np.zeros((2, 2)))


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"GIF", b"BM"])
def test_other_bytes_are_not_an_image(data):
    assert picture_kind(data) is None


def test_value_that_claims_every_attribute_is_not_an_image():
    with pytest.raises(UsageError):
        image_url(SimpleNamespace(_repr_png_=lambda: PNG))


def pixels(url):
    from PIL import Image

    return Image.open(io.BytesIO(data_of(url)[1]))


def test_figure_is_drawn_with_the_legend_beside_its_axes(plt):
    figure, axes = plt.subplots()
    axes.plot([1, 2], label="the long name of a series")
    axes.legend(bbox_to_anchor=(1.02, 1), loc="upper left")
    plt.close(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    assert size(image_url(figure)) == tuple(pixels(image_url(file.getvalue())).size)
    assert size(image_url(figure))[0] > 700


def test_text_far_away_does_not_make_a_figure_too_large(plt):
    figure, axes = plt.subplots()
    axes.text(4, 0.5, "far", clip_on=False)
    figure.set_dpi(300)
    assert max(size(image_url(figure))) <= 2000
    axes.text(1e4, 0.5, "farther", clip_on=False)
    assert size(image_url(figure)) == (1920, 1440)


def test_png_holds_no_version_of_the_program(plt):
    figure = plt.figure()
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert b"Software" in file.getvalue()
    for value in (figure, file.getvalue(), type("Drawing", (), {"_repr_png_": lambda _: file.getvalue()})()):
        assert b"Software" not in data_of(image_url(value))[1]
        assert pixels(image_url(value)).size[0] > 300


def test_whatever_is_in_a_figure_stands_for_it(plt):
    pd = pytest.importorskip("pandas")
    figure, axes = plt.subplots(2, 2)
    lines = axes[0, 0].plot([])
    url = image_url(figure)
    for value in (axes, [*axes.flat], {"a": axes[0, 0], "b": axes[1, 1]}, (figure, axes), lines, lines[0]):
        assert image_url(value) == url
    assert value_part(pd.Series([axes[0], axes[1]], dtype=object)).images == (url,)
    assert value_part(axes).text == ""
    with pytest.raises(UsageError, match="not an image"):
        image_url([])


def test_grids_of_seaborn_are_pictures(plt):
    seaborn, pd = pytest.importorskip("seaborn"), pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [2.0, 1.0]})
    for grid in (seaborn.relplot(frame, x="x", y="y"), seaborn.pairplot(frame), seaborn.jointplot(frame, x="x", y="y")):
        assert value_part(grid).images == (image_url(grid),)


def test_several_pictures_are_sent_in_order_up_to_a_limit():
    image = pytest.importorskip("PIL.Image")
    pictures = [image.new("L", (1, 1), shade) for shade in range(10)]
    part = value_part(pictures)
    assert part.images == tuple(map(image_url, pictures[:8]))
    assert part.notes == ("only 8 of 10 pictures were sent",)
    named = value_part({"before": pictures[0], "after": pictures[1]})
    assert (named.text, len(named.images)) == ("before, after: ", 2)


@pytest.mark.parametrize(("mode", "values", "seen", "noted"), [
    ("F", (0.0, 0.5, 1.0), (0, 128, 255), True),
    ("F", (0.0, 100.0, 255.0), (0, 100, 255), False),
    ("F", (-1.0, 0.0, 1.0), (0, 128, 255), True),
    ("F", (float("nan"), 0.0, 1.0), (None, 0, 255), True),
    ("I", (0, 2048, 4095), (0, 128, 255), True),
    ("I;16", (0, 2048, 4095), (0, 128, 255), True),
    ("I;16", (0, 32768, 65535), (0, 128, 255), True),
    ("I", (-100, 0, 100), (0, 128, 255), True),
    ("I", (7, 7, 7), (7, 7, 7), False),
])  # fmt: skip
def test_grey_of_many_levels_is_scaled_and_not_cut_off(mode, values, seen, noted):
    picture = pytest.importorskip("PIL.Image").new(mode, (3, 1))
    for at, value in enumerate(values):
        picture.putpixel((at, 0), value)
    part = value_part(picture)
    sent = pixels(part.images[0])
    assert sent.mode == "L"
    assert all(want in (None, sent.getpixel((at, 0))) for at, want in enumerate(seen))
    assert bool(part.notes) == noted


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "PPM", "ICO"])
def test_file_of_another_format_is_converted(tmp_path, kind):
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / f"a.{kind.lower()}"
    image.new("RGB", (16, 16), "red").save(path, kind)
    sent = pixels(image_url(path))
    assert (sent.format, sent.size, sent.convert("RGB").getpixel((5, 5))) == ("PNG", (16, 16), (255, 0, 0))


def test_tiff_of_12_bits_and_several_pages(tmp_path):
    image = pytest.importorskip("PIL.Image")
    page = image.new("I;16", (2, 1))
    page.putpixel((1, 0), 4095)
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    part = image_part(tmp_path / "a.tif")
    assert pixels(part.images[0]).getpixel((1, 0)) == 255
    assert part.notes == (
        "a.tif: its grey values 0 to 4095 were scaled to 8 bits",
        "a.tif: only the first of 2 frames was sent",
    )
    page.save(tmp_path / "a.png")
    assert pixels(image_url(tmp_path / "a.png")).getpixel((1, 0)) == 255


def test_tiff_without_pillow_is_an_error_that_says_what_to_install(tmp_path, monkeypatch):
    pytest.importorskip("PIL")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UsageError, match=r"The value is a TIFF\. Install Pillow to have it converted"):
        image_url(b"II*\0" + bytes(100))
    assert image_url(BEGINS["jpeg"])


def test_jpeg_in_cmyk_is_converted():
    image = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(file, "JPEG")
    red, green, blue = pixels(image_url(file.getvalue())).convert("RGB").getpixel((4, 4))
    assert red > 240 > 20 > max(green, blue)


def test_lines_of_a_palette_image_stay_when_it_is_scaled():
    image = pytest.importorskip("PIL.Image")
    picture = image.new("1", (4001, 10), 1)
    for x in range(1, 4001, 2):
        picture.putpixel((x, 5), 0)
    assert pixels(image_url(picture)).convert("L").getextrema()[0] < 250


@pytest.mark.parametrize(("ink", "paper"), [("black", (255, 255, 255)), ("white", (51, 51, 51))])
def test_transparent_plot_is_on_paper_on_which_its_labels_are_seen(plt, ink, paper):
    figure = plt.figure(figsize=(2, 1))
    figure.text(0.5, 0.5, "sales", color=ink)
    figure.patch.set_alpha(0)
    picture = pytest.importorskip("PIL.Image").open(io.BytesIO(data_of(image_url(figure))[1]))
    assert (picture.mode, picture.getpixel((0, 0))) == ("RGB", paper)


def test_pictures_among_other_values_are_sent_with_them(plt):
    figure, axes = plt.subplots()
    bars = axes.hist([1, 2, 3])
    part = value_part({"plot": figure, "n": 3, "bars": bars})
    assert part.images == (image_url(figure),)
    assert part.text.startswith("{\n  'plot': <Figure size 640x480 with 1 Axes>,\n  'n': 3,")
    pie = axes.pie([1, 2])
    for value in (pie, plt.colorbar(axes.imshow([[1, 2]]))):
        assert image_url(value) == image_url(figure)
