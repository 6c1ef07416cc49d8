"""Registry: built-in providers and plug-ins load the same way."""

import sys

import pytest

from lockbots_magic import Chat, providers
from lockbots_magic.conversation.messages import ChatRequest
from lockbots_magic.errors import ProtocolError, ProviderError, UsageError
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.commands.result import DisplayResult
from lockbots_magic.notebook.session import Session
from lockbots_magic.providers import names, provider_class, split_model
from lockbots_magic.providers.base import Provider
from lockbots_magic.providers.model_catalog import ModelCatalog

MESSAGES = [{"role": "user", "content": "Hi"}]

PLUG_IN = """
from lockbots_magic.conversation.messages import Delta
from lockbots_magic.providers.base import Provider

class Parrot(Provider):
    name = "parrot"

    def stream(self, request):
        yield Delta(request.messages[-1].content, finish_reason="stop")

class Cuckoo(Parrot):
    name = "guide"

class Plain(Provider):
    name = "plain"

    def stream(self, request):
        yield "hello \\ud83d"
        yield "\\ude00"

class Whole(Plain):
    def stream(self, request):
        return "hello 😀"

class Mute(Provider):
    name = "mute"

class Asynchronous(Parrot):
    async def stream(self, request):
        yield "hello"

class Listed(Parrot):
    models = ["a", "b"]

class Nameless(Provider):
    def stream(self, request):
        yield "hello"

class Numbers(Parrot):
    name = "numbers"

    def stream(self, request):
        yield "one"
        yield 2

    def list_models(self):
        raise ValueError("no list")

class Nothing(Numbers):
    def list_models(self):
        return ["a", 5]

    def stream(self, request):
        print("hello")

class Falls(Parrot):
    name = "falls"

    def stream(self, request):
        yield "so far"
        raise KeyError("gone")

class Exits(Falls):
    def stream(self, request):
        raise SystemExit(3)

class Counting(Parrot):
    name = "counting"

    def list_models(self):
        return ["a", "b"]

class Unsettled(Parrot):
    def __init__(self):
        super().__init__()
"""
ENTRIES = """[lockbots_magic.providers]
parrot = birds_for_a_test:Parrot
guide = birds_for_a_test:Cuckoo
broken = no_such_module_of_a_test:Missing
number = math:pi
"""
EXIT = "import sys\n\nsys.exit(3)\n"
CANCEL = "import asyncio\n\nraise asyncio.CancelledError('odd')\n"
NAMES = (
    "Plain",
    "Whole",
    "Mute",
    "Asynchronous",
    "Listed",
    "Nameless",
    "Numbers",
    "Nothing",
    "Falls",
    "Exits",
    "Counting",
    "Unsettled",
)
ENTRIES += "".join(f"{name.lower()} = birds_for_a_test:{name}\n" for name in NAMES)
ENTRIES += "leaves = leaves_for_a_test:P\ncancels = cancels_for_a_test:P\n"


@pytest.fixture
def plug_ins(tmp_path, monkeypatch):
    (tmp_path / "birds_for_a_test.py").write_text(PLUG_IN, encoding="utf-8")
    (tmp_path / "leaves_for_a_test.py").write_text(EXIT)
    (tmp_path / "cancels_for_a_test.py").write_text(CANCEL)
    info = tmp_path / "birds_for_a_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: birds-for-a-test\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(tmp_path)
    providers._load_plug_ins.cache_clear()
    yield
    sys.modules.pop("birds_for_a_test", None)
    providers._load_plug_ins.cache_clear()


def test_every_named_provider_loads_under_its_name():
    assert names()[:4] == ["guide", "lockchat", "liaobots", "openai"]
    for name in names():
        cls = provider_class(name)
        assert issubclass(cls, Provider)
        assert cls.name == name


def test_unknown_provider_is_a_usage_error_with_a_suggestion():
    with pytest.raises(UsageError, match="Did you mean 'liaobots'"):
        provider_class("liaobot")
    with pytest.raises(UsageError, match="%lockbots providers"):
        provider_class("zzzz")


@pytest.mark.parametrize(
    ("written", "split"),
    [
        ("liaobots:gpt-4", ("liaobots", "gpt-4")),
        ("ollama:llama3:8b", ("ollama", "llama3:8b")),
        ("openrouter:meta/llama:free", ("openrouter", "meta/llama:free")),
        (" guide ", ("guide", "")),
        ("lockchat:", ("lockchat", "")),
    ],
)
def test_model_is_split_at_the_first_colon(written, split):
    assert split_model(written) == split


def test_model_without_a_provider_is_an_error_that_shows_the_format():
    with pytest.raises(UsageError, match=r"written `provider:model`"):
        split_model("gpt-4")


def test_plug_in_is_a_provider_like_any_other(plug_ins):
    assert {"broken", "number", "parrot"} <= set(names())
    reply = list(provider_class("parrot")().stream(ChatRequest("", MESSAGES)))
    assert reply[0].text == "Hi"
    assert list(provider_class("parrot").create_completion("", MESSAGES)) == ["Hi"]


def test_plug_in_installed_later_is_named(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    assert "late" not in names()
    info = tmp_path / "late-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{providers.ENTRY_POINT_GROUP}]\nlate = late:Late\n")
    assert "late" in names()


def test_plug_in_does_not_displace_a_built_in_provider(plug_ins):
    assert provider_class("guide").__module__ == "lockbots_magic.help.guide"
    assert ("guide", "birds-for-a-test") in providers.displaced()
    listed = commands.run(Session(), "providers")
    assert isinstance(listed, DisplayResult)
    assert "Not used, as another provider has the name: guide of birds-for-a-test" in str(listed.value)


def test_plug_in_may_list_ids_and_is_told_what_else_it_may(plug_ins):
    assert [model.id for model in provider_class("counting")().model_list().models] == ["a", "b"]
    with pytest.raises(ProtocolError, match=r"`list_models` of numbers must return .*, got int"):
        provider_class("nothing")().model_list()


def test_plug_in_that_does_not_load_is_a_usage_error(plug_ins):
    with pytest.raises(UsageError, match=r"'broken' failed to load\. ModuleNotFoundError"):
        provider_class("broken")
    for name, fault in {
        "number": r"math:pi must be a subclass of Provider with a `name`",
        "nameless": "must be a subclass of Provider with a `name`",
        "mute": "must implement `stream`",
        "asynchronous": "must implement `stream` as a generator that is not async",
        "listed": "must declare `models` as a mapping of ids",
        "leaves": "SystemExit: 3",
        "cancels": "CancelledError: odd",
    }.items():
        with pytest.raises(UsageError, match=f"'{name}' failed to load.*{fault}"):
            provider_class(name)


def test_plug_in_that_exits_does_not_take_the_list_of_providers_along(plug_ins):
    result = commands.run(Session(), "providers")
    assert isinstance(result, DisplayResult)
    rows = result.value.rows
    assert {"leaves", "mute", "parrot", "openai"} <= {row[0] for row in rows}
    assert "SystemExit: 3" in dict(row[:2] for row in rows)["leaves"]


@pytest.mark.parametrize("name", ["plain", "whole"])
@pytest.mark.parametrize("mode", ["alone", "recorded", "replayed", "completion"])
def test_plug_in_that_yields_text_is_a_provider_like_any_other(plug_ins, tmp_path, name, mode):
    if mode == "completion":
        assert "".join(provider_class(name).create_completion("", MESSAGES)) == "hello 😀"
        return
    settings = {"cassette": tmp_path / "a.jsonl"} if mode in ("recorded", "replayed") else {}
    if mode == "replayed":
        Chat(name, **settings).ask("hi")
        settings["mode"] = "replay"
    turn = Chat(name, **settings).ask("hi")
    assert (turn.reply, turn.status, turn.finish_reason) == ("hello 😀", "complete", "stop")


def test_plug_in_that_yields_something_else_is_told_what_is_wanted(plug_ins):
    with pytest.raises(ProtocolError, match=r"`stream` of numbers must return or yield text, got int") as caught:
        Chat("numbers").ask("hi")
    assert caught.value.partial == "one"
    with pytest.raises(ProtocolError, match=r"`stream` of numbers must .*, got NoneType"):
        Chat("nothing").ask("hi")


def test_exception_of_a_plug_in_is_one_provider_error_with_the_line_and_the_text_so_far(plug_ins):
    chat = Chat("falls")
    with pytest.raises(ProviderError, match=r"falls raised KeyError: 'gone' \(line \d+ of stream\)") as caught:
        chat.ask("hi")
    assert caught.value.partial == "so far"
    assert chat.conversation.turns[-1].status == "error"
    with pytest.raises(ProviderError, match=r"falls raised SystemExit: 3"):
        Chat("exits").ask("hi")
    with pytest.raises(ProviderError, match=r"numbers raised ValueError: no list \(line \d+ of list_models\)"):
        ModelCatalog().fetch("numbers", provider_class("numbers")())


def test_plug_in_that_takes_no_settings_is_told_to_take_them(plug_ins):
    with pytest.raises(UsageError, match=r"can't be created\. TypeError: .*'timeout'.*must take `\*\*settings`"):
        Chat("unsettled", timeout=(1, 1))


def test_class_that_lacks_stream_is_a_usage_error(plug_ins):
    class Mute(Provider):
        name = "mute"

    with pytest.raises(UsageError, match=r"'mute' can't be created\. TypeError: .*abstract"):
        Chat(Mute)


def test_listing_names_loads_nothing(plug_ins):
    assert "parrot" in names()
    assert "birds_for_a_test" not in sys.modules


def test_classes_can_be_imported_from_the_package():
    from lockbots_magic.providers import Liaobots, Lockchat, OpenAICompatible  # what is tested

    assert [one.name for one in (Liaobots, Lockchat, OpenAICompatible)] == ["liaobots", "lockchat", "openai"]
    assert provider_class("lockchat") is Lockchat
    with pytest.raises(ImportError, match="Nope"):
        from lockbots_magic.providers import Nope  # noqa: F401
