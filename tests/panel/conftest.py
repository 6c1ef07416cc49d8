"""Panels without widget and page."""

import pytest

from lockbots_magic import Chat
from lockbots_magic.notebook.session import Session
from lockbots_magic.panel.session_backend import SessionBackend
from tests.panel.harness import Model, PanelHarness


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def panel(model):
    panel = PanelHarness(Chat(model))
    panel.post("hello", view="v1")
    yield panel
    model.go_on.set()
    panel.controller.close()


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setenv("LOCKBOTS_MODEL", "guide")
    return Session()


@pytest.fixture
def session_panel(session):
    panel = PanelHarness(backend=SessionBackend(session))
    panel.post("hello", view="v")
    yield panel
    panel.controller.close()
