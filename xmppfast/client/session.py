"""One session of a client: its connection, negotiation, then the stanzas."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ..core.errors import SaslError
from ..core.jid import JID
from ..core.stanza import KINDS
from ..protocol.accepting import StartTls
from ..protocol.connecting import Bound, Compute, Connecting, Failed, Tls, Want
from ..protocol.link import Link
from ..protocol.sasl.interface import ClientMechanism, ClientMechanisms
from ..protocol.stream import InitiatingStream, Phase
from ..xml import Stanza, StreamEnd, StreamError, StreamStart

# After the end of our side, what was on its way is still received (RFC 6120 section 4.4).
_RECEIVING = (Phase.OPEN, Phase.CLOSING)

MechanismsFor = Callable[[Link], ClientMechanisms]
"""Gives the ways to authenticate on a connection as it is at that moment."""


class Session:
    """Receives what the server sends.

    account     bare address
    resource    to ask for; None leaves it to the server
    tls         what is thought of STARTTLS
    mechanisms  called when the server says what it offers
    stanza      called for each stanza once there is a session; may be replaced
    over        called when the session is over that `bound` gave, with the reason

    bound       what negotiation led to; raises StreamError, SaslError, StanzaError, OSError or
                NegotiationError. Call `begin` then: nothing is received before.
    """

    def __init__(
        self,
        account: JID,
        resource: str | None,
        *,
        tls: Tls,
        mechanisms: MechanismsFor,
        stanza: Callable[[Stanza], None],
        over: Callable[[Session, Exception | None], None],
    ) -> None:
        self._account = account
        self._resource = resource
        self._tls = tls
        self._mechanisms = mechanisms
        self.stanza = stanza
        self._over = over
        self._link: Link | None = None
        self._negotiation: Connecting | None = None
        self._work: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._held = False
        self.bound: asyncio.Future[Bound] = asyncio.get_running_loop().create_future()
        self.bound.add_done_callback(_retrieve)
        self.stream = InitiatingStream(self._write, JID(None, account.domain))
        self.stream.closed = self._closed

    @property
    def link(self) -> Link:
        """The connection; it is there as soon as anything is received."""
        assert self._link is not None
        return self._link

    def send(self, data: bytes) -> None:
        """Send a serialized stanza. Raises `ConnectionError` when the session is over."""
        if self.stream.phase is not Phase.OPEN or self._link is None:
            raise ConnectionError("the session is over")
        self._link.write(data)

    def begin(self) -> None:
        """Receive stanzas, also those that came right behind the resource."""
        self._held = False
        self.received(b"")

    def close(self) -> None:
        """End the stream; the server ends its side, and the connection is closed."""
        self.stream.close()

    def abort(self) -> None:
        """Close the connection at once."""
        if self._link is not None:
            self._link.abort()

    # Receiver ------------------------------------------------------------------------------------

    def connected(self, link: Link) -> None:
        """The connection is there: begin to negotiate."""
        self._link = link
        self._negotiation = Connecting(
            self.stream, self._account, self, self._resource, self._tls, link.secure
        )
        self._negotiation.start()

    def received(self, data: bytes) -> None:
        """Bytes of the server."""
        try:
            events = self.stream.parser.feed(data)
            if self._held:
                return
            for event in events:
                if self._negotiation is not None:
                    want = self._negotiation.receive(event)
                    if want is not None:
                        self._negotiated(self._negotiation, want)
                        return
                    continue
                if type(event) is Stanza and event.name in KINDS:  # the way of nearly all
                    if self.stream.phase in _RECEIVING:
                        self.stanza(event)
                    continue
                self.receive(event)
        except StreamError as error:
            self.stream.fail(error)

    def receive(self, event: StreamStart | Stanza | StreamEnd) -> None:
        """Take an event, once there is a session, of whoever feeds the parser in our place."""
        stanza = self.stream.receive(event)
        if isinstance(stanza, Stanza):
            self.stanza(stanza)

    def overflowed(self) -> None:
        """The server does not read."""
        self._error = ConnectionError("the server does not read")
        self.abort()

    def ended(self) -> None:
        """The server sends no more."""
        if self.stream.phase is not Phase.CLOSED:
            self._error = self._error or ConnectionError("the server closed the connection")
        self.stream.close()
        self.link.close()

    def lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        if self._work is not None:
            self._work.cancel()
        reason = self.stream.error or self._error or error
        if not self.bound.done():
            self.bound.set_exception(reason or ConnectionError("the server closed the stream"))
        elif not self.bound.cancelled() and self.bound.exception() is None:
            self._over(self, reason)

    # ClientMechanisms ----------------------------------------------------------------------------

    def choose(
        self, offered: tuple[str, ...], channel_bindings: tuple[str, ...], tried: tuple[str, ...]
    ) -> ClientMechanism | None:
        """Choose a mechanism for the connection as it is now."""
        return self._mechanisms(self.link).choose(offered, channel_bindings, tried)

    # ---------------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        self.link.write(data)

    def _negotiated(self, negotiation: Connecting, want: Want) -> None:
        """Do what negotiation wants; nothing more is read from what came until it is done."""
        match want:
            case Bound():
                self._negotiation = None
                self._held = True
                if not self.bound.done():
                    self.bound.set_result(want)
            case Failed(error):
                self._negotiation = None
                if not self.bound.done():
                    self.bound.set_exception(error)
                self.link.close()
            case StartTls():
                # What came behind <proceed/> in the clear is dropped with the parser, and the
                # connection takes the next byte for TLS from here on.
                self._begin(self._start_tls(negotiation, self.link.start_tls()))
            case Compute(answer):
                self._held = True
                self._begin(self._compute(negotiation, answer))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = asyncio.get_running_loop().create_task(work)

    async def _start_tls(self, negotiation: Connecting, handshake: Awaitable[None]) -> None:
        try:
            await handshake
        except OSError as error:
            self._error = error
            self.abort()
        else:
            negotiation.secured()

    async def _compute(self, negotiation: Connecting, answer: Callable[[], bytes]) -> None:
        outcome: bytes | SaslError
        try:
            outcome = await asyncio.to_thread(answer)
        except SaslError as error:
            outcome = error
        want = negotiation.computed(outcome)
        if want is not None:
            self._negotiated(negotiation, want)
            return
        self._held = False
        self.received(b"")

    def _closed(self) -> None:
        self.link.close()


def _retrieve(future: asyncio.Future[Bound]) -> None:
    """Nobody may be waiting any more; asyncio need not say that nobody asked."""
    if not future.cancelled():
        future.exception()
