"""Texts of the panel in every language."""

import re
import string
from pathlib import Path

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import ProviderError
from lockbots_magic.panel import i18n
from lockbots_magic.panel.i18n import texts
from lockbots_magic.rendering.notices import notices_of


def fields(text):
    return tuple(sorted(name for _, name, _, _ in string.Formatter().parse(text) if name))


def test_notifications_of_the_kernel_exist_in_every_language(panel):
    panel.ask("one")
    panel.post("edit", turn=panel.controller.conversation.turns[0].id, prompt="uno")
    sent = panel.received("notification")[-1]
    assert (sent["key"], sent["values"]) == ("branched", {"name": "main-2", "old": "main"})
    panel.wait_for("usage", 2)
    sources = "".join(path.read_text("utf-8") for path in Path(i18n.__file__).parent.glob("*.py"))
    used = set(re.findall(r"""(?:RefusedError|_send_note|translatable)\("(\w+)\"""", sources))
    assert used >= {"reply_in_progress", "branched", "exported", "deleted"}
    for language, table in texts().items():
        assert used <= set(table), language
    names = {language: {fields(table[key]) for key in used} for language, table in texts().items()}
    assert names["en"] == names["ru"]


def test_page_recognises_notices_by_their_english_text():
    turns = [
        Turn("p", "r", status="interrupted", error="Interrupted; the text so far is kept."),
        Turn("p", "r", status="error", error="x"),
        Turn("p", ""),
        Turn("p", "r", left_out=1),
        Turn("p", "r", left_out=12),
    ]
    unsent = Chat(lambda prompt: "reply").stream("hi")
    unsent.close()
    known = {text for key, text in texts()["en"].items() if key.startswith("notice_")}
    for turn in turns:
        (notice,) = notices_of(turn)
        assert re.sub(r"\d+", "{n}", notice) in known
    assert unsent.turn.error in known
    assert {key for key in texts()["en"] if key.startswith("notice_")} <= set(texts()["ru"])


def kinds(error):
    return [error, *(kind for one in error.__subclasses__() for kind in kinds(one))]


@pytest.mark.parametrize("kind", kinds(ProviderError), ids=lambda kind: kind.__name__)
def test_every_provider_error_has_a_name_in_every_language(kind):
    for language, table in texts().items():
        assert fields(table[f"failed_{kind.__name__}"]) == ("text",), language
