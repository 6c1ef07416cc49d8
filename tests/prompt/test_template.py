"""Expressions in braces, and the values that replace them."""

import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.part import PromptPart
from lockbots_magic.prompt.printed import copied_output
from lockbots_magic.prompt.template import (
    MAX_EXPRESSION_LENGTH,
    Expression,
    expand_template,
    make_evaluator,
    split_template,
)
from lockbots_magic.security.secrets import Secret

PICTURE = b"\x89PNG\r\n\x1a\n"
URL = "data:image/png;base64,iVBORw0KGgo="


class Picture:
    def _repr_png_(self):
        return PICTURE


def sent(prompt, **variables):
    return expand_template(prompt, make_evaluator(variables)).text


@pytest.mark.parametrize(
    "text",
    ["{x}", "{", "}", "}}", "{{", "{{ without an end", "}} {{", '{"a": {"b": 1}}', r"\frac{a}{{b}", "f'{x}' % {}", ""],
)
def test_other_braces_are_text(text):
    assert expand_template(text, make_evaluator({})) == PromptPart(text)


@given(st.text().filter(lambda text: "{{" not in text))
def test_text_without_two_braces_passes_unchanged(text):
    assert expand_template(text, make_evaluator({})) == PromptPart(text)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("{{ x }}", "5"),
        ("{{x}}", "5"),
        ("a {{ x }} b {{x}}c", "a 5 b 5c"),
        ("{{ {'a': {'b': 1}} }}", "{'a': {'b': 1}}"),
        ("{{ {'a': {'b': 1}}}}", "{'a': {'b': 1}}"),
        ("{{ {x} }}", "{5}"),
        ("{{{x}}}", "{5}"),
        ("{{ '}}' }}", "}}"),
        ("{{ '{{ x }}' }}", "{{ x }}"),
        ('{{ """}} }}""" }}', "}} }}"),
        ("{{ f'{x}}}' }}", "5}"),
        ("{{ f'{ {1: x}[1] }' }}", "5"),
        ("{{ [\n  x,\n  x\n] }}", "[5, 5]"),
        ("{{ x\n + x }}", "10"),
        ("{{\n  x  # a comment\n}}", "5"),
        ("{{ x, x }}", "(5, 5)"),
        ("{{ (lambda: x)() }}", "5"),
        ("{{ [y for y in range(x) if y < x - 2] }}", "[0, 1, 2]"),
        (r"{{ '\d' }}", r"\d"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*invalid escape sequence")
def test_expression_ends_at_the_first_braces_that_complete_it(prompt, text):
    assert sent(prompt, x=5) == text


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("{{ }}", "{{  }}"),
        ("{{}}", "{{  }}"),
        ("{{a}+{b}}", "{{ a}+{b }}"),
        ("{{ x = 5 }}", "{{ x = 5 }}"),
        ("{{ x:.2f }}", "{{ x:.2f }}"),
        ("{{ import os }}", "{{ import os }}"),
        ("{{ 'open }}", "{{ 'open }}"),
        ("{{ a b }} and {{ x }}", "{{ a b }}"),
        ("{{ " + "(" * 1000 + " }}", "{{ ((((("),
        ("{{ a\0 }}", "{{ a }}"),
        ("{{ " + "x + " * MAX_EXPRESSION_LENGTH + " x }}", "{{ x + x"),
    ],
)
def test_invalid_expression_is_an_error_that_names_it(prompt, named):
    with pytest.raises(UsageError) as raised:
        sent(prompt, x=5)
    assert str(raised.value).startswith(named)
    assert "--raw" in str(raised.value)
    assert len(str(raised.value)) < 200


async def soon(value):
    return value


def test_an_expression_may_be_awaited():
    assert sent("{{ await soon(5) }} {{ [await soon(y) for y in x] }}", x=[1, 2], soon=soon) == "5 [1, 2]"
    with pytest.raises(UsageError, match=r"\{\{ await x \}\} failed: TypeError"):
        sent("{{ await x }}", x=5)


@pytest.mark.parametrize("code", ["(yield x)", "x := 5", "(lambda: await x)"])
def test_code_that_needs_a_function_is_not_an_expression(code):
    with pytest.raises(UsageError, match=r"is not a Python expression\. `--raw`"):
        sent(f"{{{{ {code} }}}}", x=5)
    assert sent("{{ (lambda: (yield))() and 5 }}") == "5"


def test_all_expressions_are_parsed_before_the_first_is_evaluated():
    asked = []
    with pytest.raises(UsageError, match="is not a Python expression"):
        expand_template("{{ x }} {{ a b }}", asked.append)
    assert asked == []


def test_each_is_evaluated_once_from_left_to_right():
    asked = []

    def evaluate(expression):
        asked.append(expression)
        return expression.upper()

    assert expand_template("{{ b }}{{ a }}{{ b }}", evaluate).text == "BAB"
    assert asked == ["b", "a", "b"]


@given(st.lists(st.sampled_from(["{{ a }}", "{{ b }}", "{", "}", "{{ '{{ a }}' }}", " "])))
def test_values_are_not_expanded_again(parts):
    asked = []
    values = {"a": "{{ b }}", "b": "{{ a", "'{{ a }}'": "{{ a }}"}
    prompt = " ".join(parts)

    def evaluate(expression):
        asked.append(expression)
        return values[expression]

    wanted = [part[3:-3] for part in parts if len(part) > 1]
    text = expand_template(prompt, evaluate).text
    assert asked == wanted
    assert text == " ".join(values[part[3:-3]] if len(part) > 1 else part for part in parts)


SIMPLE = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.binary(max_size=9)
)
LITERALS = st.recursive(
    SIMPLE | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
        | st.sets(st.integers(), max_size=4)
    ),
    max_leaves=12,
)


@given(LITERALS.filter(lambda value: not isinstance(value, str)), st.text().filter(lambda text: "{" not in text))
def test_the_text_of_a_literal_is_read_as_that_literal(value, around):
    text = sent(f"{around}{{{{ {value!r} }}}}{around}")
    middle = text[len(around) : len(text) - len(around)]
    assert text == around + middle + around
    assert eval(middle) == value


@given(st.text())
def test_a_text_arrives_verbatim_and_whole(value):
    assert sent("{{ value }}", value=value) == value
    assert sent(f"{{{{ {value!r} }}}}") == value


@given(st.text(alphabet="{}x'\" \n", max_size=40))
def test_any_prompt_is_split_or_refused(prompt):
    try:
        found = split_template(prompt)
    except UsageError:
        return
    at = 0
    for piece in found:
        text = piece.source.removeprefix("(").removesuffix("\n)") if isinstance(piece, Expression) else piece
        at = prompt.index(text, at) + len(text)


def test_a_failing_expression_is_an_error_that_names_it():
    with pytest.raises(
        UsageError, match=r"^\{\{ x\.foo \}\} failed: AttributeError: 'int' object has no attribute 'foo'$"
    ):
        sent("see {{ x.foo }}", x=5)


def test_error_without_a_message_shows_its_type():
    def fail():
        raise ValueError

    with pytest.raises(UsageError, match=r"failed: ValueError$"):
        sent("{{ fail() }}", fail=fail)


def test_unknown_name_is_an_error_that_mentions_raw():
    with pytest.raises(UsageError, match=r"^\{\{ secrets\.TOKEN \}\} failed: NameError: .*--raw"):
        sent("${{ secrets.TOKEN }}")


def test_misspelt_name_is_told_with_the_name_that_was_meant():
    for template, meant in {
        "{{ pengins }}": "penguins",
        "{{ penguins.apend }}": "append",
        "{{ prnit }}": "print",
    }.items():
        with pytest.raises(UsageError, match=rf"\. Did you mean {meant}\?"):
            sent(template, penguins=[])


def test_what_is_printed_stands_for_no_value(capsys):
    def describe(value=None):
        print("3 rows", end="", flush=True)
        return value

    assert sent("{{ describe() }} {{ describe(5) }} {{ None }}", describe=describe) == "3 rows 5 None"
    assert capsys.readouterr().out == "3 rows3 rows"


def test_what_others_print_meanwhile_or_later_is_shown_alone(capsys):
    kept = []

    def describe():
        kept.append(sys.stdout)
        other = threading.Thread(target=print, args=["of another thread"])
        other.start()
        other.join()
        print("3 rows", end="")

    assert sent("{{ describe() }}", describe=describe) == "3 rows"
    kept[0].write(", as a log")
    assert capsys.readouterr().out == "of another thread\n3 rows, as a log"
    with copied_output() as printed:
        kept.append(sys.stdout)
    kept[1].write("late")
    assert printed == []


def test_interrupt_is_not_an_expression_error():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sent("{{ interrupt() }}", interrupt=interrupt)


def test_error_contains_no_credential():
    secret = Secret("sk-0123456789")
    with pytest.raises(UsageError) as raised:
        sent(f"{{{{ int('{secret.reveal()}') }}}}")
    assert "sk-0123456789" not in str(raised.value)


def test_value_that_cannot_be_converted_is_an_error_that_names_it():
    class Mute:
        def __repr__(self):
            raise RuntimeError("no words")

    with pytest.raises(UsageError, match=r"^\{\{ x \}\}: Can't convert a Mute to text: RuntimeError: no words$"):
        sent("{{ x }}", x=Mute())


def test_notes_name_the_expression():
    assert expand_template("{{ x }}", make_evaluator({"x": [0] * 1000})).notes == (
        "x: only 100 of 1,000 items were sent",
    )


def test_image_becomes_an_image_and_a_reference():
    part = expand_template("{{ p }} and {{ p }}.", make_evaluator({"p": Picture()}), images_before=2)
    assert part == PromptPart("[image 3] and [image 4].", (URL, URL))


def test_an_expression_assigns_nothing_to_the_notebook():
    variables = {"x": 1}
    assert expand_template("{{ [x := 7, x] }}", make_evaluator(variables)).text == "[7, 7]"
    assert variables == {"x": 1}


def test_a_later_expression_sees_what_an_earlier_one_did():
    variables = {"seen": []}
    variables["change"] = lambda: variables.update(x=5) or "changed"
    assert expand_template("{{ change() }} {{ x }}", make_evaluator(variables)).text == "changed 5"


def test_last_error_is_available_unless_a_variable_has_its_name():
    error = ValueError("that was wrong")
    assert "ValueError: that was wrong" in expand_template("{{ last_error }}", make_evaluator({}, error)).text
    assert expand_template("{{ last_error }}", make_evaluator({"last_error": 1}, error)).text == "1"


def test_the_inputs_and_outputs_of_cells_have_their_names():
    names = {"In": ["", "1 + 1"], "Out": {1: 2}}
    assert expand_template("{{ In[1] }} = {{ Out[1] }}", make_evaluator(names)).text == "1 + 1 = 2"
    with pytest.raises(UsageError, match=r"\{\{ Out\[2\] \}\} failed: KeyError: 2"):
        expand_template("{{ Out[2] }}", make_evaluator(names))
