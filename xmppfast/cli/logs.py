"""Logs: for people on a terminal, a JSON object per line otherwise."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

# Made once: json.dumps makes an encoder for each call that wants something special.
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


class TextFormatter(logging.Formatter):
    """`21:04:05 WARNING message [session]`, in local time; not all have a session."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Write the first line."""
        session = getattr(record, "session", None)
        return super().formatMessage(record) + (f" [{session}]" if session else "")


class JsonFormatter(logging.Formatter):
    """An object with time (UTC), level, logger, message; error if there is a traceback.

    What a record was given besides, as `extra={"session": ...}`, is there under its name.
    """

    _KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        """Write the record in one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in record.__dict__.items():
            if name not in self._KNOWN:
                line[name] = str(value)
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return _ENCODE(line)


def configure(level: str, format: str = "auto", stream: TextIO = sys.stderr) -> None:
    """Have everything of this package logged there.

    level   "debug", "info", "warning" or "error"
    format  "text", "json", or "auto": text if it is a terminal
    """
    text = format == "text" or (format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    for name in ("xmppfast", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
    logging.getLogger("xmppfast").setLevel(level.upper())
