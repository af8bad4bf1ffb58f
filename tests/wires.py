"""The test's end of a connection to a server: in memory, over TCP, over TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Any

from xmppfast import Stanza, StreamEnd, StreamError, StreamParser, StreamStart

SUCCESS = "{urn:ietf:params:xml:ns:xmpp-sasl}success"
PROCEED = "{urn:ietf:params:xml:ns:xmpp-tls}proceed"

Event = StreamStart | Stanza | StreamEnd | StreamError | None
"""None: the connection is closed."""


class Wire:
    """Events of what the server sends, in a queue; streams restart where they have to."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.gone = False
        self._parser = StreamParser()

    def receive(self, data: bytes) -> None:
        """Bytes came from the server."""
        try:
            for event in self._parser.feed(data):
                self.events.put_nowait(event)
                if isinstance(event, Stanza) and event.tag == SUCCESS:
                    self._parser.restart()
                if isinstance(event, Stanza) and event.tag == PROCEED:
                    self._parser = StreamParser()
                    return
        except StreamError as error:
            self.events.put_nowait(error)

    def end(self) -> None:
        """The connection is closed."""
        self.gone = True
        self.events.put_nowait(None)

    def send(self, data: bytes) -> None:
        """Send bytes to the server."""
        raise NotImplementedError

    async def secure(self) -> None:
        """Negotiate TLS."""
        raise NotImplementedError

    def break_off(self) -> None:
        """Close without a word."""
        raise NotImplementedError


class MemoryLink:
    """The server's end of a connection in memory; see `xmppfast.protocol.link.Link`.

    What the server writes in one turn of the loop arrives in one piece; `writes` keeps the pieces.
    """

    def __init__(self, receiver: Any, wire: Wire, *, secure: bool, peer: str) -> None:
        self.peer = peer
        self.secure = secure
        self.channel_bindings: dict[str, bytes] = {}
        self.queued = 0
        self.writes: list[bytes] = []
        self.reading = True
        self.closed = False
        self.breaking = False  # the network has failed, and the server does not know yet
        self.handshake: asyncio.Future[None] | None = None
        self._receiver = receiver
        self._wire = wire
        self._out: list[bytes] = []
        self._in: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()
        receiver.connected(self)

    def write(self, data: bytes) -> None:
        if not self.closed:
            if not self._out:
                self._loop.call_soon(self._flush)
            self._out.append(data)

    def _flush(self) -> None:
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            self.writes.append(data)
            self._wire.receive(data)

    async def start_tls(self) -> None:
        self.handshake = self._loop.create_future()
        await self.handshake
        self.secure = True

    def pause(self) -> None:
        self.reading = False

    def resume(self) -> None:
        self.reading = True
        self._loop.call_soon(self._deliver)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.call_soon(self._lost)

    abort = close

    def break_off(self) -> None:
        """The network fails."""
        if not self.closed:
            self.breaking = True
            self.close()

    def _lost(self) -> None:
        self.breaking = False
        self._flush()
        self._wire.end()
        self._receiver.lost(None)

    def arrive(self, data: bytes) -> None:
        """Bytes come from the test."""
        self._in.append(data)
        self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        while self.reading and self._in and not self.closed:
            self._receiver.received(self._in.popleft())


class MemoryWire(Wire):
    """A connection in memory to a `Receiver`."""

    def __init__(self, receiver: Any, *, secure: bool = False, peer: str = "memory") -> None:
        super().__init__()
        self.link = MemoryLink(receiver, self, secure=secure, peer=peer)

    def send(self, data: bytes) -> None:
        self.link.arrive(data)

    async def secure(self) -> None:
        while self.link.handshake is None:
            await asyncio.sleep(0)
        self.link.handshake.set_result(None)
        await asyncio.sleep(0)

    def break_off(self) -> None:
        self.link.break_off()


class StreamWire(Wire, asyncio.Protocol):
    """A connection over TCP."""

    _transport: asyncio.Transport

    @classmethod
    async def open(cls, port: int, *, direct: bool = False) -> StreamWire:
        """Connect to a port of the loopback; TLS may begin with the first byte."""
        _, wire = await asyncio.get_running_loop().create_connection(
            cls, "127.0.0.1", port, ssl=_any_certificate() if direct else None
        )
        return wire

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.receive(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.end()

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    async def secure(self) -> None:
        transport = await asyncio.get_running_loop().start_tls(
            self._transport, self, _any_certificate()
        )
        assert transport is not None
        self._transport = transport

    def break_off(self) -> None:
        self._transport.abort()


def _any_certificate() -> ssl.SSLContext:
    # The test's server has made its own.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
