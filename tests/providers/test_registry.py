"""Registry: built-in providers and plug-ins load the same way."""

import sys

import pytest

from lockbots_magic import providers
from lockbots_magic.conversation.messages import ChatRequest
from lockbots_magic.errors import UsageError
from lockbots_magic.providers import names, provider_class, split_model
from lockbots_magic.providers.base import Provider

PLUG_IN = """
from lockbots_magic.conversation.messages import Delta
from lockbots_magic.providers.base import Provider

class Parrot(Provider):
    name = "parrot"

    def stream(self, request):
        yield Delta(request.messages[-1].content, finish_reason="stop")

class Cuckoo(Parrot):
    name = "guide"
"""
ENTRIES = """[lockbots_magic.providers]
parrot = birds_for_a_test:Parrot
guide = birds_for_a_test:Cuckoo
broken = no_such_module_of_a_test:Missing
number = math:pi
"""


@pytest.fixture
def plug_ins(tmp_path, monkeypatch):
    (tmp_path / "birds_for_a_test.py").write_text(PLUG_IN)
    info = tmp_path / "birds_for_a_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: birds-for-a-test\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(tmp_path)
    providers._load_registry.cache_clear()
    yield
    sys.modules.pop("birds_for_a_test", None)
    providers._load_registry.cache_clear()


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
    assert names()[-3:] == ["broken", "number", "parrot"]
    reply = list(provider_class("parrot")().stream(ChatRequest("", ({"role": "user", "content": "Hi"},))))
    assert reply[0].text == "Hi"
    assert list(provider_class("parrot").create_completion("", [{"role": "user", "content": "Hi"}])) == ["Hi"]


def test_plug_in_does_not_displace_a_built_in_provider(plug_ins):
    assert provider_class("guide").__module__ == "lockbots_magic.help.guide"


def test_plug_in_that_does_not_load_is_a_usage_error(plug_ins):
    with pytest.raises(UsageError, match=r"'broken' failed to load\. ModuleNotFoundError"):
        provider_class("broken")
    with pytest.raises(UsageError, match="'number' is not a subclass of Provider"):
        provider_class("number")


def test_listing_names_loads_nothing(plug_ins):
    assert "parrot" in names()
    assert "birds_for_a_test" not in sys.modules
