"""Twisted Words: domish.elementStream, as its XmlStream drives it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from twisted.words.xish import domish

from bench.subjects import Collector, Subject


class DomishReader(Collector):
    """One element stream with its three callbacks."""

    __slots__ = ("_parse", "_stream")

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream
        stream.DocumentStartEvent = _ignore
        stream.ElementEvent = self.got.append
        stream.DocumentEndEvent = _ignore
        self._parse = stream.parse

    def feed(self, data: bytes) -> list[Any]:
        """The elements that are complete with these bytes."""
        self._parse(data)
        return self.take()


def _ignore(*_: object) -> None:
    """The stream's header and end are not measured."""


def content(element: Any) -> ET.Element:
    """A domish element as an ElementTree element."""
    builder = ET.TreeBuilder()
    _build(builder, element)
    built = builder.close()
    assert isinstance(built, ET.Element)
    return built


def _build(builder: Any, element: Any) -> None:
    tag = _clark(element.uri, element.name)
    builder.start(
        tag,
        {
            _clark(*key) if isinstance(key, tuple) else key: value
            for key, value in element.attributes.items()
        },
    )
    for child in element.children:
        if isinstance(child, str):
            builder.data(child)
        else:
            _build(builder, child)
    builder.end(tag)


def _clark(uri: str | None, name: str) -> str:
    return f"{{{uri}}}{name}" if uri else name


def _write(element: Any) -> bytes:
    return element.toXml().encode()  # as XmlStream.send does


def _forward(element: Any, sender: str) -> bytes:
    element["from"] = sender
    return _write(element)


def subject(create: Callable[[], Any], **more: Any) -> Subject:
    """The subject for what makes an element stream."""
    return Subject(
        open=lambda: DomishReader(create()),
        content=content,
        write=_write,
        forward=_forward,
        **more,
    )


def stock() -> Subject:
    """Twisted's own, on pyexpat."""
    return subject(domish.elementStream)


def adapter() -> Subject:
    """The same surface on xmppfast, the serializer too."""
    from xmppfast.adapters import domish as adapted

    return subject(domish.elementStream, around=adapted.installed)
