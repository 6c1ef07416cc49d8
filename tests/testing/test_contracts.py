"""The contract of plug-ins: good ones pass it, and each way to break it is found."""

import functools
from collections.abc import Iterator

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.messages import Delta
from lockbots_magic.providers.base import Provider
from lockbots_magic.testing import contracts


class Parrot(Provider):
    """Repeats the prompt."""

    name = "parrot"

    def stream(self, request) -> Iterator[Delta]:
        for word in request.messages[-1].content.split():
            yield Delta(word)
        yield Delta(finish_reason="stop")


class Text(Parrot):
    """Yields text, as simple plug-ins do."""

    def stream(self, request):
        yield from request.messages[-1].content


class Cut(Parrot):
    """Never says that it has ended."""

    def stream(self, request):
        yield Delta("text")
        yield Delta(finish_reason="truncated")


class Forgetful(Parrot):
    """Keeps the state of a reply on itself."""

    def stream(self, request):
        self.said = request.messages[-1].content
        for at in range(len(self.said)):
            yield Delta(self.said[at : at + 1])
        yield Delta(finish_reason="stop")


class Shouting(Parrot):
    """Has a name that nobody can write, and tells its credential."""

    name = "Parrot:1"

    def __repr__(self):
        return f"Shouting({self.auth and self.auth.reveal()})"


class Shared(Parrot):
    """Has a table that a caller could change."""

    parameters = {"pitch": "height of the voice"}  # noqa: RUF012


class Stubborn(Parrot):
    """Takes no settings."""

    def __init__(self):
        super().__init__()


def load(argument):
    """A page, by its name."""
    return "text", f"Page {argument}"


def load_without_title(argument):
    return "text"


def failures(contract, **attributes):
    """Return the tests of a contract that fail."""
    subject = type("Subject", (contract,), attributes)()
    failed = set()
    for name in [one for one in dir(subject) if one.startswith("test_")]:
        test = getattr(subject, name)
        if contract is contracts.ProviderContract:
            case = contracts.ProviderCase(subject.provider, subject.settings, subject.model)
            test = functools.partial(test, case)
        try:
            test()
        except Exception:  # noqa: BLE001  # however it fails
            failed.add(name.removeprefix("test_"))
        except pytest.fail.Exception:
            failed.add(name.removeprefix("test_"))
    return failed


@pytest.mark.parametrize("provider", [Parrot, Text])
def test_a_good_provider_passes(provider):
    assert failures(contracts.ProviderContract, provider=provider) == set()
    assert Chat(provider()).ask("Hi you").status == "complete"


@pytest.mark.parametrize(
    ("provider", "found"),
    [
        (Cut, "stream_is_a_generator_of_deltas_that_ends_with_a_finish_reason"),
        (Forgetful, "two_replies_of_one_provider_at_once_do_not_mix"),
        (Shouting, "declares_what_a_provider_declares"),
        (Shouting, "shows_no_credential_and_pickles_none"),
        (Shared, "class_holds_no_state_that_a_caller_could_change"),
        (Stubborn, "settings_of_every_provider_are_taken_and_checked"),
    ],
)
def test_what_breaks_the_contract_is_found(provider, found):
    assert found in failures(contracts.ProviderContract, provider=provider)


def test_a_loader_is_a_plain_function_that_returns_text_and_title():
    for loader in (load, staticmethod(load)):
        assert failures(contracts.LoaderContract, loader=loader, argument="Home") == set()
    assert failures(contracts.LoaderContract, loader=load_without_title, argument="Home") == {
        "returns_text_and_a_title",
        "the_first_line_of_the_docstring_describes_it",
    }
