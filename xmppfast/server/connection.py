"""A client's connection to the server: its bytes, negotiation, and then its session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.dispatch import Outcome, Request, Target
from ..core.dispatcher import as_stanza_error
from ..core.errors import SaslCondition, SaslError, StanzaError
from ..core.stanza import error_reply, result
from ..protocol.accepting import Accepting, Ask, Bind, Respond, StartTls, Want
from ..protocol.link import Link
from ..protocol.sasl.interface import Challenge, Success
from ..protocol.stream import Phase, ReceivingStream
from ..xml import Stanza, StreamCondition, StreamEnd, StreamError, StreamStart
from .session import Session

if TYPE_CHECKING:
    from .server import Server

log = logging.getLogger("xmppfast.server")


class Connection:
    """Receives what a client sends: events go to the negotiation, once bound to the router.

    While something has to be waited for, nothing more is read: stanzas keep their order.
    """

    __slots__ = (
        "_gone",
        "_held",
        "_id",
        "_link",
        "_negotiation",
        "_server",
        "_session",
        "_stream",
        "_timer",
    )

    _link: Link
    _stream: ReceivingStream
    _negotiation: Accepting | None
    _timer: asyncio.TimerHandle | None

    def __init__(self, server: Server) -> None:
        self._server = server
        self._id = server.new_id()  # what its log lines have in common
        self._session: Session | None = None
        self._held = False
        self._gone = False

    # What the transport tells --------------------------------------------------------------------

    def connected(self, link: Link) -> None:
        """`Receiver.connected`."""
        server = self._server
        self._link = link
        self._stream = ReceivingStream(
            link.write, server.domains, server.new_id, server.settings.limits
        )
        self._stream.closed = self._closed
        self._negotiation = Accepting(
            self._stream, server.terms, partial(server.mechanisms, self._stream, link), link.secure
        )
        self._timer = asyncio.get_running_loop().call_later(
            server.settings.login_seconds, self._too_slow
        )
        server.connections.add(self)

    @property
    def queued(self) -> int:
        """Bytes written and not yet taken by the network."""
        return self._link.queued

    def received(self, data: bytes) -> None:
        """`Receiver.received`."""
        try:
            events = self._stream.parser.feed(data)
            if not self._held:
                self._read(events)
        except StreamError as error:
            self._stream.fail(error)

    def overflowed(self) -> None:
        """`Receiver.overflowed`."""
        self.end(StreamCondition.POLICY_VIOLATION, "you don't read what is sent to you")
        self._link.abort()

    def ended(self) -> None:
        """`Receiver.ended`: as if the stream had been ended too."""
        self._go()
        if not self._held:
            self._stream.close()
            self._link.close()

    def lost(self, error: Exception | None) -> None:
        """`Receiver.lost`."""
        self._go()
        self._server.forget(self)
        if not self._held:
            self._over()

    def _go(self) -> None:
        """Nothing can be delivered any more, even if what was received is still being handled."""
        self._gone = True
        if self._session is not None:
            self._server.registry.remove(self._session)

    # Events --------------------------------------------------------------------------------------

    def _read(self, events: Iterator[StreamStart | Stanza | StreamEnd]) -> None:
        accept = self._server.router.accept
        for event in events:
            session = self._session
            if session is not None and type(event) is Stanza:
                outcome = accept(session, event)
            else:
                outcome = self._negotiate(event)
            if outcome is not None:
                self._hold(outcome)
                return

    def _hold(self, outcome: Awaitable[None], *, reading: bool = False) -> None:
        """Leave everything unread until something is done."""
        self._held = True
        if not reading:
            self._link.pause()
        self._server.spawn(self._wait(outcome))

    async def _wait(self, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        except Exception as error:
            log.error("a session failed", exc_info=error, extra={"session": self._id})
            self.end(StreamCondition.INTERNAL_SERVER_ERROR)
        self._held = False
        if self._stream.phase is not Phase.CLOSED:
            self._link.resume()
            self.received(b"")
        if self._gone and not self._held:
            self._over()

    # Negotiation ---------------------------------------------------------------------------------

    def _negotiate(self, event: StreamStart | Stanza | StreamEnd) -> Outcome:
        """Take what is not a stanza of a session."""
        negotiation = self._negotiation
        if negotiation is None:
            self._stream.receive(event)
            return None
        want = negotiation.receive(event)
        return None if want is None else self._do(negotiation, want)

    def _do(self, negotiation: Accepting, want: Want) -> Coroutine[Any, Any, None]:
        match want:
            case StartTls():
                return self._start_tls(negotiation)
            case Respond():
                return self._respond(negotiation, want)
            case Ask(stanza):
                return self._ask(stanza)
            case Bind():
                return self._bind(negotiation, want)

    async def _start_tls(self, negotiation: Accepting) -> None:
        if self._anything_unread():
            negotiation.refuse()
            return
        negotiation.proceed()
        try:
            await self._link.start_tls()
        except OSError as error:
            log.info("no TLS with %s: %s", self._link.peer, error, extra={"session": self._id})
            self._stream.secured()  # the parser is closed, and there is nothing to read
            self._link.abort()
            return
        negotiation.secured()

    def _anything_unread(self) -> bool:
        """Whether bytes came that TLS won't protect; the parser is of no use afterwards."""
        parser = self._stream.parser
        try:
            if next(parser.feed(b""), None) is not None:
                return True
            parser.close()
        except StreamError:
            return True
        return False

    async def _respond(self, negotiation: Accepting, want: Respond) -> None:
        outcome: Challenge | Success | SaslError
        try:
            outcome = await want.mechanism.respond(want.data)
        except SaslError as error:
            outcome = error
        except StanzaError as error:  # too many at once, says who should have hashed the password
            outcome = SaslError(SaslCondition.TEMPORARY_AUTH_FAILURE, error.text)
        except Exception as error:
            log.error("authentication failed", exc_info=error, extra={"session": self._id})
            outcome = SaslError(SaslCondition.TEMPORARY_AUTH_FAILURE)
        if isinstance(outcome, SaslError):
            log.info("no login from %s: %s", self._link.peer, outcome, extra={"session": self._id})
        if self._stream.phase is Phase.OPEN:
            negotiation.responded(outcome)

    async def _ask(self, stanza: Stanza) -> None:
        domain = self._stream.domain
        try:
            request = Request(
                stanza,
                domain,
                domain,
                None,
                lambda request, payload: self._link.write(result(stanza.id or "", payload)),
            )
            outcome = self._server.dispatcher.answer(request, Target.STREAM)
            if outcome is not None:
                await outcome
        except Exception as error:
            refused = as_stanza_error(error, stanza)
            self._link.write(error_reply(stanza, refused, to=None, from_=None))

    async def _bind(self, negotiation: Accepting, want: Bind) -> None:
        server = self._server
        try:
            session = await server.new_session(want.jid, self._link, self._stream)
        except StanzaError as error:
            negotiation.not_bound(error)
            return
        if self._stream.phase is not Phase.OPEN or self._gone:
            server.end_session(session)
            return
        negotiation.bound(session.jid)
        server.registry.add(session)
        self._session = session
        self._negotiation = None
        self._stop_timer()
        log.info(
            "%s is connected from %s", session.address, self._link.peer, extra={"session": self._id}
        )

    def _too_slow(self) -> None:
        self.end(StreamCondition.CONNECTION_TIMEOUT, "negotiation took too long")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # The end -------------------------------------------------------------------------------------

    def end(self, condition: StreamCondition, text: str = "") -> None:
        """Close the stream with an error."""
        self._stream.fail(StreamError(condition, text))

    def _closed(self) -> None:
        """The stream is closed: nothing more is read, and the connection goes with what is out."""
        if self._stream.error is not None:
            who = self._session.address if self._session else self._link.peer
            log.info(
                "stream of %s closed: %s", who, self._stream.error, extra={"session": self._id}
            )
        self._link.close()
        self._over()

    def _over(self) -> None:
        self._negotiation = None
        self._stop_timer()
        if self._session is not None:
            session, self._session = self._session, None
            self._server.end_session(session)
