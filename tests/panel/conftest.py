"""A panel without a widget and without a page."""

import pytest

from lockbots_magic import Chat
from lockbots_magic.notebook.session import Lockbots
from lockbots_magic.panel.backend import SessionBackend
from tests.panel.views import Model, ViewSync


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def views(model):
    views = ViewSync(Chat(model))
    views.do("hello", view="v1")
    yield views
    model.go_on.set()
    views.host.close()


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setenv("LOCKBOTS_MODEL", "guide")
    return Lockbots()


@pytest.fixture
def of_session(session):
    views = ViewSync(desk=SessionBackend(session))
    views.do("hello", view="v")
    yield views
    views.host.close()
