"""xml.parsers.expat with namespaces, and Python handlers for start, end and text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from bench.subjects import Collector, Subject


class CallbackReader(Collector):
    """Handlers that keep nothing but the depth, to know where a stanza ends."""

    __slots__ = ("_depth", "_parse", "_parser")

    def __init__(self, parser: Any) -> None:
        super().__init__()
        self._depth = 0
        self._parser = parser
        self._parse = parser.Parse
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text

    def feed(self, data: bytes) -> list[Any]:
        """One item for each stanza that is complete with these bytes."""
        self._parse(data, False)
        return self.take()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle a start tag."""
        self._depth += 1

    def end(self, name: str) -> None:
        """Handle an end tag."""
        self._depth -= 1
        if self._depth == 1:
            self.got.append(None)

    def text(self, data: str) -> None:
        """Handle text, or a part of it."""


class RecordingReader(CallbackReader):
    """Handlers that build trees of what they are told."""

    __slots__ = ("_builder",)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        if self._depth == 1:
            self._builder = ET.TreeBuilder()
        if self._depth:
            self._builder.start(_clark(name), {_clark(k): v for k, v in attributes.items()})
        self._depth += 1

    def end(self, name: str) -> None:
        """End an element; its root is the stanza."""
        self._depth -= 1
        if self._depth:
            self._builder.end(_clark(name))
        if self._depth == 1:
            self.got.append(self._builder.close())

    def text(self, data: str) -> None:
        """Add text."""
        if self._depth > 1:
            self._builder.data(data)


def _clark(name: str) -> str:
    return "{" + name if "}" in name else name


def subject(create: Callable[..., Any]) -> Subject:
    """The subject for a parser with pyexpat's surface."""
    return Subject(
        open=lambda: CallbackReader(create(namespace_separator="}")),
        record=lambda: RecordingReader(create(namespace_separator="}")),
        content=lambda element: element,
    )


def stock() -> Subject:
    """The standard library's."""
    return subject(expat.ParserCreate)


def adapter() -> Subject:
    """The same surface on xmppfast."""
    from xmppfast.adapters import expat as adapted

    return subject(adapted.ParserCreate)
