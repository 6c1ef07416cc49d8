"""After an interrupt no frame that a debugger shows holds a credential."""

import re

import pytest

from lockbots_magic.security import secrets, visible_text
from lockbots_magic.security.exits import clean_bundle, clean_printed
from lockbots_magic.security.secrets import Secret

CREDENTIAL = "planted-credential-0123456789"


def locals_of(error):
    """Yield the representation of every local of all frames of an error and those it came from, but of this file."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename != __file__:
                yield from (repr(value) for value in trace.tb_frame.f_locals.values())
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


def interrupt(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["unwrapped", "is_encoded", "has_parting"])
def test_interrupt_while_masking_leaves_no_credential(name, monkeypatch):
    kept = Secret(CREDENTIAL)
    monkeypatch.setattr(visible_text, name, interrupt)
    for action in (kept.redact, clean_printed, lambda text: clean_bundle({"text/plain": text, "text/html": text})):
        with pytest.raises(KeyboardInterrupt) as caught:
            action("&#1; text")
        assert not [shown for shown in locals_of(caught.value) if CREDENTIAL in shown]


def test_interrupt_while_a_secret_is_made_leaves_no_credential(monkeypatch):
    monkeypatch.setattr(secrets, "literal_forms", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        Secret(CREDENTIAL)
    assert not [shown for shown in locals_of(caught.value) if CREDENTIAL in shown]
    assert not re.search(CREDENTIAL, repr(caught.value))
