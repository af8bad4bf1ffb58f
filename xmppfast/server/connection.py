"""A client's connection to the server: its bytes, negotiation, and then its session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from ..core.dispatch import Outcome, Request, Target
from ..core.dispatcher import as_stanza_error
from ..core.errors import SaslCondition, SaslError, StanzaCondition, StanzaError
from ..core.stanza import error_reply, result
from ..protocol.accepting import Accepting, Ask, Bind, Respond, StartTls, Want
from ..protocol.link import Link
from ..protocol.sasl.interface import Challenge, Step, Success
from ..protocol.stream import Phase, ReceivingStream
from ..xml import Stanza, StreamCondition, StreamEnd, StreamError, StreamStart
from .lodging import Away, accept_away
from .session import Session
from .turns import STANZAS

if TYPE_CHECKING:
    from .server import Server

log = logging.getLogger("xmppfast.server")


class Connection:
    """Receives what a client sends: events go to the negotiation, once bound to the router.

    While something has to be waited for, nothing more is read: stanzas keep their order. Nor is it
    while the connection has to wait for its turn, or has sent more than it may.
    """

    __slots__ = (
        "_accept",
        "_bytes_left",
        "_ended",
        "_gone",
        "_handling",
        "_held",
        "_id",
        "_link",
        "_negotiation",
        "_server",
        "_session",
        "_since",
        "_stanzas_left",
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
        self._accept: Callable[[Session, Stanza], Outcome] = server.accept
        self._held = False  # nothing is read, whatever for
        self._handling: asyncio.Task[None] | None = None  # that, if it is for this
        self._ended = False
        self._gone = False
        # What it may send before it is looked how long it took for that; since when it counts.
        self._bytes_left = server.per_session.bytes_per_second
        self._stanzas_left = server.per_session.stanzas_per_second
        self._since = 0.0

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
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        self._timer = loop.call_later(server.settings.login_seconds, self._too_slow)
        server.connections.add(self)
        server.reclaiming.connected(len(server.connections))
        seconds = server.addresses.connected(link.peer)
        if seconds is None:
            self.end(StreamCondition.POLICY_VIOLATION, "too many connections from your address")
        elif server.unauthenticated > server.settings.quotas.unauthenticated:
            self.end(StreamCondition.RESOURCE_CONSTRAINT, "too many clients are logging in")
        elif seconds:
            self._slow_down(seconds)

    @property
    def queued(self) -> int:
        """Bytes written and not yet taken by the network."""
        return self._link.queued

    def received(self, data: bytes) -> None:
        """`Receiver.received`."""
        self._bytes_left -= len(data)
        try:
            events = self._stream.parser.feed(data)
            if not self._held:
                self._read(events)
            elif data:
                # More than this is not taken before it is needed.
                self._link.pause()
            if self._negotiation is not None:
                self._negotiation.fed(len(data))
        except StreamError as error:
            self._stream.fail(error)

    def overflowed(self) -> None:
        """`Receiver.overflowed`."""
        self.end(StreamCondition.POLICY_VIOLATION, "you don't read what is sent to you")
        self._link.abort()

    def ended(self) -> None:
        """`Receiver.ended`: as if the stream had been ended too, once all before it is handled."""
        if self._held:
            self._ended = True
            return
        self._go()
        self._stream.close()
        self._link.close()

    def lost(self, error: Exception | None) -> None:
        """`Receiver.lost`."""
        self._go()
        self._server.forget(self)
        self._server.addresses.disconnected(self._link.peer)
        if not self._held:
            self._over()
        # The stream knows the connection: both would wait for the garbage collector.
        self._stream.closed = _nothing

    def _go(self) -> None:
        """Nothing can be delivered any more, even if what was received is still being handled."""
        self._gone = True
        if self._session is not None:
            self._server.leave(self._session)

    # Events --------------------------------------------------------------------------------------

    def _read(self, events: Iterator[StreamStart | Stanza | StreamEnd]) -> None:
        server = self._server
        accept = self._accept
        left = STANZAS
        for event in events:
            session = self._session
            if session is not None and type(event) is Stanza:
                outcome = accept(session, event)
            else:
                outcome = self._negotiate(event)
            left -= 1
            if outcome is not None:
                # Mostly the peer waits, too: it is not paused until it sends something.
                self._held = True
                self._handling = server.spawn(self._wait(outcome))
                break
            if not left:
                self._pause()
                server.turns.wait(self)
                break
        self._stanzas_left -= STANZAS - left
        if self._bytes_left < 0 or self._stanzas_left < 0:
            self._look_at_rate()

    def _pause(self) -> None:
        """Leave everything unread until `go_on`."""
        self._held = True
        self._link.pause()

    def _look_at_rate(self) -> None:
        """Slow down a connection that took less time than it should have for what it sent.

        Only who has sent a second's worth is looked at, so others don't cost a look at the clock.
        """
        quotas = self._server.per_session
        due = 1 - min(
            self._bytes_left / quotas.bytes_per_second,
            self._stanzas_left / quotas.stanzas_per_second,
        )
        now = asyncio.get_running_loop().time()
        seconds = max(0.0, due - (now - self._since))
        if seconds and self._held:
            return  # it is looked at again when it goes on
        self._bytes_left = quotas.bytes_per_second
        self._stanzas_left = quotas.stanzas_per_second
        self._since = now + seconds
        if seconds:
            self._slow_down(seconds)

    def _slow_down(self, seconds: float) -> None:
        self._pause()
        asyncio.get_running_loop().call_later(seconds, self.go_on)

    def go_on(self) -> None:
        """Read again: what the connection had to wait for has come."""
        self._held = False
        if self._stream.phase is not Phase.CLOSED:
            self._link.resume()
            self.received(b"")
        if self._ended and not self._held:
            self._ended = False
            self.ended()
        if self._gone and not self._held:
            self._over()

    async def _wait(self, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        except Exception as error:
            log.error("a session failed", exc_info=error, extra={"session": self._id})
            self.end(StreamCondition.INTERNAL_SERVER_ERROR)
        self._handling = None
        self.go_on()

    # Negotiation ---------------------------------------------------------------------------------

    def _negotiate(self, event: StreamStart | Stanza | StreamEnd) -> Outcome:
        """Take what is not a stanza of a session."""
        negotiation = self._negotiation
        if negotiation is None:
            self._stream.receive(event)
            return None
        want = negotiation.receive(event)
        return None if want is None else self._do(negotiation, want)

    def _do(self, negotiation: Accepting, want: Want) -> Outcome:
        match want:
            case StartTls():
                # What comes now belongs to TLS.
                self._link.pause()
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

    def _respond(self, negotiation: Accepting, want: Respond) -> Outcome:
        try:
            if not self._server.addresses.may_log_in(self._link.peer):
                raise StanzaError(
                    StanzaCondition.POLICY_VIOLATION,
                    "too many logins from your address have failed: try again later",
                )
            step = want.mechanism.respond(want.data)
        except Exception as error:
            negotiation.responded(self._refusal(error))
            return None
        if isinstance(step, Challenge | Success):
            negotiation.responded(step)
            return None
        return self._respond_later(negotiation, step)

    async def _respond_later(self, negotiation: Accepting, step: Awaitable[Step]) -> None:
        outcome: Step | SaslError
        try:
            outcome = await step
        except Exception as error:
            outcome = self._refusal(error)
        if self._stream.phase is Phase.OPEN:
            negotiation.responded(outcome)

    def _refusal(self, error: Exception) -> SaslError:
        """What is said about an exception of a mechanism; a wrong password counts."""
        match error:
            case SaslError():
                refusal = error
            case StanzaError():  # there is too much of that, whatever the password is
                refusal = SaslError(SaslCondition.TEMPORARY_AUTH_FAILURE, error.text)
            case _:
                log.error("authentication failed", exc_info=error, extra={"session": self._id})
                refusal = SaslError(SaslCondition.TEMPORARY_AUTH_FAILURE)
        peer = self._link.peer
        log.info("no login from %s: %s", peer, refusal, extra={"session": self._id})
        if refusal.condition is SaslCondition.NOT_AUTHORIZED and not self._gone:
            self._server.addresses.failed(peer)
        return refusal

    async def _ask(self, stanza: Stanza) -> None:
        domain = self._stream.domain
        try:
            if stanza.type == "set" and not self._server.addresses.may_register(self._link.peer):
                raise StanzaError(
                    StanzaCondition.RESOURCE_CONSTRAINT,
                    "too many accounts were made from your address: try again later",
                )
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
        server.begin_session(session)
        if isinstance(session, Away):
            self._accept = accept_away
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
        error = self._stream.error
        if error is not None:
            who = self._session.address if self._session else self._link.peer
            log.info("stream of %s closed: %s", who, _reason(error), extra={"session": self._id})
        self._link.close()
        self._over()

    def _over(self) -> None:
        self._negotiation = None
        self._stop_timer()
        if self._session is not None:
            session, self._session = self._session, None
            self._server.end_session(session, self._handling)


def _nothing() -> None:
    """Nobody is there to be told."""


def _reason(error: StreamError) -> str:
    """The error for the log; what was found elsewhere than in the peer's bytes has no place."""
    text = f": {error.text}" if error.text else ""
    place = f" (at byte {error.offset})" if error.offset else ""
    return f"{error.condition.value}{text}{place}"
