"""ElementTree's pull parser and serializer for XMPP streams.

`XMLPullParser` makes the elements and events of `xml.etree.ElementTree.XMLPullParser`: genuine
elements, the same one at start and end. Each event is there after the `feed` that has its last
byte. It reads the XMPP profile of XML; docs/adapters.md lists what it refuses.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from ..xml import escape
from ..xml import tostring as _tostring
from ._etree import PullParser
from ._switch import Switch

_absent: Any = object()


class XMLPullParser(PullParser):
    """A pull parser with the surface of ElementTree's.

    events  any of "start", "end", "start-ns", "end-ns" ("comment" and "pi", which never happen, are
            accepted); the default is "end"
    limits  bounds on the stream, `xmppfast.Limits`
    compat  pass over comments, processing instructions, text between stanzas and a byte order mark
            instead of refusing them

    Who gives a parser of his own, as `xml.etree.ElementTree.iterparse` does, gets ElementTree's.
    """

    __slots__ = ()

    def __new__(cls, *arguments: Any, _parser: Any = _absent, **options: Any) -> Any:
        """Make a parser, or ElementTree's for one that is to be given a parser."""
        if _parser is not _absent:
            return _stock(*arguments, _parser=_parser, **options)
        return super().__new__(cls)


_stock: Any = ET.XMLPullParser
_stock_tostring: Any = ET.tostring


def tostring(
    element: ET.Element,
    encoding: str | None = None,
    method: str | None = None,
    *,
    xml_declaration: bool | None = None,
    default_namespace: str | None = None,
    short_empty_elements: bool = True,
) -> Any:
    """Serialize an element with its tail, as `xml.etree.ElementTree.tostring`.

    Namespaces are declared where they change, without prefixes for elements, as is usual in XMPP.
    The result is str for the encoding "unicode", else bytes, ASCII by default. What XMPP has no use
    for (another method, an XML declaration, empty elements written as two tags) ElementTree does.
    Raises ValueError for names or text that XML can't carry, TypeError for anything but strings.
    """
    if method not in (None, "xml") or xml_declaration or not short_empty_elements:
        return _stock_tostring(
            element,
            encoding,
            method,
            xml_declaration=xml_declaration,
            default_namespace=default_namespace,
            short_empty_elements=short_empty_elements,
        )
    name = "us-ascii" if encoding is None else encoding.lower()
    if name not in ("unicode", "utf-8", "us-ascii"):
        return _stock_tostring(element, encoding, default_namespace=default_namespace)
    data = _tostring(element)
    if element.tail:
        data += escape(element.tail).encode()
    if name == "utf-8":
        return data
    text = data.decode()
    return text if name == "unicode" else text.encode("ascii", "xmlcharrefreplace")


def _places() -> list[tuple[Any, str, Any]]:
    return [(ET, "XMLPullParser", XMLPullParser), (ET, "tostring", tostring)]


_switch = Switch(_places)
install = _switch.install
uninstall = _switch.uninstall
installed = _switch.installed

__all__ = ["XMLPullParser", "install", "installed", "tostring", "uninstall"]
