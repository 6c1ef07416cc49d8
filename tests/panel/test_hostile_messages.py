"""Messages of a page that may be anything: each is carried out, ignored, or refused with a reason."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat
from tests.effort import examples
from tests.panel.harness import PanelHarness

KINDS = [
    "hello",
    "transcript",
    "earlier",
    "stop",
    "switch",
    "set",
    "edit",
    "regenerate",
    "clear",
    "new",
    "handle",
    "__init__",
]
NAMES = [*["view", "before", "name", "turn", "prompt", "model", "temperature", "system", "self", "type"], "\ud800"]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", "main"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
messages = st.fixed_dictionaries({"type": st.sampled_from(KINDS) | values}).flatmap(
    lambda first: st.dictionaries(st.sampled_from(NAMES), values, max_size=3).map(lambda more: {**more, **first})
)


@given(st.lists(messages | values, max_size=5))
@settings(max_examples=examples(400))
def test_any_message_is_carried_out_or_refused(several):
    panel = PanelHarness(Chat(lambda prompt: "ok"))
    for message in several:
        panel.controller.handle(message)
    panel.controller.handle({"type": "hello", "view": "v"})
    assert any(sent.get("view") == "v" for sent in panel.messages)
    json.dumps(panel.messages, ensure_ascii=False).encode()
    panel.controller.close()
