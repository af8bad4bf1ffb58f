"""xmppfast: XMPP streams, read fast and strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from .client import Client as Client

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


def __getattr__(name: str) -> Any:
    """Import `Client` when it is asked for: it needs the extra `client`, the parser nothing."""
    if name != "Client":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._extras import need

    return need("xmppfast.client", "client").Client
