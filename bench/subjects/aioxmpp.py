"""aioxmpp: its SAX processor alone, and its whole way from bytes to stanza objects."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Generator
from typing import Any

import aioxmpp
import aioxmpp.nonza
import aioxmpp.xml
import aioxmpp.xso

from bench.subjects import Collector, Subject
from bench.subjects.sax import clark


class ProcessorReader(Collector):
    """aioxmpp's parser and processor, handing events to a stanza parser."""

    __slots__ = ("_feed",)

    def __init__(self, stanza_parser: Callable[[list[Any]], Any]) -> None:
        super().__init__()
        processor = aioxmpp.xml.XMPPXMLProcessor()
        processor.stanza_parser = stanza_parser(self.got)
        processor.on_exception = self.got.append  # a stanza of unknown content is one, too
        parser = aioxmpp.xml.make_parser()
        parser.setContentHandler(processor)
        self._feed = parser.feed

    def feed(self, data: bytes) -> list[Any]:
        """One item for each stanza that is complete with these bytes."""
        self._feed(data)
        return self.take()


class _Counting:
    """A stanza parser that keeps nothing."""

    lang = None

    def __init__(self, got: list[Any]) -> None:
        self._got = got

    def __call__(self) -> Generator[None, tuple[Any, ...], None]:
        depth = 0
        while True:
            event = yield
            if event[0] == "start":
                depth += 1
            elif event[0] == "end":
                depth -= 1
                if not depth:
                    self._got.append(None)
                    return


class _Recording(_Counting):
    """A stanza parser that builds trees."""

    def __call__(self) -> Generator[None, tuple[Any, ...], None]:
        builder = ET.TreeBuilder()
        open_tags: list[str] = []
        while True:
            kind, *rest = yield
            if kind == "start":
                uri, name, attributes = rest
                open_tags.append(clark((uri, name)))
                builder.start(open_tags[-1], {clark(k): v for k, v in attributes.items()})
            elif kind == "text":
                builder.data(rest[0])
            else:
                builder.end(open_tags.pop())
                if not open_tags:
                    self._got.append(builder.close())
                    return


def _stanza_objects(got: list[Any]) -> Any:
    """The classes that a client's stream registers."""
    parser = aioxmpp.xso.XSOParser()
    classes = (aioxmpp.Message, aioxmpp.Presence, aioxmpp.IQ)
    acknowledgements = (aioxmpp.nonza.SMAcknowledgement, aioxmpp.nonza.SMRequest)
    for xso_class in (*classes, *acknowledgements):
        parser.add_class(xso_class, got.append)
    return parser


def _head(stanza: Any) -> ET.Element:
    if isinstance(stanza, aioxmpp.stanza.StanzaError):
        stanza = stanza.partial_obj
    head = ET.Element(clark(stanza.TAG))
    for key, value in (("to", stanza.to), ("from", stanza.from_), ("id", stanza.id_)):
        if value is not None:
            head.set(key, str(value))
    kind = getattr(stanza, "type_", None)
    # A message without type is read as one of type normal, which no message here says it is.
    unsaid = kind is None or kind is aioxmpp.MessageType.NORMAL
    if not unsaid and kind.value is not None:
        head.set("type", kind.value)
    return head


def stock() -> Subject:
    """The processor on the standard library's parser."""
    return Subject(
        open=lambda: ProcessorReader(_Counting),
        record=lambda: ProcessorReader(_Recording),
        content=lambda element: element,
    )


def receive() -> Subject:
    """From bytes to stanza objects."""
    return Subject(open=lambda: ProcessorReader(_stanza_objects), content=_head, complete=False)


def _adapted(make: Callable[[], Subject]) -> Subject:
    from dataclasses import replace

    from xmppfast.adapters import sax

    return replace(make(), around=sax.installed)


def adapter() -> Subject:
    """The processor on xmppfast."""
    return _adapted(stock)


def adapter_receive() -> Subject:
    """From bytes to stanza objects, on xmppfast."""
    return _adapted(receive)
