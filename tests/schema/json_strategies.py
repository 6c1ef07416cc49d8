"""Arbitrary JSON values, with keys that the types of the tests know."""

from hypothesis import strategies as st

_keys = st.text(max_size=5) | st.sampled_from(["name", "price", "items", "value", "children"])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
)
