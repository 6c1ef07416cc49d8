"""Delta between two texts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.storage.text_delta import delta, patched

from ..effort import examples

TEXTS = st.text(st.sampled_from("ab \n\\é😀%+"), max_size=40)


@settings(max_examples=examples(400))
@given(TEXTS, TEXTS)
def test_a_delta_makes_the_new_text_of_the_old_one(old: str, new: str) -> None:
    steps = delta(old, new, 10_000)
    assert steps is not None
    assert patched(old, steps) == new


def test_only_the_middle_of_a_line_that_differs_is_written() -> None:
    assert delta("It **rings**.\nOn.\n", "It rings.\nOn.\n", 60) == "=3 -9 +rings =6"
    assert delta("a" * 900 + "b", "a" * 900 + "c", 60) == "=900 -1 +c"
    assert delta("same", "same", 60) == "=4"
    assert delta("", "new", 60) == "+new"
