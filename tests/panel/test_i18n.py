"""Texts of the panel in every language."""

import re
import string
from pathlib import Path

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.ending import outcome_of
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import ProviderError
from lockbots_magic.language import _, available_languages, speaking
from lockbots_magic.panel import i18n
from lockbots_magic.panel.i18n import RefusedError, page_texts, translatable
from lockbots_magic.panel.texts import TEXTS
from lockbots_magic.providers.context_guard import cut_remark
from lockbots_magic.rendering.notices import notices_of
from lockbots_magic.rendering.reasoning_tail import thinking_notice


def fields(text):
    return tuple(sorted(name for _text, name, _format, _conversion in string.Formatter().parse(text) if name))


def test_notifications_of_the_kernel_exist_in_every_language(panel):
    panel.ask("one")
    panel.post("edit", turn=panel.controller.conversation.turns[0].id, prompt="uno")
    sent = panel.received("notification")[-1]
    assert (sent["key"], sent["values"]) == ("branched", {"name": "main-2", "old": "main"})
    panel.wait_for("usage", 2)
    sources = "".join(path.read_text("utf-8") for path in Path(i18n.__file__).parent.glob("*.py"))
    used = set(re.findall(r"""(?:RefusedError|_send_note|translatable)\("(\w+)\"""", sources))
    assert used >= {"reply_in_progress", "branched", "exported", "deleted"}
    assert used <= set(TEXTS)


def test_page_gets_every_text_in_each_language_with_its_plural_forms():
    tables = page_texts()
    assert {len(table["texts"]) for table in tables.values()} == {len(TEXTS)}
    assert tables["en"]["texts"]["turns"] == ["{n} turn", "{n} turns"]
    assert tables["ru"]["texts"]["turns"] == ["{n} реплика", "{n} реплики", "{n} реплик"]
    assert tables["en"]["plurals"][:3] == "101"
    assert (tables["en"]["texts"]["stop"], tables["ru"]["texts"]["stop"]) == ("Stop the reply", "Остановить ответ")


def test_notification_is_in_the_language_of_the_kernel_too():
    with speaking("ru"):
        assert translatable("exported", path="a.md")["text"] == "Экспортировано: a.md"
        assert str(RefusedError("conversation_gone", name="b")) == "Беседы «b» больше нет."
    assert translatable("exported", path="a.md") == {
        "text": "Exported to a.md",
        "key": "exported",
        "values": {"path": "a.md"},
    }


def pattern(text):
    """Return the pattern by which the page recognises a notice, as in i18n.js."""
    number = r"\\\{(?:n|\w+_n)\\\}"
    return re.sub(r"\\\{\w+\\\}", ".+", re.sub(number, "[\\\\d,.\u202f]+", re.escape(text)))


def ended(reason, params=None, **how):
    outcome = outcome_of(reason, params or {}, **how)
    return Turn("p", "r", status=outcome.status, error=outcome.message)


@pytest.mark.parametrize("language", available_languages())
def test_page_recognises_notices_by_their_text(language):
    with speaking(language):
        notices = notices_as_said()
    forms = [
        form
        for key, text in page_texts()[language]["texts"].items()
        if key.startswith("notice_")
        for form in ([text] if isinstance(text, str) else text)
    ]
    known = [pattern(text) for text in forms]
    for notice in notices:
        assert any(re.fullmatch(one, notice) for one in known), notice


def notices_as_said():
    """Notices in the current language, as the kernel says them."""
    limit = {"max_tokens": 200}
    at_limit = _("Stopped at {limit}; what was done so far is kept.", limit=_("the limit of {told}", told="60 s"))
    turns = [
        Turn("p", "r", status="interrupted", error=_("Interrupted; the text so far is kept.")),
        Turn("p", "r", status="error", error="x"),
        Turn("p", ""),
        Turn("p", "r", left_out=1),
        Turn("p", "r", left_out=12),
        Turn("p", "r", answered_by="gpt-5 (2026)"),
        Turn("p", "r", remarks=(cut_remark(4096, 12_345),)),
        *(
            ended(reason, **how)
            for reason in ("length", "refusal", "truncated", "content_filter", "odd")
            for how in ({}, {"has_answer": False})
        ),
        *(ended("length", limit, has_answer=has_answer) for has_answer in (True, False)),
        *(ended("tool_calls", has_calls=has_calls) for has_calls in (True, False)),
        ended("max_tool_rounds"),
        Turn("p", "r", status="truncated", error=at_limit),
        ended("stop", has_answer=False),
    ]
    unsent = Chat(lambda prompt: "reply").stream("hi")
    unsent.close()
    notices = [*(notice for turn in turns for notice in notices_of(turn)), thinking_notice(12345), unsent.turn.error]
    assert len(notices) == len(turns) + 2
    return notices


def kinds(error):
    return [error, *(kind for one in error.__subclasses__() for kind in kinds(one))]


@pytest.mark.parametrize("kind", kinds(ProviderError), ids=lambda kind: kind.__name__)
def test_every_provider_error_has_a_name(kind):
    assert fields(TEXTS[f"failed_{kind.__name__}"]) == ("text",)
