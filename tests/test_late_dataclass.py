"""A late dataclass behaves as one of `dataclasses`, whatever it is declared with."""

import copy
import dataclasses
import inspect
import pickle
import threading
import typing
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from lockbots_magic.conversation.prices import Price
from lockbots_magic.conversation.usage import TurnUsage
from lockbots_magic.late_dataclass import late_dataclass


def declared(decorate):
    """Return classes of many kinds, declared with `decorate`."""

    @decorate(frozen=True)
    class Frozen:
        """With a default of each kind."""

        a: int
        b: str = "b"
        c: Mapping[str, int] = field(default_factory=dict, hash=False)
        d: list[int] = field(default_factory=list, compare=False, repr=False)

    @decorate
    class Mutable:
        """With an attribute that is no field."""

        a: int
        b: float = 0.5
        other = 1

    @decorate(frozen=True, kw_only=True)
    class ByName:
        """With a field without a default behind one that has one."""

        a: int = 1
        b: int

    @decorate(frozen=True)
    class Checked:
        """With a check, a `repr` and a comparison of its own."""

        a: int

        def __post_init__(self):
            if self.a < 0:
                raise ValueError("negative")

        def __repr__(self):
            return "own"

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 5

    @decorate(eq=False)
    class Identity:
        """Equal to itself only."""

        a: int

    @decorate(frozen=True, repr=False, init=False)
    class OwnInit:
        """With an `__init__` of its own."""

        a: int

        def __init__(self, text):
            object.__setattr__(self, "a", int(text))

    @decorate(frozen=True)
    class Derived(Frozen):
        """With a field more."""

        e: int = 0

    class Plain(Frozen):
        """Not declared."""

    @decorate(frozen=True)
    class Behind(Plain):
        """Declared, with one between that is not."""

        e: int = 0

    @dataclass(frozen=True)
    class Standard(Frozen):
        """Declared with the decorator of the standard library."""

        e: int = 0

    return Frozen, Mutable, ByName, Checked, Identity, OwnInit, Derived, Plain, Behind, Standard


CALLS = [((), {}), ((1,), {}), ((2, "x"), {}), ((-1,), {}), ((1, "b", {"k": 1}, [2]), {}), ((1, 2, 3, 4, 5, 6), {})]
CALLS += [((), {"a": 1}), ((), {"a": 1, "b": 2}), ((1,), {"b": 2.0}), ((1,), {"d": [3]}), ((1,), {"a": 1, "nosuch": 2})]


def outcome(action):
    """Return what an action returns, or its error."""
    try:
        return action()
    except (TypeError, ValueError, AttributeError, FrozenInstanceError) as error:
        return type(error), str(error).replace("Checked.__init__", "__init__")


def match(value):
    match value:
        case type(a=a):
            return a
    return type(value).__match_args__


def behaviour(cls):
    """Return what can be seen of a class."""
    seen = [[str(one) for one in inspect.signature(cls).parameters], cls.__match_args__, cls.__hash__ is None]
    seen.append([(one.name, one.type, one.default is dataclasses.MISSING) for one in dataclasses.fields(cls)])
    made = [outcome(lambda call=call: cls(*call[0], **call[1])) for call in CALLS]
    values = [one for one in made if isinstance(one, cls)]
    seen += [one for one in made if not isinstance(one, cls)]
    for one in values:
        seen += [vars(one), outcome(lambda one=one: dataclasses.asdict(one)), match(one)]
        seen.append("" if "object at" in repr(one) else repr(one))
        seen.append([one == other for other in values])
        if cls.__eq__ is not object.__eq__:
            seen += [outcome(lambda one=one: hash(one)), copy.deepcopy(one) == one]
        for name in ("a", "other", "nosuch"):
            again = copy.copy(one)
            seen.append(outcome(lambda again=again, name=name: setattr(again, name, 7)))
            seen.append(outcome(lambda again=again, name=name: delattr(again, name)))
        seen.append(vars(outcome(lambda one=one: dataclasses.replace(one, a=9))) if cls.__name__ != "OwnInit" else 0)
    return seen


def test_late_classes_behave_as_those_of_the_standard_library():
    for late, standard in zip(declared(late_dataclass), declared(dataclass), strict=True):
        assert behaviour(late) == behaviour(standard), late


def test_a_default_that_is_made_is_made_for_each_object():
    first = declared(late_dataclass)[0]
    assert first(1).d is not first(1).d
    shown = "c: collections.abc.Mapping[str, int] = <factory>, d: list[int] = <factory>) -> None"
    assert str(inspect.signature(first)).endswith(shown)


@late_dataclass(frozen=True)
class Node:
    """A value that a file or another process may bring before any was made here."""

    name: str
    inner: "list[Node]" = field(default_factory=list)


def test_what_was_never_made_here_is_compared_shown_and_frozen():
    one = Node.__new__(Node)
    vars(one).update(name="x", inner=[])
    assert type(vars(Node)["__init__"]).__name__ == "_LateInit"
    assert repr(one) == "Node(name='x', inner=[])"
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(FrozenInstanceError):
        one.name = "y"
    assert Node("x") == one
    one.inner.append(one)
    assert repr(one) == "Node(name='x', inner=[...])"


def test_threads_that_make_the_first_objects_at_once_make_the_same():
    for _ in range(5):
        cls = declared(late_dataclass)[0]
        start, made = threading.Barrier(4), []

        def make(cls=cls, start=start, made=made):
            start.wait(timeout=30)
            made.append(cls(1, b="x"))

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert made == [cls(1, b="x")] * 4


def test_hints_of_what_makes_an_object_are_those_of_the_class():
    hints = {"name": str, "inner": list[Node]}
    assert typing.get_type_hints(Node) == hints
    assert typing.get_type_hints(Node.__init__) == {**hints, "return": type(None)}
    assert typing.get_type_hints(TurnUsage.__init__)["price"] == Price | None
    assert list(inspect.signature(Node, eval_str=True).parameters) == ["name", "inner"]
    assert "make" not in globals()
