"""Removal of credentials from what other libraries log, such as the path of a URL that holds a key."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from .redaction import redacted


class RedactingFilter(logging.Filter):
    """Masks credentials in use in the messages of a logger. A record loses its traceback, whose frames may hold one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; it is always logged."""
        written = record.getMessage()
        masked = redacted(written)
        if masked != written or record.exc_info:
            record.msg, record.args = masked, ()
            record.exc_info = record.exc_text = None
        return True


_FILTER = RedactingFilter()


def redact_loggers(names: Iterable[str]) -> None:
    """Mask credentials in what loggers of these names log, from now on; doing it again changes nothing."""
    for name in names:
        logging.getLogger(name).addFilter(_FILTER)
