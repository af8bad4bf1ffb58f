"""A TCP connection, as a `protocol.link.Link`; with TLS where it is asked for.

TLS is done here on memory buffers and not by asyncio's own layer. So it begins between two bytes,
what is queued is known exactly, and a connection needs no read buffer of 256 KiB.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from sys import intern
from typing import Final, cast

from ..protocol.link import Link, Receiver
from ..protocol.sasl.interface import ChannelBindings
from .backlog import LITTLE, Backlog
from .outlet import Outlet, Turn
from .silence import notice_silence
from .tls import Tls, TlsRole

# Seconds for the handshake, and for the peer to take what is left to read and close its side.
_HANDSHAKE = 30.0
_LINGER = 5.0


class Connection(Outlet, asyncio.Protocol):
    """A connection between a socket and a receiver.

    turn      of the event loop it is used in
    receiver  whom to tell
    tls       gives what is needed for TLS when it begins; None if there is no TLS
    direct    whether TLS begins with the first byte
    backlog   what bounds the bytes that wait; the receiver is told that the peer does not read
    listened  whether the socket has what `notice_silence` sets from the one that it was accepted by
    """

    __slots__ = (
        "_backlog",
        "_behind",
        "_direct",
        "_ended",
        "_failure",
        "_gone",
        "_handshake",
        "_introduced",
        "_listened",
        "_lost",
        "_overflowed",
        "_paused",
        "_ready",
        "_receiver",
        "_role",
        "_timer",
        "data_received",
        "peer",
    )

    def __init__(
        self,
        turn: Turn,
        receiver: Receiver,
        *,
        tls: Callable[[], TlsRole] | None,
        direct: bool = False,
        backlog: Backlog | None = None,
        listened: bool = False,
    ) -> None:
        super().__init__(turn, receiver.received)
        self.peer = ""
        self._receiver = receiver
        self._role = tls
        self._direct = direct
        self._backlog = backlog or Backlog()
        self._listened = listened
        self._behind = False  # the backlog counts what waits
        self._handshake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._ended = False
        self._introduced = False  # the receiver knows of the connection
        self._overflowed = False
        self._failure: Exception | None = None  # why there is no TLS
        self._lost = False
        # There only while somebody waits: for TLS from the first byte, for the end.
        self._ready: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        # Looked up by asyncio for all data: nothing in between that is not needed.
        heard = self.read if turn.gathers else receiver.received
        self.data_received: Callable[[bytes], None] = heard  # type: ignore[assignment]

    # Link ----------------------------------------------------------------------------------------

    @property
    def channel_bindings(self) -> ChannelBindings:
        """Channel binding data by type; empty without TLS."""
        return self._tls.channel_bindings() if self._tls is not None and self.secure else {}

    @property
    def queued(self) -> int:
        """Bytes written and not yet taken by the network; TLS adds a few to them."""
        buffered = self._transport.get_write_buffer_size() if self._transport else 0
        return self._pending_bytes + buffered

    @property
    def descriptor(self) -> int | None:
        """The socket's file descriptor; None without one. What is written there overtakes us."""
        if self._transport is None:
            return None
        socket = self._transport.get_extra_info("socket")
        return None if socket is None else cast(int, socket.fileno())

    def hear(self, received: Callable[[bytes], None]) -> None:
        """Give data to that function, instead of the receiver. RuntimeError with TLS."""
        if self._tls is not None:
            raise RuntimeError("what comes over TLS goes to the receiver")
        self._hear(received)

    def start_tls(self) -> asyncio.Future[None]:
        """Negotiate TLS. The next byte from the network belongs to it, and none goes out before.

        Raises RuntimeError where there is no TLS or it has begun; the future raises ssl.SSLError or
        OSError.
        """
        if self._role is None or self._tls is not None:
            raise RuntimeError("no TLS for this connection, or it has begun")
        self.flush()
        handshake = self.turn.loop.create_future()
        self._tls = Tls(self._role())
        self._handshake = handshake
        self._hear(self._shake)
        if self._transport is not None:
            self._transport.resume_reading()
        self._timer = self.turn.loop.call_later(_HANDSHAKE, self._handshake_timeout)
        self._shake(b"")
        return handshake

    def pause(self) -> None:
        """Read nothing more for now."""
        self._paused = True
        if self._transport is not None and self._handshake is None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if not self._paused:
            return
        self._paused = False
        if self.secure:
            self.turn.loop.call_soon(self._read_on)
        elif self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close once what was written is out and the peer closes, or after five seconds.

        Closing at once, with something unread, would reset the connection, and with that take from
        the peer what was written last.
        """
        if self._closing or self._transport is None:
            return
        self.flush()
        self._closing = True
        self._hear(_nothing)
        if self._transport.is_closing():
            return
        if self._tls is not None and self.secure:
            self._tls.finish()
            self._send_tls()
        if self._ended or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._transport.resume_reading()
            self._transport.write_eof()
        self._stop_timer()
        self._timer = self.turn.loop.call_later(_LINGER, self._transport.abort)

    def abort(self) -> None:
        """Close now; what was written may be lost."""
        self._closing = True
        self._hear(_nothing)
        if self._transport is not None:
            self._transport.abort()

    def _encrypt(self, data: bytes) -> None:
        assert self._tls is not None
        try:
            self._tls.write(data)
            self._send_tls()
        except ssl.SSLError:
            self.abort()

    def _fell_behind(self) -> None:
        if self._transport is None or self._overflowed:
            return
        waiting = self._transport.get_write_buffer_size()
        if waiting > LITTLE:
            self._behind = True
            self._backlog.note(self, waiting)

    def overflow(self) -> None:
        """Tell the receiver that the peer does not read."""
        if not self._overflowed:
            self._overflowed = True
            self._behind = False
            self._receiver.overflowed()

    def overflow_soon(self) -> None:
        """Do so in a turn of its own: what goes wrong with it is no matter of who writes now."""
        self.turn.loop.call_soon(self.overflow)

    def _caught_up(self) -> None:
        if self._behind:
            self._behind = False
            self._backlog.note(self, 0)

    async def drained(self) -> None:
        """Wait until the network has taken most of what was written, or the connection is gone."""
        if self._pending:
            await asyncio.sleep(0)
        if self._full is not None:
            await asyncio.shield(self._full)

    async def ready(self) -> None:
        """Wait until the receiver was told of the connection. OSError if that will not be."""
        if not self._introduced and self._failure is None:
            self._ready = self.turn.loop.create_future()
            await self._ready
        if self._failure is not None:
            raise self._failure

    async def finished(self) -> None:
        """Wait until the connection is gone, and the receiver knows."""
        if not self._lost:
            if self._gone is None:
                self._gone = self.turn.loop.create_future()
            await asyncio.shield(self._gone)

    # asyncio.Protocol ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        # uvloop's has the methods of asyncio.Transport, but is none.
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername")
        # One text for all that come from there.
        self.peer = intern(name[0] if isinstance(name, tuple) else str(name or ""))
        if self.turn.gathers and (descriptor := self.descriptor) is not None:
            self.direct(descriptor)
        if not self._listened:
            with suppress(OSError):  # it may be closed already
                notice_silence(transport.get_extra_info("socket"))
        if not self._direct:
            self._introduce()
            return
        self.start_tls().add_done_callback(self._direct_tls)

    def pause_writing(self) -> None:
        """The network does not take what is sent."""
        self._full = self.turn.loop.create_future()

    def resume_writing(self) -> None:
        """The network has taken it."""
        self._caught_up()
        _settle(self._full)
        self._full = None

    def eof_received(self) -> bool:
        """The peer sends no more; True keeps the other direction open."""
        if self._handshake is not None:
            self._fail_handshake(ConnectionError("the peer closed during the TLS handshake"))
            return False
        if self._closing:
            return False
        self._end()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is closed."""
        self._closing = True
        self._hear(_nothing)
        self._stop_timer()
        self._pending, self._pending_bytes = None, 0
        if self._handshake is not None:
            self._fail_handshake(error or ConnectionError("closed during the TLS handshake"))
        self._transport = None
        self.direct(-1)
        self.resume_writing()
        if self._introduced:
            self._receiver.lost(error)
        self._lost = True
        _settle(self._gone)
        # Both know this connection: what is left of it would wait for the garbage collector.
        self._receiver = _NOBODY
        self.data_received = _nothing

    # TLS -----------------------------------------------------------------------------------------

    def _shake(self, data: bytes) -> None:
        assert self._tls is not None
        assert self._handshake is not None
        try:
            complete = self._tls.handshake(data)
        except ssl.SSLError as error:
            self._send_tls()
            self._fail_handshake(error)
            return
        self._send_tls()
        if not complete:
            return
        self._stop_timer()
        self.secure = True
        handshake, self._handshake = self._handshake, None
        if not handshake.done():
            handshake.set_result(None)
        self.flush()
        self._hear(self._decrypt)
        assert self._transport is not None
        self._transport.pause_reading()
        # Who waits for the handshake runs in the next turn; data must not come before that.
        self.turn.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._transport is not None and not self._closing and not self._paused:
            self._transport.resume_reading()
            try:
                self._decrypt(b"")
            except Exception:
                self.abort()  # as asyncio does for what it calls itself
                raise

    def _decrypt(self, data: bytes) -> None:
        tls, received = self._tls, self._receiver.received
        assert tls is not None
        try:
            tls.feed(data)
            while content := tls.read():
                received(content)
                if self._closing:
                    return
        except ssl.SSLError:
            self._send_tls()
            self.abort()
            return
        self._send_tls()
        if tls.ended:
            self._end()

    def _send_tls(self) -> None:
        assert self._tls is not None
        data = self._tls.outgoing()
        if data and self._transport is not None:
            self._send(data)

    def _handshake_timeout(self) -> None:
        self._fail_handshake(TimeoutError("the TLS handshake takes too long"))

    def _fail_handshake(self, error: Exception) -> None:
        handshake, self._handshake = self._handshake, None
        self._stop_timer()
        self._hear(_nothing)
        if handshake is not None and not handshake.done():
            handshake.set_exception(error)
        if self._transport is not None:
            self._transport.close()

    def _direct_tls(self, handshake: asyncio.Future[None]) -> None:
        error = None if handshake.cancelled() else handshake.exception()
        if error is None and self._transport is not None:
            self._introduce()
            return
        self._failure = cast(Exception | None, error) or ConnectionError("the connection is closed")
        _settle(self._ready)

    # ---------------------------------------------------------------------------------------------

    def _introduce(self) -> None:
        self._introduced = True
        _settle(self._ready)
        self._receiver.connected(self)

    def _hear(self, receive: Callable[[bytes], None]) -> None:
        self._receive = receive
        if not self.turn.gathers:
            self.data_received = receive

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._receiver.ended()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _settle(waiting: asyncio.Future[None] | None) -> None:
    """Let those go on who wait for that, if there are any."""
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def _nothing(data: bytes) -> None:
    """Drop what comes after the end."""


class _Nobody:
    """The receiver when all is said."""

    def connected(self, link: Link) -> None:
        """`Receiver.connected`."""

    def received(self, data: bytes) -> None:
        """`Receiver.received`."""

    def overflowed(self) -> None:
        """`Receiver.overflowed`."""

    def ended(self) -> None:
        """`Receiver.ended`."""

    def lost(self, error: Exception | None) -> None:
        """`Receiver.lost`."""


_NOBODY: Final = _Nobody()
