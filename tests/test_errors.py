"""The error tree is a contract; each error is also an error that users already catch."""

import copy
import pickle

import pytest
import requests

from lockbots_magic import errors
from lockbots_magic.security.secrets import Secret


@pytest.mark.parametrize(
    ("kind", "bases"),
    [
        (errors.UsageError, (errors.LockbotsError, ValueError)),
        (errors.PromptTooLongError, (errors.UsageError,)),
        (errors.ProviderError, (errors.LockbotsError,)),
        (errors.ConnectionFailed, (errors.ProviderError, requests.ConnectionError)),
        (errors.ProviderTimeout, (errors.ProviderError, TimeoutError)),
        (errors.ProtocolError, (errors.ProviderError,)),
        (errors.ModelNotFoundError, (errors.ProviderError, ValueError)),
        (errors.HTTPStatusError, (errors.ProviderError, requests.HTTPError)),
        (errors.AuthenticationError, (errors.HTTPStatusError,)),
        (errors.RateLimitError, (errors.HTTPStatusError,)),
        (errors.ServerError, (errors.HTTPStatusError,)),
        (errors.Interrupted, (KeyboardInterrupt,)),
    ],
)
def test_each_error_has_the_bases_of_the_tree(kind, bases):
    assert issubclass(kind, bases)
    assert all(issubclass(kind, base) for base in bases)
    assert kind.__name__ in (errors.__doc__ or "")


def test_interrupted_is_not_an_exception_that_a_loop_would_swallow():
    assert not issubclass(errors.Interrupted, Exception)


def test_provider_errors_have_their_attributes():
    error = errors.RateLimitError("slow down", status=429, retry_after=2.5, provider="p", model="m", partial="text")
    assert (str(error), error.status, error.retry_after) == ("slow down", 429, 2.5)
    assert (error.provider, error.model, error.partial) == ("p", "m", "text")


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_error_can_be_copied_and_pickled_with_its_attributes(duplicate):
    for error in (
        errors.RateLimitError("slow down", status=429, retry_after=2.5, provider="p", model="m", partial="text"),
        errors.ConnectionFailed("refused", provider="p", partial="text"),
        errors.ProviderTimeout("late", model="m"),
    ):
        same = duplicate(error)
        assert (type(same), same.args, vars(same)) == (type(error), error.args, vars(error))


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (401, False), (403, False), (402, False), (404, False)]
)
def test_refusals_are_not_retryable(status, retryable):
    assert errors.HTTPStatusError("x", status=status).retryable is retryable


@pytest.mark.parametrize("status", [408, 409, 421, 423, 425, 429, 500, 503, 520, 524, 529, 530])
def test_temporary_failures_are_retryable(status):
    assert errors.HTTPStatusError("x", status=status).retryable


def test_in_a_notebook_an_error_is_one_message():
    assert errors.ProtocolError("no reply")._render_traceback_() == ["ProtocolError: no reply"]
    assert errors.Interrupted("stopped")._render_traceback_() == ["Interrupted: stopped"]


def test_the_message_in_a_notebook_steers_nothing_links_nowhere_and_holds_no_credential():
    secret = Secret("sk-0123456789")
    error = errors.UsageError("\033[2J sk-0123456789 file://x \ud800")
    assert error._render_traceback_() == ["UsageError: [2J *** file\u2060://x \ufffd"]
    assert secret
