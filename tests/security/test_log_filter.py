"""What other libraries log holds no credential, and tells as much as before."""

import io
import logging

import pytest

from lockbots_magic.security.log_filter import redact_loggers
from lockbots_magic.security.secrets import Secret

CREDENTIAL = "planted-credential-0123456789"


@pytest.fixture
def logged():
    """A logger whose records are masked, and what its handler writes."""
    logger = logging.getLogger("tests.masked")
    redact_loggers([logger.name])
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    yield logger, stream.getvalue
    logger.removeHandler(handler)


def fail():
    raise ValueError(f"no such path: /{CREDENTIAL}/x")


def test_traceback_is_kept_as_text_without_the_credential(logged):
    kept = Secret(CREDENTIAL)
    logger, written = logged
    try:
        fail()
    except ValueError:
        logger.exception("GET /%s failed", kept.reveal(), stack_info=True)
    assert CREDENTIAL not in written()
    assert written().startswith("GET /*** failed\nTraceback (most recent call last):\n")
    assert "in fail\n" in written()
    assert "ValueError: no such path: /***/x\n" in written()
    assert "Stack (most recent call last):\n" in written()


def test_record_gives_no_handler_the_frames(logged, caplog):
    logger, _ = logged
    try:
        fail()
    except ValueError:
        logger.warning("It failed: %s", "why", exc_info=True)
    (record,) = caplog.records
    assert record.exc_info is None
    assert record.exc_text.endswith(f"/{CREDENTIAL}/x"), "no credential is in use"
    assert record.args == ("why",), "what held no credential is as it was"


def test_plain_record_is_as_it_was(logged, caplog):
    logger, written = logged
    logger.warning("%d of %d", 1, 2)
    assert written() == "1 of 2\n"
    assert [(record.args, record.exc_info, record.exc_text) for record in caplog.records] == [((1, 2), None, None)]
