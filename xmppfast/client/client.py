"""A client (RFC 6120, RFC 6121)."""

from __future__ import annotations

import asyncio
import logging
import random
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from ..core.dispatch import Feature, IqHandler, OnIq, Target
from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.namespaces import CLIENT, ROSTER
from ..core.stanza import element, serialize, stanza
from ..protocol.sasl.password import prepare
from ..protocol.stream import Phase
from ..transport.dns import Endpoint
from ..xml import Stanza, StreamCondition
from .connector import Address, Connector, Established, redirection
from .defaults import features as default_features
from .errors import AuthenticationFailed, ClientError, Disconnected
from .events import Message, Presence
from .host import ClientHost
from .inbox import Handler, Inbox, call_all
from .roster import Roster
from .session import Session

log = logging.getLogger("xmppfast.client")

_VERSIONING = "{urn:xmpp:features:rosterver}ver"

# Seconds before the first and between later attempts to connect again; each is shortened by chance
# to as little as half, so that clients don't all come back at the same moment.
_FIRST_DELAY, _LONGEST_DELAY = 1.0, 60.0

# Seconds that the server has for ending its side of the stream.
_CLOSING = 5.0

# Bytes queued before those who send have to wait.
_QUEUED = 256 * 1024

# The server has ended our session for a reason that coming back does not change.
_FINAL = {
    StreamCondition.CONFLICT,
    StreamCondition.HOST_GONE,
    StreamCondition.HOST_UNKNOWN,
    StreamCondition.NOT_AUTHORIZED,
    StreamCondition.POLICY_VIOLATION,
}

_H = TypeVar("_H", bound=Callable[..., Any])


class Client:
    """A client of one account, for use with `async with`.

        async with Client("alice@example.org", password) as client:
            await client.send_message("bob@example.org", "hello")
            async for message in client.messages():
                print(message.from_, message.body)

    Entering it connects: the server is looked up (SRV, direct TLS first), its certificate verified,
    a resource bound, the roster fetched, and available presence sent. Later losses of the
    connection are repaired in the background; what was sent shortly before may be lost then.

    jid        bare or full address; with a full one, the resource that is asked for
    password   of the account
    address    how to reach the server if not as its DNS says, see `Address`
    features   further features, made for the host they are given (see `core.dispatch`)
    available  whether to send available presence, without which the server delivers no messages
    reconnect  whether to connect again when the connection is lost
    timeout    seconds to wait for answers

    jid     full address while there is a session, otherwise the bare one
    roster  the roster, a mapping of `RosterItem` by bare address

    Raises InvalidJID (a ValueError), and ValueError for a password that can't be prepared. Entering
    raises a ClientError: `ConnectFailed`, `AuthenticationFailed` or `Disconnected`; OSError or
    ValueError for a file with authorities that is not there or has none.
    """

    def __init__(
        self,
        jid: str | JID,
        password: str,
        *,
        address: Address | None = None,
        features: Callable[[ClientHost], Iterable[Feature]] | None = None,
        available: bool = True,
        reconnect: bool = True,
        timeout: float = 30.0,
    ) -> None:
        full = JID.parse(jid) if isinstance(jid, str) else jid
        if full.local is None:
            raise ValueError(f"{full} is a server's address, not an account's")
        prepare(password)
        self._account = full.bare
        self._connector = Connector(full.bare, full.resource, password, address or Address())
        self._host = ClientHost(full.bare, self._write, self._deliver, timeout)
        self._host.install(default_features(self._host))
        self._host.install([Feature("roster", (self._pushes(),))])
        if features is not None:
            self._host.install(features(self._host))
        self.roster = Roster(self._ask_account)
        self._presence = serialize(stanza("presence")) if available else None
        self._reconnect = reconnect
        self._established: Established | None = None
        self._ready = asyncio.Event()
        self._end: ClientError | None = None
        self._closing = False
        self._on_message: tuple[Handler[Message], ...] = ()
        self._on_presence: tuple[Handler[Presence], ...] = ()
        self._messages: Inbox[Message] = Inbox(self._pause, self._resume)
        self._calls: Inbox[tuple[tuple[Handler[Any], ...], Any]] = Inbox(self._pause, self._resume)
        self._repair: asyncio.Task[None] | None = None
        self._caller: asyncio.Task[None] | None = None

    # Beginning and end ---------------------------------------------------------------------------

    @property
    def jid(self) -> JID:
        """Own address, full while there is a session."""
        return self._host.jid

    @property
    def host(self) -> ClientHost:
        """What functions of extensions are given to ask with, such as those in `xmppfast.xep`."""
        return self._host

    async def __aenter__(self) -> Self:
        self._caller = asyncio.get_running_loop().create_task(call_all(self._calls))
        try:
            await self._connect(None)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session in an orderly way: the server ends its side of the stream, too."""
        self._closing = True
        if self._repair is not None:
            self._repair.cancel()
            await asyncio.gather(self._repair, return_exceptions=True)
        established = self._established
        if established is not None:
            if self._presence is not None and established.session.stream.phase is Phase.OPEN:
                established.session.send(b"<presence type='unavailable'/>")
            established.session.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING):
                    await established.connection.finished()
            established.session.abort()
            await established.connection.finished()
        self._finish(None)
        await self._host.close()
        if self._caller is not None and self._caller is not asyncio.current_task():
            await asyncio.wait((self._caller,), timeout=_CLOSING)
            self._caller.cancel()

    # Messages ------------------------------------------------------------------------------------

    async def send_message(
        self,
        to: str | JID,
        body: str | None = None,
        *,
        type: str = "chat",
        subject: str | None = None,
        thread: str | None = None,
        content: Iterable[ET.Element] = (),
    ) -> str:
        """Send a message; returns its id.

        content  further elements

        Waits while there is no session, or much to send. Raises ValueError for what XML can't
        carry, and a ClientError if the client has given up.
        """
        id = self._host.new_id()
        message = stanza(
            "message",
            *(
                element(f"{{{CLIENT}}}{name}", None, text)
                for name, text in (("subject", subject), ("body", body), ("thread", thread))
                if text is not None
            ),
            *content,
            to=to,
            type=type,
            id=id,
        )
        await self.send(message)
        return id

    async def send(self, what: ET.Element) -> None:
        """Send a stanza (see `core.stanza.stanza`); waits and raises as `send_message` does."""
        data = serialize(what)
        connection = (await self._session()).connection
        self._write(data)
        if connection.queued > _QUEUED:
            await connection.drained()

    def messages(self) -> AsyncIterator[Message]:
        """Messages in the order they came, from the beginning of the session.

        Those that handlers were called with (`on_message`) are not among them. Ends when the client
        is closed, raises a ClientError when it has given up.
        """
        return self._messages.read()

    def on_message(self, handler: _H) -> _H:
        """Have each message given to this function, plain or async, one after the other."""
        self._on_message = (*self._on_message, handler)
        return handler

    # Presence and subscriptions ------------------------------------------------------------------

    async def send_presence(
        self,
        type: str | None = None,
        *,
        to: str | JID | None = None,
        show: str | None = None,
        status: str | None = None,
        priority: int | None = None,
    ) -> None:
        """Send presence; without `to` it is what every session begins with from now on.

        type      None for available, or "unavailable" (RFC 6121 section 4)
        show      "away", "chat", "dnd" or "xa"
        priority  -128 to 127
        """
        presence = stanza(
            "presence",
            *(
                element(f"{{{CLIENT}}}{name}", None, text)
                for name, text in (
                    ("show", show),
                    ("status", status),
                    ("priority", None if priority is None else str(priority)),
                )
                if text is not None
            ),
            to=to,
            type=type,
        )
        if to is None:
            self._presence = serialize(presence) if type is None else None
        await self.send(presence)

    def on_presence(self, handler: _H) -> _H:
        """Have each presence stanza given to this function, plain or async, in order."""
        self._on_presence = (*self._on_presence, handler)
        return handler

    async def subscribe(self, jid: str | JID) -> None:
        """Ask to see a contact's presence (RFC 6121 section 3.1)."""
        await self._subscription(jid, "subscribe")

    async def approve(self, jid: str | JID) -> None:
        """Let a contact see our presence; also before it asks, where the server knows how."""
        await self._subscription(jid, "subscribed")

    async def unsubscribe(self, jid: str | JID) -> None:
        """See a contact's presence no more."""
        await self._subscription(jid, "unsubscribe")

    async def refuse(self, jid: str | JID) -> None:
        """Refuse a contact's request, or take back its subscription."""
        await self._subscription(jid, "unsubscribed")

    async def _subscription(self, jid: str | JID, type: str) -> None:
        contact = JID.parse(jid) if isinstance(jid, str) else jid
        await self.send(stanza("presence", to=contact.bare, type=type))

    # Requests ------------------------------------------------------------------------------------

    async def iq(self, type: str, payload: ET.Element, to: str | JID | None = None) -> Stanza:
        """Send a request, "get" or "set", and return the result.

        to  None for the own account

        Raises StanzaError with what the answer says if it is an error, TimeoutError without an
        answer in time, ConnectionError if the session ends before, and a ClientError if the client
        has given up.
        """
        await self._session()
        return await self._host.request(JID.parse(to) if isinstance(to, str) else to, type, payload)

    def on_iq(self, tag: str, type: str = "get") -> Callable[[IqHandler], IqHandler]:
        """Have requests answered by the function this decorates.

        tag  Clark name of the payload

        The function is given a `core.dispatch.Request` and returns the result's payload or None.
        """

        def install(handler: IqHandler) -> IqHandler:
            self._host.answer(tag, type, handler)
            return handler

        return install

    # ---------------------------------------------------------------------------------------------

    def _pushes(self) -> OnIq:
        return OnIq(
            f"{{{ROSTER}}}query",
            Target.CLIENT,
            set=lambda request: self.roster.pushed(request, self._account),
        )

    async def _ask_account(self, type: str, payload: ET.Element) -> Stanza:
        return await self._host.request(None, type, payload)

    async def _session(self) -> Established:
        """Wait for the session if there is going to be one."""
        while True:
            if self._end is not None:
                raise self._end
            if self._established is not None and self._ready.is_set():
                return self._established
            if self._closing or self._caller is None:
                raise Disconnected("the client is not connected; use it with `async with`")
            await self._ready.wait()

    def _write(self, data: bytes) -> None:
        if self._established is None:
            raise ConnectionError("there is no session")
        self._established.session.send(data)

    def _deliver(self, received: Stanza, sender: JID) -> None:
        if received.name == "message":
            message = Message.read(received, sender)
            if self._on_message:
                self._calls.put((self._on_message, message))
            else:
                self._messages.put(message)
        elif self._on_presence:
            self._calls.put((self._on_presence, Presence.read(received, sender)))

    def _pause(self) -> None:
        if self._established is not None:
            self._established.connection.pause()

    def _resume(self) -> None:
        if self._established is not None:
            self._established.connection.resume()

    # Sessions ------------------------------------------------------------------------------------

    async def _connect(self, first: Endpoint | None) -> None:
        established = await self._connector.establish(self._host.receive, self._over, first)
        self._established = established
        self._host.jid = established.bound.jid
        log.info("%s is connected to %s", self.jid, established.connection.peer)
        established.session.begin()
        try:
            await self._fetch_roster(established)
            if self._presence is not None:
                self._write(self._presence)
        except (ConnectionError, TimeoutError) as error:
            established.session.abort()
            raise Disconnected.by(established.session.stream.error or error) from error
        self._ready.set()

    async def _fetch_roster(self, established: Established) -> None:
        versioned = established.bound.features.find(_VERSIONING) is not None
        try:
            await self.roster.fetch(versioned=versioned)
        except StanzaError as error:
            log.warning("no roster: %s", error)

    def _over(self, session: Session, error: Exception | None) -> None:
        """A session has ended, for whatever reason."""
        if self._established is None or self._established.session is not session:
            return
        there = redirection(error, None)
        was_ready = self._ready.is_set()
        self._ready.clear()
        self._established = None
        self._host.jid = self._account
        self._host.disconnected()
        if self._closing or not was_ready:
            return
        reason = Disconnected.by(error)
        if not self._reconnect or reason.condition in _FINAL:
            self._finish(reason)
            return
        log.warning("%s: %s", self._account, reason)
        self._repair = asyncio.get_running_loop().create_task(self._connect_again(there))

    async def _connect_again(self, there: Endpoint | None) -> None:
        delay = 0.0 if there is not None else _FIRST_DELAY
        while True:
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            try:
                await self._connect(there)
                return
            except AuthenticationFailed as error:
                self._finish(error)
                return
            except Disconnected as error:
                if error.condition in _FINAL:
                    self._finish(error)
                    return
                log.warning("%s", error)
            except ClientError as error:
                log.warning("%s", error)
            except Exception as error:
                log.error("connecting failed", exc_info=error)
                self._finish(Disconnected(f"connecting again failed: {error}"))
                return
            there = None
            delay = min(max(2 * delay, _FIRST_DELAY), _LONGEST_DELAY)

    def _finish(self, error: ClientError | None) -> None:
        if error is not None and self._end is None:
            log.error("%s: %s", self._account, error)
            self._end = error
        self._messages.end(self._end)
        self._calls.end()
        self._ready.set()
