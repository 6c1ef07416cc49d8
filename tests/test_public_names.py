"""The public surface is `lockbots_magic.__all__`; a change of it is deliberate."""

import importlib

import pytest

import lockbots_magic

PUBLIC_NAMES = [  # grouped by purpose
    *("Chat", "ChatPanel", "Reply", "PreparedRequest", "CellOrigin", "Conversation", "Log", "Turn", "Message", "Usage"),
    *("Batch", "RayExecutor"),
    *("tool", "Limits"),
    *("Provider", "HTTPProvider", "ChatRequest", "Delta", "ModelInfo"),
    *("LockbotsError", "ProviderError", "UsageError"),
    "MCP",
    "last_turn",
    "__version__",
]


def test_public_names_are_pinned():
    assert lockbots_magic.__all__ == PUBLIC_NAMES


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_public_name_is_importable(name):
    value = getattr(importlib.import_module("lockbots_magic"), name)
    assert isinstance(value, str) if name == "__version__" else value.__name__ == name


def test_public_names_are_listed_by_dir():
    assert set(PUBLIC_NAMES) <= set(dir(lockbots_magic))
