"""pyexpat for XMPP streams: this module can stand where `xml.parsers.expat` is imported.

`ParserCreate` makes parsers with the handlers and attributes of pyexpat's. Handlers are called in
the `Parse` that has an event's last byte, for text with the tag that ends it; text comes whole. It
reads the XMPP profile of XML; docs/adapters.md lists what it refuses.
"""

from __future__ import annotations

import xml.parsers.expat as _stock
from collections.abc import MutableMapping
from typing import Any
from xml.parsers.expat import ErrorString, ExpatError, error, errors, model

from ..xml import Limits
from . import DEFAULT_LIMITS
from ._expat import XMLParser
from ._switch import Switch

EXPAT_VERSION = _stock.EXPAT_VERSION
native_encoding = _stock.native_encoding
XMLParserType = XMLParser


def ParserCreate(
    encoding: str | None = None,
    namespace_separator: str | None = None,
    intern: MutableMapping[str, str] | None = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
    compat: bool = False,
) -> XMLParser:
    """Make a parser.

    encoding             None or "UTF-8"; ValueError for others
    namespace_separator  with one, names are the namespace name, the separator and the local name;
                         without, they are as written, and so are declarations among attributes
    limits               bounds on the stream, `xmppfast.Limits`
    compat               pass over comments, processing instructions, text between stanzas and a
                         byte order mark instead of refusing them
    """
    return XMLParser(encoding, namespace_separator, intern, limits=limits, compat=compat)


def _places() -> list[tuple[Any, str, Any]]:
    return [(_stock, "ParserCreate", ParserCreate)]


_switch = Switch(_places)
install = _switch.install
uninstall = _switch.uninstall
installed = _switch.installed

__all__ = [
    "EXPAT_VERSION",
    "ErrorString",
    "ExpatError",
    "ParserCreate",
    "XMLParserType",
    "error",
    "errors",
    "install",
    "installed",
    "model",
    "native_encoding",
    "uninstall",
]
