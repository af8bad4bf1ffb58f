"""xmppfast: XMPP streams, read fast and strictly."""

from __future__ import annotations

from .xml import (
    Element,
    Limits,
    Stanza,
    StreamCondition,
    StreamEnd,
    StreamError,
    StreamParser,
    StreamStart,
    backend,
    escape,
    parse,
    tostring,
)

__version__ = "0.1.0"

__all__ = [
    "Element",
    "Limits",
    "Stanza",
    "StreamCondition",
    "StreamEnd",
    "StreamError",
    "StreamParser",
    "StreamStart",
    "backend",
    "escape",
    "parse",
    "tostring",
]
