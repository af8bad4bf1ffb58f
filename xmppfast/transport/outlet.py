"""What is written in one turn of the event loop, gathered into one write for each connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from .tls import Tls


class PlainTurn:
    """Gathers what is written in one turn of the event loop; shared by its connections.

    gathers  whether the loop does that, too, for what is written to a transport. Then what comes of
             a read is sent when the read is done: the loop need not make another turn before it
             waits.
    """

    __slots__ = ("_reading", "_waiting", "gathers", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.gathers = type(loop).__module__.partition(".")[0] == "uvloop"
        self._reading = False
        self._waiting: list[PlainOutlet] = []

    def flush(self) -> None:
        """Flush the connections that wait for it."""
        waiting, self._waiting = self._waiting, []
        for outlet in waiting:
            try:
                outlet.flush()
            except Exception as error:  # the others are not to suffer
                complaint = {"message": "a connection failed", "exception": error}
                self.loop.call_exception_handler(complaint)
                outlet.abort()


class PlainOutlet:
    """The part of a connection that every stanza passes.

    turn     of the event loop it is used in
    receive  is given what comes
    secure   whether TLS is active
    """

    __slots__ = (
        "_closing",
        "_full",
        "_pending",
        "_pending_bytes",
        "_receive",
        "_tls",
        "_transport",
        "secure",
        "turn",
    )

    def __init__(self, turn: PlainTurn, receive: Callable[[bytes], None]) -> None:
        self.turn = turn
        self.secure = False
        self._receive = receive
        self._transport: asyncio.Transport | None = None
        self._pending: list[bytes] | None = None  # one made for each turn: idle ones need none
        self._pending_bytes = 0
        self._tls: Tls | None = None
        self._closing = False
        self._full: asyncio.Future[None] | None = None  # while the network takes nothing

    def write(self, data: bytes) -> None:
        """Queue bytes for the end of this turn; after `close` they are dropped."""
        if self._closing:
            return
        if self._pending is None:
            turn = self.turn
            if not turn._waiting and not turn._reading:
                turn.loop.call_soon(turn.flush)
            turn._waiting.append(self)
            self._pending = [data]
        else:
            self._pending.append(data)
        self._pending_bytes += len(data)

    def flush(self) -> None:
        """Send what was written."""
        pending = self._pending
        if pending is None or (self._tls is not None and not self.secure):
            return
        self._pending, self._pending_bytes = None, 0
        if self._closing or self._transport is None:
            return
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        if self._tls is None:
            self._send(data)
        else:
            self._encrypt(data)
        if self._full is not None:
            self._fell_behind()

    def direct(self, descriptor: int) -> None:
        """Say which socket it is, if what the transport has not got can be written there directly.

        Its number must stay that of this connection until `connection_lost`.
        """

    def _send(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self._transport is not None
        self._transport.write(data)

    def read(self, data: bytes) -> None:
        """Take what comes; what is written meanwhile is sent when that is done."""
        turn = self.turn
        turn._reading = True
        try:
            self._receive(data)
        finally:
            turn._reading = False
            turn.flush()

    # What a connection does in cases that are rare, or cost more than this does.

    def _encrypt(self, data: bytes) -> None:
        raise NotImplementedError

    def _fell_behind(self) -> None:
        raise NotImplementedError

    def abort(self) -> None:
        """Close now."""
        raise NotImplementedError


if TYPE_CHECKING:
    Turn = PlainTurn
    Outlet = PlainOutlet
else:
    try:
        from ._outlet import Outlet, Turn
    except ImportError:  # it could not be compiled here
        Turn, Outlet = PlainTurn, PlainOutlet
