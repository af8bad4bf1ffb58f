"""Events as text: a tree for people, lines of JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TextIO

from .. import Element, Stanza, StreamEnd, StreamError, StreamStart
from .recording import Placed, header_name

_XML = "{http://www.w3.org/XML/1998/namespace}"
_EVENT_NAMES = {StreamStart: "stream-start", Stanza: "stanza", StreamEnd: "stream-end"}


def walk(root: Element) -> Iterator[tuple[int, Element, bool]]:
    """Level, element, and whether it begins there or ends; a stack instead of recursion."""
    stack = [(root, iter(root))]
    yield 0, root, True
    while stack:
        element, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            yield len(stack), element, False
        else:
            yield len(stack), child, True
            stack.append((child, iter(child)))


def quoted(text: str) -> str:
    """The text in quotes, with everything escaped that a terminal would act on."""
    return '"' + "".join(map(_shown, text)) + '"'


def _shown(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    return char.encode("unicode_escape").decode("ascii")


class Tree:
    """Writes events as indented elements: names, attributes, text.

    An element's namespace is shown where it differs from its parent's, in a stanza's case from the
    stream's content namespace. White space around child elements is left out.
    """

    def __init__(self, out: TextIO, *, color: bool) -> None:
        self._out = out
        self._bold, self._dim, self._text, self._plain = (
            ("\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[0m") if color else ("", "", "", "")
        )
        self._content_namespace: str | None = None
        self._header_name = ""

    def write(self, placed: Placed) -> None:
        """Write one event."""
        event = placed.event
        if isinstance(event, StreamStart):
            self._content_namespace = event.content_namespace
            self._header_name = header_name(event).decode()
            self._line(0, self._header_name, _declared(event), event.attrib)
        elif isinstance(event, StreamEnd):
            self._out.write(f"{self._bold}/{self._header_name}{self._plain}\n")
        else:
            self._stanza(event)

    def error(self, error: StreamError) -> None:
        """Nothing: the error is reported apart from the tree."""

    def _stanza(self, stanza: Stanza) -> None:
        namespaces = [self._content_namespace]
        for level, element, begins in walk(stanza):
            if begins:
                del namespaces[level + 1 :]
                xmlns = element.xmlns
                declared = {"xmlns": xmlns or ""} if xmlns != namespaces[-1] else {}
                namespaces.append(xmlns)
                text = element.text if len(element) == 0 or not _blank(element.text) else None
                self._line(level + 1, element.name, declared, element.attrib, text)
            elif level and not _blank(element.tail):
                assert element.tail is not None
                self._out.write("  " * (level + 1) + self._value(element.tail) + "\n")

    def _line(
        self,
        level: int,
        name: str,
        declared: Mapping[str, str],
        attributes: Mapping[str, str],
        text: str | None = None,
    ) -> None:
        parts = [f"{self._bold}{name}{self._plain}"]
        for key, value in declared.items():
            parts.append(f"{self._dim}{key}={quoted(value)}{self._plain}")
        for key, value in attributes.items():
            parts.append(f"{_attribute(key)}={self._value(value)}")
        if text:
            parts.append(self._value(text))
        self._out.write("  " * level + " ".join(parts) + "\n")

    def _value(self, text: str) -> str:
        return f"{self._text}{quoted(text)}{self._plain}"


class JsonLines:
    """Writes one JSON object per event and line; `xmppfast parse --help` lists the fields."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, placed: Placed) -> None:
        """Write one event."""
        event = placed.event
        fields = {
            "event": _EVENT_NAMES[type(event)],
            "stream": placed.stream,
            "offset": placed.offset,
            "bytes": len(event.raw),
        }
        if isinstance(event, StreamStart):
            fields |= {
                "tag": event.tag,
                "attributes": dict(event.attrib),
                "default_namespace": event.default_namespace,
                "prefixes": dict(event.prefixes),
            }
        line = json.dumps(fields)
        if isinstance(event, Stanza):
            line = f'{line[:-1]}, "element": {element_json(event)}}}'
        self._out.write(line + "\n")

    def error(self, error: StreamError) -> None:
        """Write the error that ends the recording."""
        fields = {
            "event": "error",
            "condition": error.condition.value,
            "text": error.text,
            "offset": error.offset,
            "line": error.line,
            "column": error.column,
        }
        self._out.write(json.dumps(fields) + "\n")


def element_json(root: Element) -> str:
    """The element as a JSON object; without recursion, as depth is limited only by `Limits`."""
    parts: list[str] = []
    for _, element, begins in walk(root):
        if not begins:
            parts.append("]}")
            continue
        if parts and parts[-1] == "]}":
            parts.append(", ")
        fields = {
            "tag": element.tag,
            "attributes": dict(element.attrib),
            "text": element.text,
            "tail": element.tail,
        }
        parts.append(f'{json.dumps(fields)[:-1]}, "children": [')
    return "".join(parts)


def _declared(header: StreamStart) -> dict[str, str]:
    default = header.default_namespace
    declared = {} if default is None else {"xmlns": default}
    return declared | {f"xmlns:{prefix}": name for prefix, name in header.prefixes.items()}


def _attribute(key: str) -> str:
    return "xml:" + key.removeprefix(_XML) if key.startswith(_XML) else key


def _blank(text: str | None) -> bool:
    return text is None or not text.strip(" \t\r\n")


def may_color(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to use colors: on a terminal, and not against NO_COLOR (no-color.org)."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
