"""What a stanza says, in a form that can be compared between libraries and processes."""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET

_HEAD = ("to", "from", "type", "id")


def outline(element: ET.Element) -> str:
    """Everything in an element but its tail; equal for equal content."""
    parts: list[object] = []
    _add(element, parts)
    return repr(parts)


def _add(element: ET.Element, parts: list[object]) -> None:
    parts += [element.tag, sorted(element.attrib.items()), element.text or ""]
    for child in element:
        _add(child, parts)
        parts.append(child.tail or "")
    parts.append(None)


def head(element: ET.Element) -> str:
    """Tag, to, from, type and id."""
    return repr([element.tag, *map(element.get, _HEAD)])


def digest(text: str) -> str:
    """A short form of an outline, to be sent instead of it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
