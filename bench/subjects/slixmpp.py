"""slixmpp: XMLStream.data_received up to the stanza's element, and its whole way of receiving."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from slixmpp.xmlstream import xmlstream

from bench.subjects import Collector, Subject

_CLIENT = "jabber:client"
_STREAMS = "http://etherx.jabber.org/streams"


class _ParsingStream(xmlstream.XMLStream):
    """An XMLStream that stops where it would make a stanza object of an element.

    Nothing of a connection is set up: an event loop and a TLS context are not what is measured.
    """

    def __init__(self, got: list[Any]) -> None:
        self.default_ns = _CLIENT
        self.default_domain = ""
        self.stream_ns = _STREAMS
        self.use_cdata = False
        self._run_out_filters = None
        self.namespace_map: dict[str, Any] = {}
        self._spawn_event = got.append  # type: ignore[method-assign]
        self.init_parser()

    def start_stream_handler(self, xml: ET.Element) -> None:
        """Nothing is negotiated."""

    def abort(self) -> None:
        """The stream's end closes no connection."""


class StreamReader(Collector):
    """One stream, which puts what comes of its elements where the reader takes it from."""

    __slots__ = ("_stream",)

    def __init__(self, stream_for: Callable[[list[Any]], Any] = _ParsingStream) -> None:
        super().__init__()
        self._stream = stream_for(self.got)

    def feed(self, data: bytes) -> list[Any]:
        """What is complete with these bytes."""
        self._stream.data_received(data)
        return self.take()


def _write(element: ET.Element) -> bytes:
    # Looked up where XMLStream.send looks: an adapter replaces it there.
    return xmlstream.tostring(element, xmlns=_CLIENT).encode()


def _forward(element: ET.Element, sender: str) -> bytes:
    element.set("from", sender)
    return _write(element)


def stock() -> Subject:
    """On the standard library's parser."""
    return Subject(
        open=StreamReader, content=lambda element: element, write=_write, forward=_forward
    )


def receive() -> Subject:
    """A client without plugins, from bytes to stanza objects in their handlers."""
    from slixmpp import ClientXMPP
    from slixmpp.xmlstream.handler import Callback
    from slixmpp.xmlstream.matcher import StanzaPath

    class _Client(ClientXMPP):
        def __init__(self) -> None:
            super().__init__("bench@example.org/bench", "none")
            for name in ("message", "presence", "iq"):
                self.register_handler(Callback(f"bench {name}", StanzaPath(name), self.take))

        def begin(self, got: list[Any]) -> _Client:
            """Begin another stream: to make a client is not what is measured."""
            self.got = got
            self.init_parser()
            return self

        def take(self, stanza: Any) -> None:
            self.got.append(stanza)

        def start_stream_handler(self, xml: ET.Element) -> None:
            """Nothing is negotiated."""

        def abort(self) -> None:  # type: ignore[override]
            """The stream's end closes no connection."""

    client = cache(_Client)
    return Subject(
        open=lambda: StreamReader(lambda got: client().begin(got)),
        content=lambda stanza: stanza.xml,
    )


def adapter() -> Subject:
    """The same on xmppfast."""
    from xmppfast.adapters import slixmpp

    return replace(stock(), around=slixmpp.installed)


def adapter_receive() -> Subject:
    """The client on xmppfast."""
    from xmppfast.adapters import slixmpp

    return replace(receive(), around=slixmpp.installed)
