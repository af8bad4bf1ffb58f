"""nbxmpp (Gajim): its NodeBuilder, fed text as its connection does."""

from __future__ import annotations

import codecs
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from nbxmpp import simplexml

from bench.subjects import Collector, Subject

_XML = {"xml": "http://www.w3.org/XML/1998/namespace"}
_decoder = codecs.getincrementaldecoder("utf-8")


class NodeReader(Collector):
    """One builder; the stream's header is dispatched first, which is no stanza."""

    __slots__ = ("_builder", "_decode")

    def __init__(self, taken: Any = None) -> None:
        super().__init__()
        self._decode = _decoder().decode
        self._builder = simplexml.NodeBuilder(dispatch_depth=2, finished=False)
        self._builder.dispatch = lambda _: self._begin(taken)

    def _begin(self, taken: Any) -> None:
        append = self.got.append
        self._builder.dispatch = append if taken is None else lambda node: append(taken(node))

    def feed(self, data: bytes) -> list[Any]:
        """The nodes that are complete with these bytes."""
        self._builder.Parse(self._decode(data))
        return self.take()


def _copy(node: Any) -> Any:
    """What the dispatcher does first, since the builder uses its node again."""
    return simplexml.Node(node=node)


def _content(node: Any, prefixes: Mapping[str, str] = _XML) -> ET.Element:
    """As an element; the prefixes of attributes, which nbxmpp leaves as they are, are resolved."""
    declared = {k[6:]: uri for k, uri in node.attrs.items() if k.startswith("xmlns:")}
    prefixes = {**prefixes, **declared}
    namespace, name = node.getNamespace(), node.getName()
    element = ET.Element(f"{{{namespace}}}{name}" if namespace else name)
    for key, value in node.attrs.items():
        prefix, colon, local = key.partition(":")
        if not colon and key != "xmlns":
            element.set(key, value)
        elif colon and prefix != "xmlns":
            element.set(f"{{{prefixes[prefix]}}}{local}", value)
    texts = [*node.data, *[""] * (len(node.kids) + 1 - len(node.data))]
    element.text = texts[0]
    for kid, tail in zip(node.kids, texts[1:], strict=False):
        child = _content(kid, prefixes)
        child.tail = tail
        element.append(child)
    return element


def _write(node: Any) -> bytes:
    return str(node).encode()


def _forward(node: Any, sender: str) -> bytes:
    node.setAttr("from", sender)
    return _write(node)


def stock() -> Subject:
    """On pyexpat."""
    return Subject(
        open=NodeReader,
        record=lambda: NodeReader(_copy),
        content=_content,
        write=_write,
        forward=_forward,
    )


def adapter() -> Subject:
    """The same on xmppfast."""
    from dataclasses import replace

    from xmppfast.adapters import nbxmpp

    return replace(stock(), around=nbxmpp.installed)
