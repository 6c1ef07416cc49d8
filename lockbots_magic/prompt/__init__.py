"""What a prompt takes from the notebook: `{{ expressions }}`, files, pictures, cells."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cells import CellHistory, from_cells
    from .files import from_file
    from .images import checked_images, image_from
    from .material import Material
    from .template import evaluator, expanded
    from .tracebacks import short_traceback
    from .values import material_of

_HOME = {
    "CellHistory": "cells",
    "Material": "material",
    "checked_images": "images",
    "evaluator": "template",
    "expanded": "template",
    "from_cells": "cells",
    "from_file": "files",
    "image_from": "images",
    "material_of": "values",
    "short_traceback": "tracebacks",
}

__all__ = [
    "CellHistory",
    "Material",
    "checked_images",
    "evaluator",
    "expanded",
    "from_cells",
    "from_file",
    "image_from",
    "material_of",
    "short_traceback",
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
