"""Cells of the notebook with their outputs, and the record of displays."""

import base64
import re
import threading
from types import SimpleNamespace

import IPython
import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.notebook.display_recorder import DisplayRecorder
from lockbots_magic.prompt.cells import MAX_IMAGES, MAX_LENGTH, CellHistory, cells_part
from lockbots_magic.prompt.images import MAX_IMAGE_BYTES, check_total_size
from lockbots_magic.prompt.part import PromptPart
from lockbots_magic.security.secrets import Secret
from lockbots_magic.storage.output_metadata import KEY

IPYTHON = IPython.version_info
PNG = b"\x89PNG\r\n\x1a\n"
URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def output(kind, **bundle):
    return SimpleNamespace(output_type=kind, bundle={name.replace("_", "/"): value for name, value in bundle.items()})


def stream(*texts):
    return SimpleNamespace(output_type="out_stream", bundle={"stream": list(texts)})


def history(*inputs, outputs=None, exceptions=None, **user_ns):
    """History of an IPython with these cells; the first has number 1."""
    manager = SimpleNamespace(input_hist_raw=["", *inputs], exceptions=exceptions or {})
    if outputs is not None:
        manager.outputs = outputs
    return CellHistory(SimpleNamespace(history_manager=manager, user_ns=user_ns), running=False)


def text(selection, *inputs, **remembered):
    return cells_part(selection, history(*inputs, **remembered)).text


def test_cell_part_has_the_number_the_code_and_the_outputs():
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
def test_invalid_selection_is_an_error_with_an_example(selection):
    with pytest.raises(UsageError, match=r"3-7|There is no cell"):
        text(selection, "a", "b", outputs={})


@pytest.mark.parametrize("selection", ["7", "0", "2-9", "3", "1-999999999", "9-"])
def test_missing_cell_is_an_error_that_lists_the_cells(selection):
    with pytest.raises(
        UsageError, match=r"There is no cell In \[\d+\]\. Cells with a number: 1-2, 4\.|greater than the last"
    ):
        text(selection, "a", "b", "", "d", outputs={})


def test_backward_range_is_an_error():
    with pytest.raises(UsageError, match="the first number is greater than the last"):
        text("2-1", "a", "b", outputs={})


def test_selection_before_any_cell_ran_is_an_error():
    with pytest.raises(UsageError, match="No cell has run yet"):
        text("1", outputs={})


def test_escape_sequences_are_removed_from_outputs():
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


def test_empty_output_is_left_out():
    outputs = {1: [output("display_data", text_plain=""), output("display_data", text_plain="kept")]}
    assert text("1", "x", outputs=outputs) == "In [1]:\n```python\nx\n```\nOut [1]:\n```\nkept\n```"


@pytest.mark.parametrize("data", [PNG, base64.b64encode(PNG).decode(), base64.encodebytes(PNG).decode()])
def test_image_output_becomes_an_image_and_a_reference(data):
    outputs = {1: [output("display_data", text_plain="<Figure>", image_png=data)]}
    part = cells_part("1", history("plot()", outputs=outputs), images_before=1)
    assert part == PromptPart("In [1]:\n```python\nplot()\n```\nOut [1]:\n[image 2]", (URL,))


@pytest.mark.parametrize("data", ["A", "aGVsbG8=", b"no picture"])
def test_damaged_image_becomes_a_text(data):
    part = cells_part("1", history("x", outputs={1: [output("display_data", image_png=data)]}))
    assert part.text.endswith("[an image that can't be sent]\n```")
    assert not part.images


def test_number_of_images_is_limited():
    outputs = {1: [output("display_data", image_png=PNG)] * (MAX_IMAGES + 1)}
    part = cells_part("1", history("x", outputs=outputs))
    assert len(part.images) == MAX_IMAGES
    assert part.notes == (f"cell 1: image left out, more than {MAX_IMAGES} images",)
    assert part.text.endswith("[an image]\n```")


def test_total_size_of_images_is_limited():
    large = PNG + bytes(MAX_IMAGE_BYTES - 100)
    outputs = {1: [output("display_data", image_png=large)] * 5}
    part = cells_part("1", history("x", outputs=outputs))
    assert check_total_size(part.images) == part.images
    assert len(part.images) == 3
    assert part.notes == ("cell 1: image left out, more than 15 MB of images",) * 2
    assert part.text.endswith("[an image]\n```")


def test_long_output_loses_its_middle_with_a_note():
    part = cells_part("1", history("x", outputs={1: [stream("a" * 5000, "z" * 5000)]}))
    assert "[… 6,000 characters …]" in part.text
    assert len(part.text) < 4200
    assert part.notes == ("cell 1: only 4,000 of 10,000 characters of an output were sent",)


def test_only_the_last_of_many_outputs_are_sent():
    part = cells_part("1", history("x", outputs={1: [stream(f"<{n}>") for n in range(50)]}))
    assert "<29>" not in part.text
    assert "<30>" in part.text
    assert part.notes == ("cell 1: only the last 20 of 50 outputs were sent",)


def test_long_cells_are_truncated_and_too_many_left_out():
    part = cells_part("1-20", history(*["x" * 30_000] * 20, outputs={}))
    assert len(part.text) < MAX_LENGTH + 500
    assert part.text.endswith("[cells 5-20 are left out]")
    assert part.notes[0] == "cell 1: only the first 20,000 of 30,000 characters were sent"
    assert part.notes[-1] == "cells 5-20: left out, more than 100,000 characters"


def test_result_is_used_if_ipython_keeps_no_outputs():
    """IPython before 9 keeps only values."""
    assert text("1-2", "[1]", "x", Out={1: [1]}).startswith("In [1]:\n```python\n[1]\n```\nOut [1]:\n[1]\n\nIn [2]:")


def test_credentials_are_removed():
    secret = Secret("sk-0123456789abcdef")
    assert "sk-0" not in text("1", f"key = '{secret.reveal()}'", outputs={1: [stream(secret.reveal())]})


def test_running_cell_is_left_out(shell):
    numbers = []
    shell.user_ns["ask"] = lambda: numbers.extend(CellHistory(shell).numbers())
    shell.run_cell("1", store_history=True)
    shell.run_cell("ask()", store_history=True)
    assert numbers == [1]
    assert CellHistory(shell, running=False).numbers() == [1, 2]


def test_cell_run_without_history_hides_no_other_cell(shell):
    def numbers(source, running):
        found = []
        shell.user_ns["ask"] = lambda: found.extend(CellHistory(shell, source=running).numbers())
        shell.run_cell(source, store_history=running.endswith("kept"))
        return found

    shell.run_cell("'first'", store_history=True)
    assert numbers("ask()  # silent", "ask()  # silent") == [1]
    assert numbers("ask()  # kept\n", "ask()  # kept\n".strip()) == [1]
    assert numbers("ask()  # kept\n\n", "ask()  # kept") == [1, 2]


def test_magics_are_shown_as_typed(shell):
    shell.run_cell("%%timeit -n1 -r1\npass", store_history=True)
    cells = CellHistory(shell, running=False)
    assert cells_part("1", cells).text.startswith("In [1]:\n```\n%%timeit -n1 -r1\npass\n```")


def test_displays_without_a_kernel_are_not_recorded(shell):
    displays = DisplayRecorder()
    displays.attach(shell)
    displays.callback()({"text/plain": "x"}, "id")
    displays.detach()
    assert displays.of(1) == []


class Debouncer:
    """Display publisher like that of a kernel: calls the hooks."""

    def __init__(self):
        self.hooks = []
        self.register_hook, self.unregister_hook = self.hooks.append, self.hooks.remove

    def show(self, text, identity=None, kind="display_data", **metadata):
        content = {"data": {"text/plain": text}, "metadata": metadata, "transient": {"display_id": identity}}
        for hook in self.hooks:
            assert hook({"msg_type": kind, "content": content})["content"] is content


@pytest.fixture
def displayed():
    """Recorder of a shell whose cell 1 is running, its publisher, and its inputs."""
    inputs, publisher, displays = ["", "a"], Debouncer(), DisplayRecorder()
    displays.attach(SimpleNamespace(display_pub=publisher, history_manager=SimpleNamespace(input_hist_raw=inputs)))
    return displays, publisher, inputs


def texts(displays, cell):
    return [bundle["text/plain"] for _, bundle in displays.of(cell)]


def test_displays_of_threads_belong_to_the_cell_that_started_them(displayed):
    displays, _, inputs = displayed
    note = displays.callback()
    inputs.append("b")
    states = (("growing", "r"), ("nameless", None), ("whole", "r"))
    thread = threading.Thread(target=lambda: [note({"text/plain": text}, identity) for text, identity in states])
    thread.start()
    thread.join()
    assert texts(displays, 1) == ["whole"]
    assert texts(displays, 2) == []


def test_display_reported_by_hook_and_callback_is_recorded_once(displayed):
    displays, publisher, _ = displayed
    for _ in range(2):
        displays.callback()({"text/plain": "a"}, "r")
        publisher.show("a", "r")
    assert texts(displays, 1) == ["a"]


def test_display_shown_in_two_cells_has_its_last_state_in_both(displayed):
    displays, publisher, inputs = displayed
    publisher.show("a", "r")
    inputs.append("b")
    publisher.show("b", "r")
    assert texts(displays, 1) == texts(displays, 2) == ["b"]
    publisher.show("c", "r", "update_display_data")
    publisher.show("no such", "x", "update_display_data")
    publisher.show("nameless", None, "update_display_data")
    assert texts(displays, 1) == texts(displays, 2) == ["c"]


def test_displays_without_an_id_are_not_updated(displayed):
    displays, publisher, _ = displayed
    publisher.show("a")
    publisher.show("b")
    assert texts(displays, 1) == ["a", "b"]


def test_replies_are_not_recorded(displayed):
    displays, publisher, _ = displayed
    displays.callback()({"text/plain": "growing"}, "r")
    displays.callback()({"text/plain": "whole"}, "r", {KEY: {}})
    publisher.show("whole", "s", **{KEY: {}})
    assert displays.of(1) == []


def test_malformed_display_message_is_passed_on(displayed):
    _, publisher, _ = displayed
    for message in ({}, {"msg_type": "display_data"}, {"msg_type": "display_data", "content": {"metadata": 5}}):
        assert publisher.hooks[0](message) is message


@pytest.fixture(scope="module")
def kernel():
    """A kernel with the extension; what a cell is as a prompt: `shown(number)`."""
    pytest.importorskip("ipykernel")
    from tests.kernels import Kernel

    with Kernel() as kernel:
        kernel.run("%load_ext lockbots_magic\nfrom IPython.display import display, clear_output, HTML\nimport sys")
        yield kernel


def outputs_of(kernel, code):
    """Run a cell in the kernel, and return its outputs as a prompt has them."""
    number = kernel.run(code).reply["execution_count"]
    shown = visible_dry_run(kernel.run(f"%chat --dry-run --cells {number} -- hi"))
    return re.findall(r"Out \[\d+\]:\n *```\n(.*?)\n *```", shown, re.S)


def visible_dry_run(execution):
    return re.sub(r"(?m)^ {4}", "", "".join(o["data"]["text/plain"] for o in execution.outputs))


@pytest.mark.kernel
@pytest.mark.skipif(IPYTHON < (9,), reason="IPython keeps printed text since 9")
def test_printed_text_stands_between_the_displays_as_in_the_notebook(kernel):
    code = "for name in ('a', 'b'):\n    print(name)\n    display({'text/plain': name * 3}, raw=True)\nprint('end')\n5"
    assert outputs_of(kernel, code) == ["a", "aaa", "b", "bbb", "end", "5"]


@pytest.mark.kernel
@pytest.mark.skipif(IPYTHON < (9,), reason="IPython keeps printed text since 9")
@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("print('gone'); display('gone'); clear_output(); print('kept'); display('last')", ["kept", "'last'"]),
        ("for n in range(40):\n    clear_output(wait=True)\n    print('step', n)\n    display(n)", ["step 39", "39"]),
        ("for n in range(3):\n    clear_output(wait=True)\n    display(n)", ["2"]),
        ("display('stays'); clear_output(wait=True)", ["'stays'"]),
        ("print('gone'); clear_output(wait=True); 'result'", ["'result'"]),
        ("print('gone'); clear_output()", []),
    ],
)
def test_what_was_cleared_is_not_sent(kernel, code, shown):
    assert outputs_of(kernel, code) == shown


@pytest.mark.kernel
def test_an_output_widget_that_is_cleared_leaves_the_cell_as_it_is(kernel):
    pytest.importorskip("ipywidgets")
    code = "import ipywidgets\nout = ipywidgets.Output()\ndisplay('stays')\nwith out:\n    clear_output()"
    assert outputs_of(kernel, code) == ["'stays'"]


FROM_A_THREAD = """
import threading
def show(note):
    display({"text/plain": "begun"}, raw=True, display_id="one")
    note({"text/plain": "begun"}, "one")
thread = threading.Thread(target=show, args=[displays.callback()])
thread.start()
thread.join()
_ = display({"text/plain": "whole"}, raw=True, display_id="one", update=True)
"""


@pytest.mark.kernel
def test_outputs_of_a_kernel_keep_their_order():
    pytest.importorskip("ipykernel")
    from tests.kernels import Kernel

    setup = (
        "from lockbots_magic.notebook.display_recorder import DisplayRecorder\n"
        "from lockbots_magic.prompt.cells import CellHistory, cells_part\n"
        "from lockbots_magic.prompt.images import image_part\n"
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
        (images,) = kernel.run("print(part.images == image_part(png).images * 2)").outputs
    assert images["text"] == "True\n"
    second, third, fourth, fifth = re.split(r"\n\n(?=In \[)", shown["text"])
    kept = second.replace("Out [2]:\n```\nprinted\n```\n", "")  # IPython before 9 keeps no streams
    assert kept.endswith("```\nOut [2]:\n*late*\nOut [2]:\n[image 1]")
    assert third.endswith("```\nOut [3]:\n[image 2]")
    assert fourth.startswith("In [4]:\n```python\ndef f():")
    assert fifth.rstrip().endswith("```\nOut [5]:\n```\nwhole\n```")


@pytest.mark.parametrize(("bundle", "shown"), [
    ({"text/html": "<b>Total: 4711</b>", "text/plain": "<IPython.core.display.HTML object>"}, "Total: 4711"),
    ({"text/latex": r"$\displaystyle \hbar^2$", "text/plain": "<IPython.core.display.Math object>"}, r"\hbar^2"),
    ({"application/json": {"answer": 815}, "text/plain": "<IPython.core.display.JSON object>"}, '"answer": 815'),
    ({"application/vnd.plotly.v1+json": {"data": [], "layout": {"title": "Sales"}}, "text/html": "<p>no"}, "Sales"),
    ({"text/html": "<table><td>31337</table>", "text/plain": "<pandas.io.formats.style.Styler at 0x7f0>"}, "31337"),
    ({"text/html": "<b>x</b>", "text/plain": "a   b\n1   2"}, "a   b\n1   2"),
])  # fmt: skip
def test_text_of_an_output_is_found_in_whatever_form_it_has(bundle, shown):
    part = cells_part("1", history("x", outputs={1: [SimpleNamespace(output_type="display_data", bundle=bundle)]}))
    assert shown in part.text
    assert not part.notes


def test_output_that_has_no_text_is_told():
    bundle = {"application/pdf": "JVBERi0=", "text/plain": "<Document object>"}
    part = cells_part("1", history("x", outputs={1: [SimpleNamespace(output_type="display_data", bundle=bundle)]}))
    assert "[an output that can't be sent as text: application/pdf]" in part.text
    assert part.notes == ("cell 1: application/pdf was left out",)


def test_printed_set_is_in_order():
    for words in ("{'b', 'a'}", "{'a', 'b'}"):
        assert "tags: {'a', 'b'}" in text("1", "x", outputs={1: [stream(f"tags: {words}\n")]})


def test_exception_group_that_was_printed_is_shown_once_and_without_folders():
    traceback = (
        '  + Exception Group Traceback (most recent call last):\n  |   File "/home/me/lib.py", line 3\n  | KeyError: 1'
    )
    shown = text("1", "x", outputs={1: [stream(traceback)]}, exceptions={1: {"traceback": [traceback]}})
    assert shown.count("KeyError: 1") == 1
    assert 'File "lib.py", line 3' in shown
