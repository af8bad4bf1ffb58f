"""The server: what all connections share, and how sessions begin and end."""

from __future__ import annotations

import asyncio
import logging
import secrets
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any, TypeVar

from ..cluster.interface import Bus
from ..core.dispatch import Account, Disco, Feature, OnSession, Outcome, Resource, Target
from ..core.dispatcher import Dispatcher
from ..core.jid import JID
from ..protocol.accepting import Terms
from ..protocol.link import Link
from ..protocol.sasl.interface import Offload, ServerMechanisms
from ..protocol.sasl.mechanisms import Server as Mechanisms
from ..protocol.stream import ReceivingStream
from ..xml import Limits, Stanza, StreamCondition
from .accounts import AccountStore
from .addresses import Addresses
from .connection import Connection
from .lodging import Away
from .neighbours import Neighbours
from .quotas import Quotas
from .reclaiming import Reclaiming
from .registry import Registry
from .requests import Requests
from .router import Router
from .session import Session
from .turns import Turns

log = logging.getLogger("xmppfast.server")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen about sessions.

    domain         the domain served
    tls            whether connections can be secured; where they can, they must
    plaintext      whether a client may log in without TLS
    limits         bounds on what a stream may contain
    login_seconds  how long negotiation may take
    resources      resources one account may have at a time
    quotas         what one session, one address of the network and all together may take
    """

    domain: JID
    tls: bool = True
    plaintext: bool = False
    limits: Limits = field(default_factory=Limits)
    login_seconds: float = 60.0
    resources: int = 20
    quotas: Quotas = field(default_factory=Quotas)


def new_id() -> str:
    """An unpredictable id (RFC 6120 section 4.7.3)."""
    return secrets.token_urlsafe(12)


class Server:
    """Sessions of clients. `connection` makes a receiver for each connection of a transport.

    settings  what can be chosen
    accounts  whose server it is
    features  gives the features to install, made for the `Host` they are given
    offload   runs costly functions where they hold up nobody
    """

    def __init__(
        self,
        settings: Settings,
        accounts: AccountStore,
        features: Callable[[Server], Iterable[Feature]],
        offload: Offload[bool] = asyncio.to_thread,
    ) -> None:
        self.settings = settings
        self.domain = settings.domain
        self.domains = (settings.domain,)
        self.new_id = new_id
        self.connections: set[Connection] = set()
        self.addresses = Addresses(settings.quotas.per_address, monotonic)
        self.reclaiming = Reclaiming()
        self.turns = Turns()
        self.registry = Registry(settings.resources)
        self.accounts = accounts
        self._offload = offload
        self._tasks: set[asyncio.Task[Any]] = set()
        self._alone = asyncio.Event()
        self._requests = Requests(new_id)
        self.dispatcher = Dispatcher(features(self))
        accounts.removing = self._removing
        self.router = Router(
            settings.domain, self.registry, self.dispatcher, accounts, self._requests
        )
        self.accept = self.router.accept  # one method object for all connections
        self.neighbours: Neighbours | None = None
        self.reconfigure(settings)

    async def join(self, bus: Bus) -> None:
        """Share the domain with the other workers on a bus. Raises BusLost."""
        self.neighbours = self.router.neighbours = Neighbours(self, bus)
        await self.neighbours.start()

    def reconfigure(self, settings: Settings) -> None:
        """Have connections to come follow other settings; `domain` and `tls` stay as they were."""
        self.settings = replace(settings, domain=self.settings.domain, tls=self.settings.tls)
        self.registry.most = settings.resources
        self.addresses.reconfigure(settings.quotas.per_address)
        self.per_session = settings.quotas.per_session
        announced = self.dispatcher.stream_features
        self.terms = Terms(
            tls_offered=self.settings.tls,
            tls_required=not settings.plaintext,
            register=self.dispatcher.asks(Target.STREAM),
            before=announced[False],
            after=announced[True],
            most_bytes=settings.quotas.per_session.bytes_before_login,
        )

    # Connections ---------------------------------------------------------------------------------

    @property
    def unauthenticated(self) -> int:
        """Connections without a session."""
        return len(self.connections) - len(self.registry.sessions)

    def connection(self) -> Connection:
        """A receiver for a new connection."""
        return Connection(self)

    def mechanisms(self, stream: ReceivingStream, link: Link) -> ServerMechanisms:
        """The SASL mechanisms for a connection as it is now."""
        return Mechanisms(
            str(stream.domain),
            self.accounts,
            secret=self.accounts.secret,
            new_nonce=new_id,
            offload=self._offload,
            bindings=link.channel_bindings,
            plaintext=link.secure or self.settings.plaintext,
        )

    @property
    def busy(self) -> bool:
        """Whether anything runs that `close` has to wait for."""
        return bool(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Run something of its own; `close` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def forget(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        self.reclaiming.gone(len(self.connections))
        if not self.connections:
            self._alone.set()

    async def close(self) -> None:
        """End all streams with `system-shutdown`, and wait until everything is done and stored."""
        self._alone.clear()
        for connection in tuple(self.connections):
            connection.end(StreamCondition.SYSTEM_SHUTDOWN)
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))
        if self.connections:
            await self._alone.wait()
        if self.neighbours is not None:
            await self.neighbours.close()

    # Sessions ------------------------------------------------------------------------------------

    async def new_session(self, wanted: JID, link: Link, stream: ReceivingStream) -> Session:
        """Prepare a session for an address; a bare one gets a resource.

        The newest session wins: one that has the resource is closed with `conflict` (RFC 6120
        section 7.7.2.2). Raises StanzaError.
        """
        jid = wanted.with_resource(new_id()) if wanted.is_bare else wanted
        if self.neighbours is None:
            return await self._new_session(jid, lambda account: Session(jid, account, link, stream))
        away = await self.neighbours.lodge(jid, link, stream)
        if away is not None:
            return away
        try:
            return await self._new_session(jid, lambda account: Session(jid, account, link, stream))
        finally:
            self.neighbours.ownership.let_go(str(jid.bare))

    async def new_guest(self, jid: JID, make: Callable[[Account], Session]) -> Session:
        """Prepare a session whose connection is at another worker. Raises StanzaError."""
        return await self._new_session(jid, make)

    async def _new_session(self, jid: JID, make: Callable[[Account], Session]) -> Session:
        old = self.registry.sessions.get(str(jid))
        if old is not None:
            old.end(StreamCondition.CONFLICT, "another session has taken the resource")
        await self.registry.free(jid)
        account = self.registry.reserve(jid)
        session = make(account)
        try:
            await self.dispatcher.started(session)
        except BaseException:
            self.registry.release(jid)
            raise
        return session

    def begin_session(self, session: Session) -> None:
        """The client knows its resource: stanzas can be delivered to it."""
        if isinstance(session, Away):
            session.begin()
        else:
            self.registry.add(session)

    def leave(self, session: Session) -> None:
        """Nothing is delivered to the session from now on."""
        if isinstance(session, Away):
            session.leave()
        else:
            self.registry.remove(session)

    def end_session(self, session: Session, handling: asyncio.Task[None] | None = None) -> None:
        """Nothing is delivered to the session from now on; features are told that it ended.

        handling  what is still being done for it: that comes first, and all of it before the
                  address has another session (RFC 6120 section 10.1)
        """
        self.leave(session)
        if isinstance(session, Away):
            return
        if handling is not None:
            self.spawn(self._end(session, handling))
        elif (rest := self._finish(session)) is not None:
            # Mostly there is none: when all clients leave at once, each task would be memory.
            self.spawn(rest)

    async def _end(self, session: Session, handling: asyncio.Task[None]) -> None:
        await asyncio.wait((handling,))
        if (rest := self._finish(session)) is not None:
            await rest

    def _finish(self, session: Session) -> Coroutine[Any, Any, object] | None:
        """Tell features that a session has ended, and forget it.

        Whoever comes second waits. What is returned is the rest, which has to be waited for.
        """
        if session.finished is not None:
            return session.finished.wait()
        session.finished = asyncio.Event()
        rest = reversed(self.dispatcher.sessions)
        outcome = self._tell_of_the_end(session, rest)
        if outcome is not None:
            return self._go_on_finishing(session, outcome, rest)
        self._forget(session)
        return None

    async def _go_on_finishing(
        self, session: Session, outcome: Outcome, rest: Iterator[OnSession]
    ) -> None:
        while outcome is not None:
            try:
                await outcome
            except Exception as error:
                log.error("the end of a session failed", exc_info=error)
            outcome = self._tell_of_the_end(session, rest)
        self._forget(session)

    def _tell_of_the_end(self, session: Session, features: Iterator[OnSession]) -> Outcome:
        """Tell one after the other, up to the first that has to be waited for."""
        for registration in features:
            if registration.end is not None:
                try:
                    outcome = registration.end(session)
                except Exception as error:
                    log.error("the end of a session failed", exc_info=error)
                else:
                    if outcome is not None:
                        return outcome
        return None

    def _forget(self, session: Session) -> None:
        assert session.finished is not None
        self.registry.release(session.jid)
        if self.neighbours is not None:
            self.neighbours.ownership.used(str(session.jid.bare))
        session.finished.set()

    async def _removing(self, account: JID) -> None:
        """An account is about to be removed."""
        if self.neighbours is None or not await self.neighbours.removed(account):
            await self.remove_sessions(account)

    async def remove_sessions(self, account: JID) -> None:
        """End the sessions of an account that is being removed, and tell features."""
        known = self.account(account)
        sessions = (
            []
            if known is None
            else [
                session for session in self.registry.sessions.values() if session.account is known
            ]
        )
        for session in sessions:
            session.end(StreamCondition.NOT_AUTHORIZED, "the account was removed")
            self.leave(session)
        # What it is having done is not waited for: that may be this.
        for session in sessions:
            if (rest := self._finish(session)) is not None:
                await rest
        await self.dispatcher.removed(account)

    # Host ----------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """`Host.now`."""
        return datetime.now(UTC)

    def is_local(self, jid: JID) -> bool:
        """`Host.is_local`."""
        return jid.domain == self.domain.domain and jid.local is not None

    def has(self, jid: JID) -> bool:
        """`Host.has`."""
        if self.neighbours is None:
            return self.is_local(jid)
        return str(jid.bare) in self.neighbours.ownership.owned

    def is_connected(self, jid: JID) -> bool:
        """`Host.is_connected`."""
        bare = str(jid.bare)
        return bare in self.registry.accounts or (
            self.neighbours is not None and bare in self.neighbours.ownership.owners
        )

    async def exists(self, jid: JID) -> bool:
        """`Host.exists`."""
        return self.account(jid) is not None or await self.accounts.exists(jid.bare)

    def account(self, jid: JID) -> Account | None:
        """`Host.account`."""
        return self.registry.accounts.get(str(jid.bare))

    def route(
        self, stanza: Stanza, sender: JID, to: JID, resource: Resource | None = None
    ) -> Outcome:
        """`Host.route`."""
        return self.router.route(stanza, sender, to, resource)

    def broadcast(self, stanza: Stanza, sender: JID, contacts: Iterable[JID]) -> list[Outcome]:
        """`Host.broadcast`."""
        return self.router.broadcast(stanza, sender, contacts)

    def announced(self, target: Target) -> Disco:
        """`Host.announced`."""
        return self.dispatcher.announced(target)

    def request(
        self, to: JID, type: str, payload: ET.Element, sender: JID | None = None
    ) -> Awaitable[Stanza]:
        """`Host.request`."""
        return self._requests.ask(self.route, sender or self.domain, to, type, payload)
