"""Types that the tests describe and validate."""

import dataclasses
import datetime
import enum
from typing import Optional

import pydantic
import typing_extensions


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Point:
    x: int
    y: int


@dataclasses.dataclass
class Item:
    """A thing for sale.

    Attributes:
        name: what it is called,
            in one word.
        price: in euros.
    """

    name: str
    price: float
    colour: Colour = Colour.RED
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Order:
    items: list[Item]
    due: Optional[datetime.date] = None  # noqa: UP045  # both spellings are read


@dataclasses.dataclass
class Node:
    value: int
    children: "list[Node]" = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Even:
    number: int

    def __post_init__(self):
        if self.number % 2:
            raise ValueError(f"{self.number} is odd")
        if self.number < 0:
            raise KeyError("negative")


@dataclasses.dataclass
class Left:
    x: "Left | Right | None"


@dataclasses.dataclass
class Right:
    x: "Left | Right | None"


class Person(typing_extensions.TypedDict):
    name: str
    age: typing_extensions.NotRequired[int]


class Leaf(pydantic.BaseModel):
    size: int = pydantic.Field(gt=0)


class Tree(pydantic.BaseModel):
    leaves: list[Leaf]
