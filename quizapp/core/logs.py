"""Logging: one line per event on standard error, with phone numbers and tokens struck out whatever wrote them."""

import logging
import re
import sys

_SECRETS = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)|Bearer\s+[\w.~+/-]+|(?<=code=)\d{6}")


class Redact(logging.Filter):
    """Replace mainland mobile numbers, bearer tokens and codes in every message, arguments included."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = _SECRETS.sub("[struck]", message)
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _SECRETS.sub("[struck]", logging.Formatter().formatException(record.exc_info))
        return True


def configure(level: str) -> None:
    """Set up the root logger once; a second call only changes the level."""
    root = logging.getLogger()
    root.setLevel(level)
    if any(isinstance(f, Redact) for handler in root.handlers for f in handler.filters):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(Redact())
    root.addHandler(handler)
