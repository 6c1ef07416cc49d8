"""Removal of credentials from what other libraries log, such as the path of a URL that holds a key."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from .redaction import redacted


class RedactingFilter(logging.Filter):
    """Masks credentials in use in what a logger says. A traceback becomes text: its frames may hold a credential."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; it is always logged."""
        written = record.getMessage()
        masked = redacted(written)
        if masked != written:
            record.msg, record.args = masked, ()
        if record.exc_info:
            record.exc_text = record.exc_text or _FORMATTER.formatException(record.exc_info)
            record.exc_info = None
        record.exc_text = record.exc_text and redacted(record.exc_text)
        record.stack_info = record.stack_info and redacted(record.stack_info)
        return True


_FORMATTER = logging.Formatter()
_FILTER = RedactingFilter()


def redact_loggers(names: Iterable[str]) -> None:
    """Mask credentials in what loggers of these names log, from now on; doing it again changes nothing."""
    for name in names:
        logging.getLogger(name).addFilter(_FILTER)
