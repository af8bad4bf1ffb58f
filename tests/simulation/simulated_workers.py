"""The server of a simulation: one process, or several workers on a bus, with the same storage."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts import cheap_accounts
from ledger import Ledger
from operations import DOMAIN, NAMES
from slow_hub import SlowHub
from slow_storage import SlowStorage

from xmppfast.core.jid import JID
from xmppfast.server.accounts import AccountStore
from xmppfast.server.connection import Connection
from xmppfast.server.defaults import features
from xmppfast.server.lodging import Away, Guest
from xmppfast.server.server import Server, Settings
from xmppfast.server.session import Session
from xmppfast.transport.backlog import Backlog
from xmppfast.transport.tcp import Listener, listen

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)

# Bytes kept for a client that does not read, and for all of them.
MOST = 96 * 1024
IN_ALL = 2 * MOST


class Violation(AssertionError):
    """Something that has to hold does not."""


class OrderedSet(dict[Any, None]):
    """A set whose order is not that of addresses in memory."""

    def add(self, item: Any) -> None:
        """Add one."""
        self[item] = None

    def discard(self, item: Any) -> None:
        """Remove one."""
        self.pop(item, None)


class SimulatedServer(Server):
    """A server whose clock is the loop's."""

    def now(self) -> datetime:
        """`Host.now`."""
        return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())


class Workers:
    """The servers, by number.

    hub      how they know of each other; None if there is one only
    servers  those that run
    moved    connections whose account had another owner afterwards, and sessions by address
    """

    def __init__(self, seed: str, count: int, storage: SlowStorage, ledger: Ledger) -> None:
        self.hub = SlowHub(random.Random(f"{seed} hub")) if count > 1 else None
        self.servers: dict[int, SimulatedServer] = {}
        self.moved: set[str] = set()
        self._count = count
        self._storage = storage
        self._ledger = ledger
        self._accounts: dict[int, AccountStore] = {}
        self._listeners: dict[int, Listener] = {}
        self._started = 0
        # The connections of guests, by the tokens of their sessions.
        self._wires: dict[bytes, str] = {}

    @property
    def sessions(self) -> dict[str, Session]:
        """Of all workers, by full address."""
        return {
            address: session
            for server in self.servers.values()
            for address, session in server.registry.sessions.items()
        }

    @property
    def accounts(self) -> list[str]:
        """That any worker has in memory."""
        return [it for server in self.servers.values() for it in server.registry.accounts]

    @property
    def connections(self) -> int:
        """Of all workers."""
        return sum(len(server.connections) for server in self.servers.values())

    def wire(self, session: Session) -> str:
        """The name of the connection that a session has, wherever that is."""
        return self._wires[session.token] if isinstance(session, Guest) else session.link.peer

    # Beginning and end ---------------------------------------------------------------------------

    async def open(self) -> None:
        """Start all of them."""
        for number in range(self._count):
            if number not in self._accounts:
                # They exist when the first worker starts.
                names = () if self._accounts else NAMES
                self._accounts[number] = await cheap_accounts(self._storage, DOMAIN, *names)
            await self._open(number)

    async def _open(self, number: int) -> None:
        settings = Settings(JID.parse(DOMAIN), tls=False, plaintext=True)
        server = SimulatedServer(settings, self._accounts[number], features(self._storage))
        server.connections = OrderedSet()  # type: ignore[assignment]
        self._tap(server)
        if self.hub is not None:
            self._started += 1
            await server.join(self.hub.bus(f"worker-{self._started}"))
            self._tap_guests(server)
        self.servers[number] = server
        backlog = Backlog(MOST, IN_ALL)
        self._listeners[number] = await listen(
            "", 5222 + number, server.connection, backlog=backlog
        )

    def _tap(self, server: SimulatedServer) -> None:
        accept = server.router.accept

        def tapped(session: Session, received: Any) -> Any:
            target = self.sessions.get(received.to or "")
            wire = None if target is None else self.wire(target)
            self._ledger.accepted(self.wire(session), received, wire)
            return accept(session, received)

        server.accept = server.router.accept = tapped  # type: ignore[method-assign]

    def _tap_guests(self, server: SimulatedServer) -> None:
        assert server.neighbours is not None
        guests = server.neighbours.guests
        open_, move = guests._open, guests._move

        def tapped(owner: str, away: Away) -> Any:
            self._wires[away.token] = away.link.peer
            return open_(owner, away)

        def tapped_move(away: Away) -> Any:
            self.moved |= {away.link.peer, away.address}
            return move(away)

        guests._open = tapped  # type: ignore[method-assign]
        guests._move = tapped_move  # type: ignore[method-assign]

    async def close(self) -> None:
        """Stop all of them, at the same time. Raises Violation."""
        await asyncio.gather(*map(self._close, tuple(self.servers)))

    async def _close(self, number: int) -> None:
        self._listeners.pop(number).close()
        server = self.servers[number]
        try:
            async with asyncio.timeout(120):  # storage that is slow has much to do
                await server.close()
        except TimeoutError:
            raise Violation("the server does not stop") from None
        del self.servers[number]
        # Guests go on elsewhere, with their connections.
        own = [it for it in server.registry.sessions.values() if not isinstance(it, Guest)]
        if own or server.connections or (self.hub is None and server.registry.accounts):
            raise Violation("the server has stopped, and still has sessions or connections")

    async def restart(self, *numbers: int) -> None:
        """Stop some workers, by default all, and start others with the same storage."""
        stopped = numbers or tuple(self.servers)
        await asyncio.gather(*map(self._close, stopped))
        for number in stopped:
            await self._open(number)

    def forget(self) -> None:
        """Keep nothing alive."""
        self.servers.clear()
        self._accounts.clear()
        self._listeners.clear()


def connections_in_memory(objects: list[Any], servers: list[SimulatedServer]) -> int:
    """How many connections of those servers there are among objects."""
    return sum(type(it) is Connection and it._server in servers for it in objects)
