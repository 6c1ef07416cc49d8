"""Cells of the notebook with what they showed."""

import base64
import re
import threading
from types import SimpleNamespace

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.notebook.display_recorder import DisplayRecorder
from lockbots_magic.prompt.cells import MAX_IMAGES, MAX_LENGTH, CellHistory, cells_part
from lockbots_magic.prompt.images import MAX_IMAGE_BYTES, check_total_size
from lockbots_magic.prompt.part import PromptPart
from lockbots_magic.security.secrets import Secret
from lockbots_magic.storage.output_metadata import KEY

PNG = b"\x89PNG\r\n\x1a\n"
URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def output(kind, **bundle):
    return SimpleNamespace(output_type=kind, bundle={name.replace("_", "/"): value for name, value in bundle.items()})


def stream(*texts):
    return SimpleNamespace(output_type="out_stream", bundle={"stream": list(texts)})


def history(*inputs, outputs=None, exceptions=None, **user_ns):
    """What an IPython remembers of these cells, the first of which is number 1."""
    manager = SimpleNamespace(input_hist_raw=["", *inputs], exceptions=exceptions or {})
    if outputs is not None:
        manager.outputs = outputs
    return CellHistory(SimpleNamespace(history_manager=manager, user_ns=user_ns), running=False)


def text(selection, *inputs, **remembered):
    return cells_part(selection, history(*inputs, **remembered)).text


def test_a_cell_is_its_number_its_code_and_what_it_showed():
    outputs = {1: [stream("hi", "\n"), output("execute_result", text_plain="2")]}
    assert text("1", "print('hi')\n1 + 1", outputs=outputs) == (
        "In [1]:\n```python\nprint('hi')\n1 + 1\n```\nOut [1]:\n```\nhi\n```\nOut [1]:\n```\n2\n```"
    )


@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        ("2", [2]),
        ("2-4", [2, 3, 4]),
        ("1,3-4", [1, 3, 4]),
        (" 1 , 3 - 4 ", [1, 3, 4]),
        ("4,1", [4, 1]),
        ("1-2,2-3", [1, 2, 3]),
        ("3-", [3, 4, 5]),
        ("5-5", [5]),
    ],
)
def test_cells_are_chosen_by_number(selection, numbers):
    chosen = text(selection, *(f"cell{number}" for number in range(1, 6)), outputs={})
    assert [int(part[4:-2]) for part in chosen.splitlines() if part.startswith("In [")] == numbers


@pytest.mark.parametrize("selection", ["", "x", "3-x", "-2", "1 2", "1,,2", "1-2-3", "1.5", "1" * 50, "٣٤"])
def test_what_selects_nothing_is_an_error_that_shows_how(selection):
    with pytest.raises(UsageError, match=r"3-7|There is no cell"):
        text(selection, "a", "b", outputs={})


@pytest.mark.parametrize("selection", ["7", "0", "2-9", "3", "1-999999999", "9-"])
def test_a_cell_that_is_not_there_is_an_error_that_says_which_are(selection):
    with pytest.raises(
        UsageError, match=r"There is no cell In \[\d+\]\. Cells with a number: 1-2, 4\.|greater than the last"
    ):
        text(selection, "a", "b", "", "d", outputs={})


def test_a_span_that_runs_backwards_is_an_error():
    with pytest.raises(UsageError, match="the first number is greater than the last"):
        text("2-1", "a", "b", outputs={})


def test_before_anything_ran_there_is_no_cell():
    with pytest.raises(UsageError, match="No cell has run yet"):
        text("1", outputs={})


def test_what_a_terminal_obeys_is_gone():
    assert "Out [1]:\n```\nred 30%\n```" in text(
        "1", "x", outputs={1: [stream("\x1b[31mred\x1b[0m 10%\r", "red 30%\n")]}
    )


def test_an_error_is_shown_without_paths():
    error = {"traceback": ["\x1b[31mFile /home/me/lib.py:3, in f()\x1b[0m", "ValueError: no"]}
    assert "Out [1]:\n```\nFile lib.py:3, in f()\nValueError: no\n```" in text(
        "1", "x", outputs={}, exceptions={1: error}
    )


def test_markdown_stays_markdown_and_goes_before_plain_text():
    bundle = output("display_data", text_plain="<Markdown object>", text_markdown=["**", "x**"])
    assert text("1", "x", outputs={1: [bundle]}).endswith("Out [1]:\n**x**")


def test_what_has_no_text_is_left_out():
    outputs = {1: [output("display_data", text_html="<b>x</b>"), output("display_data", text_plain="kept")]}
    assert text("1", "x", outputs=outputs) == "In [1]:\n```python\nx\n```\nOut [1]:\n```\nkept\n```"


@pytest.mark.parametrize("data", [PNG, base64.b64encode(PNG).decode(), base64.encodebytes(PNG).decode()])
def test_a_picture_is_an_image_and_a_mark_in_the_text(data):
    outputs = {1: [output("display_data", text_plain="<Figure>", image_png=data)]}
    material = cells_part("1", history("plot()", outputs=outputs), images_before=1)
    assert material == PromptPart("In [1]:\n```python\nplot()\n```\nOut [1]:\n[image 2]", (URL,))


@pytest.mark.parametrize("data", ["A", "aGVsbG8=", b"no picture"])
def test_a_damaged_picture_is_told_and_not_sent(data):
    material = cells_part("1", history("x", outputs={1: [output("display_data", image_png=data)]}))
    assert material.text.endswith("[an image that can't be sent]\n```")
    assert not material.images


def test_there_are_only_so_many_images():
    outputs = {1: [output("display_data", image_png=PNG)] * (MAX_IMAGES + 1)}
    material = cells_part("1", history("x", outputs=outputs))
    assert len(material.images) == MAX_IMAGES
    assert material.notes == (f"cell 1: image left out, more than {MAX_IMAGES} images",)
    assert material.text.endswith("[an image]\n```")


def test_images_have_only_so_much_room_together():
    large = PNG + bytes(MAX_IMAGE_BYTES - 100)
    outputs = {1: [output("display_data", image_png=large)] * 5}
    material = cells_part("1", history("x", outputs=outputs))
    assert check_total_size(material.images) == material.images
    assert len(material.images) == 3
    assert material.notes == ("cell 1: image left out, more than 15 MB of images",) * 2
    assert material.text.endswith("[an image]\n```")


def test_long_outputs_lose_their_middle_and_it_is_noted():
    material = cells_part("1", history("x", outputs={1: [stream("a" * 5000, "z" * 5000)]}))
    assert "[… 6,000 characters …]" in material.text
    assert len(material.text) < 4200
    assert material.notes == ("cell 1: only 4,000 of 10,000 characters of an output were sent",)


def test_of_many_outputs_the_last_are_shown():
    material = cells_part("1", history("x", outputs={1: [stream(f"<{n}>") for n in range(50)]}))
    assert "<29>" not in material.text
    assert "<30>" in material.text
    assert material.notes == ("cell 1: only the last 20 of 50 outputs were sent",)


def test_long_cells_are_cut_and_too_many_left_out():
    material = cells_part("1-20", history(*["x" * 30_000] * 20, outputs={}))
    assert len(material.text) < MAX_LENGTH + 500
    assert material.text.endswith("[cells 5-20 are left out]")
    assert material.notes[0] == "cell 1: only the first 20,000 of 30,000 characters were sent"
    assert material.notes[-1] == "cells 5-20: left out, more than 100,000 characters"


def test_where_outputs_are_not_kept_the_result_is_shown():
    """IPython before 9 keeps values alone."""
    assert text("1-2", "[1]", "x", Out={1: [1]}).startswith("In [1]:\n```python\n[1]\n```\nOut [1]:\n[1]\n\nIn [2]:")


def test_no_credential_goes_out():
    secret = Secret("sk-0123456789abcdef")
    assert "sk-0" not in text("1", f"key = '{secret.reveal()}'", outputs={1: [stream(secret.reveal())]})


def test_the_cell_that_asks_is_not_among_them(shell):
    numbers = []
    shell.user_ns["ask"] = lambda: numbers.extend(CellHistory(shell).numbers())
    shell.run_cell("1", store_history=True)
    shell.run_cell("ask()", store_history=True)
    assert numbers == [1]
    assert CellHistory(shell, running=False).numbers() == [1, 2]


def test_a_cell_that_runs_without_becoming_history_hides_no_other(shell):
    def numbers(source, running):
        found = []
        shell.user_ns["ask"] = lambda: found.extend(CellHistory(shell, source=running).numbers())
        shell.run_cell(source, store_history=running.endswith("kept"))
        return found

    shell.run_cell("'first'", store_history=True)
    assert numbers("ask()  # silent", "ask()  # silent") == [1]
    assert numbers("ask()  # kept\n", "ask()  # kept\n".strip()) == [1]
    assert numbers("ask()  # kept\n\n", "ask()  # kept") == [1, 2]


def test_magics_stand_as_they_were_typed(shell):
    shell.run_cell("%%timeit -n1 -r1\npass", store_history=True)
    cells = CellHistory(shell, running=False)
    assert cells_part("1", cells).text.startswith("In [1]:\n```\n%%timeit -n1 -r1\npass\n```")


def test_displays_without_a_kernel_are_not_watched(shell):
    displays = DisplayRecorder()
    displays.attach(shell)
    displays.noting()({"text/plain": "x"}, "id")
    displays.detach()
    assert displays.of(1) == []


class Debouncer:
    """Stands for the kernel's: it calls the hooks of a display."""

    def __init__(self):
        self.hooks = []
        self.register_hook, self.unregister_hook = self.hooks.append, self.hooks.remove

    def show(self, text, identity=None, kind="display_data", **metadata):
        content = {"data": {"text/plain": text}, "metadata": metadata, "transient": {"display_id": identity}}
        for hook in self.hooks:
            assert hook({"msg_type": kind, "content": content})["content"] is content


@pytest.fixture
def displayed():
    """Displays of a shell whose cell 1 runs, its publisher, and its inputs."""
    inputs, publisher, displays = ["", "a"], Debouncer(), DisplayRecorder()
    displays.attach(SimpleNamespace(display_pub=publisher, history_manager=SimpleNamespace(input_hist_raw=inputs)))
    return displays, publisher, inputs


def texts(displays, cell):
    return [bundle["text/plain"] for bundle in displays.of(cell)]


def test_what_other_threads_tell_belongs_to_the_cell_that_began_them(displayed):
    displays, _, inputs = displayed
    note = displays.noting()
    inputs.append("b")
    states = (("growing", "r"), ("nameless", None), ("whole", "r"))
    thread = threading.Thread(target=lambda: [note({"text/plain": text}, identity) for text, identity in states])
    thread.start()
    thread.join()
    assert texts(displays, 1) == ["whole"]
    assert texts(displays, 2) == []


def test_what_is_seen_and_told_is_there_once(displayed):
    displays, publisher, _ = displayed
    for _ in range(2):
        displays.noting()({"text/plain": "a"}, "r")
        publisher.show("a", "r")
    assert texts(displays, 1) == ["a"]


def test_one_display_in_two_cells_is_as_it_was_last_in_both(displayed):
    displays, publisher, inputs = displayed
    publisher.show("a", "r")
    inputs.append("b")
    publisher.show("b", "r")
    assert texts(displays, 1) == texts(displays, 2) == ["b"]
    publisher.show("c", "r", "update_display_data")
    publisher.show("no such", "x", "update_display_data")
    publisher.show("nameless", None, "update_display_data")
    assert texts(displays, 1) == texts(displays, 2) == ["c"]


def test_displays_without_a_name_stay_as_they_are(displayed):
    displays, publisher, _ = displayed
    publisher.show("a")
    publisher.show("b")
    assert texts(displays, 1) == ["a", "b"]


def test_our_own_replies_are_not_among_what_is_told(displayed):
    displays, publisher, _ = displayed
    displays.noting()({"text/plain": "growing"}, "r")
    displays.noting()({"text/plain": "whole"}, "r", {KEY: {}})
    publisher.show("whole", "s", **{KEY: {}})
    assert displays.of(1) == []


def test_a_message_of_any_form_passes(displayed):
    _, publisher, _ = displayed
    for message in ({}, {"msg_type": "display_data"}, {"msg_type": "display_data", "content": {"metadata": 5}}):
        assert publisher.hooks[0](message) is message


FROM_A_THREAD = """
import threading
def show(note):
    display({"text/plain": "begun"}, raw=True, display_id="one")
    note({"text/plain": "begun"}, "one")
thread = threading.Thread(target=show, args=[displays.noting()])
thread.start()
thread.join()
_ = display({"text/plain": "whole"}, raw=True, display_id="one", update=True)
"""


@pytest.mark.kernel
def test_a_kernel_shows_everything_in_its_order():
    pytest.importorskip("ipykernel")
    from tests.kernels import Kernel

    setup = (
        "from lockbots_magic.notebook.display_recorder import DisplayRecorder\n"
        "from lockbots_magic.prompt.cells import CellHistory, cells_part\n"
        "from lockbots_magic.prompt.images import image_url\n"
        "from IPython.display import display, Markdown, Image\n"
        "displays = DisplayRecorder()\n"
        "displays.attach(get_ipython())\n"
        f"png = {PNG!r}"
    )
    with Kernel() as kernel:
        kernel.run(setup)
        kernel.run("print('printed')\nhandle = display(Markdown('*early*'), display_id=True)\nImage(png)")
        kernel.run("handle.update(Markdown('*late*'))\ndisplay(Image(png))")
        kernel.run("def f():\n    return 1 / 0\nf()")
        kernel.run(FROM_A_THREAD)
        kernel.run("part = cells_part('2-5', CellHistory(get_ipython(), displays))")
        (shown,) = kernel.run("print(part.text)").outputs
        (images,) = kernel.run("print(part.images == (image_url(png),) * 2)").outputs
    assert images["text"] == "True\n"
    second, third, fourth, fifth = re.split(r"\n\n(?=In \[)", shown["text"])
    kept = second.replace("Out [2]:\n```\nprinted\n```\n", "")  # IPython before 9 keeps no streams
    assert kept.endswith("```\nOut [2]:\n*late*\nOut [2]:\n[image 1]")
    assert third.endswith("```\nOut [3]:\n[image 2]")
    assert fourth.startswith("In [4]:\n```python\ndef f():")
    assert fifth.rstrip().endswith("```\nOut [5]:\n```\nwhole\n```")
