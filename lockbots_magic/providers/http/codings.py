"""Content codings that are read within bounds: of each read, only so much is decompressed as is asked for.

urllib3 does so from 2.6.3 on, for codings one inside another too; for Brotli it depends on the version of that package.
"""

from __future__ import annotations

import functools
import importlib
from contextlib import suppress
from typing import Any

from urllib3.util.request import ACCEPT_ENCODING

from ...errors import ProtocolError
from ...language import _


def _import_brotli() -> Any:
    for name in ("brotlicffi", "brotli"):  # as urllib3 looks for it
        with suppress(ImportError):
            return importlib.import_module(name)
    return None


_brotli = _import_brotli()


_UNASKED = frozenset({"br", "zstd", "compress", "x-compress", "lzma"})
"""Codings that need a package, or that nobody reads. Other words in the header are no codings, and change nothing."""


@functools.cache
def accepted_codings() -> str:
    """Return the value of the header `Accept-Encoding`."""
    codings = ACCEPT_ENCODING.split(",")
    return ", ".join(one.strip() for one in codings if one.strip() != "br" or is_bounded(_brotli))


def is_bounded(brotli: Any) -> bool:
    """Tell whether that package limits what one call returns: it then has a method that asks for more (1.2)."""
    return hasattr(getattr(brotli, "Decompressor", None), "can_accept_more_data")


def check_coding(content_encoding: str, host: str) -> None:
    """Raise `ProtocolError` if a body with this header can't be read within bounds."""
    codings = [one.strip().lower() for one in content_encoding.split(",")]
    if "br" in codings and _brotli is not None and not is_bounded(_brotli):
        raise ProtocolError(
            _(
                "{host} compressed the response with Brotli, which was not asked for: the installed "
                "package has no limits. Run `pip install --upgrade brotli`, then restart the kernel.",
                host=host,
            )
        )
    if unread := next((one for one in codings if one in _UNASKED and one not in ACCEPT_ENCODING.split(",")), ""):
        raise ProtocolError(
            _(
                "{host} compressed the response with {coding}, which was not asked for and can't be read here.",
                host=host,
                coding=unread,
            )
        )
