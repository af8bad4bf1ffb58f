"""What has to hold when nothing is under way: all know the same, and nothing is left over."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operations import DOMAIN
from simulated_workers import MOST, Workers, connections_in_memory
from slow_storage import SlowStorage

from xmppfast.core.jid import JID
from xmppfast.im.rosters import Rosters
from xmppfast.im.subscription import From, To
from xmppfast.server.lodging import Guest
from xmppfast.server.neighbours import Neighbours

if TYPE_CHECKING:
    from simulated_network import Network
    from simulated_world import User


class Inspection:
    """Looks at the workers, at the users' clients, and at what is stored.

    complain  called with what is wrong
    """

    def __init__(
        self,
        complain: Callable[[str], None],
        network: Network,
        users: dict[str, User],
        workers: Workers,
        storage: SlowStorage,
    ) -> None:
        self._complain = complain
        self._network = network
        self._users = users
        self._workers = workers
        self._storage = storage

    async def everything(self) -> None:
        """All that has to hold at rest."""
        self._connections()
        self._accounts()
        for number, server in self._workers.servers.items():
            if server.neighbours is not None:
                self._neighbours(f"worker {number}", server.neighbours)
        rosters = await self._rosters()
        self._presence(rosters)

    def backlog(self) -> None:
        """At any time: what waits for a client is bounded."""
        for wire in self.wires():
            waiting = 0 if wire.server.lost else wire.server.get_write_buffer_size()
            if waiting > MOST:
                self._complain(f"{waiting} bytes wait for {wire.name}")

    def wires(self) -> list[Any]:
        """Connections that anybody has."""
        return [wire for wire in self._network.wires if not wire.gone]

    def under_way(self) -> bool:
        """Whether anything is, between clients and workers."""
        ends = [end for wire in self.wires() for end in (wire.client, wire.server)]
        return any(not end.incoming.idle for end in ends)

    # Who is connected ----------------------------------------------------------------------------

    def _connections(self) -> None:
        there = {user.jid for user in self._users.values() if user.session is not None}
        wanted = {user.jid for user in self._users.values() if user.client is not None}
        servers = list(self._workers.servers.values())
        sessions = [address for it in servers for address in it.registry.sessions]
        if there != wanted:
            self._complain(f"{sorted(wanted - there)} do not come back")
        if sorted(sessions) != sorted(there):
            self._complain(f"sessions are {sorted(sessions)}, clients {sorted(there)}")
        resources = [
            str(resource.jid)
            for server in servers
            for account in server.registry.accounts.values()
            for resource in account.resources.values()
        ]
        if sorted(resources) != sorted(there):
            self._complain(f"resources are {resources}, clients {sorted(there)}")
        if self._workers.connections != len(there):
            self._complain(f"{self._workers.connections} connections, {len(there)} clients")
        if self.under_way():
            self._complain("something is under way for ever")
        gc.collect()
        kept = connections_in_memory(gc.get_objects(), servers)
        if kept != len(there):
            self._complain(f"{kept} connections in memory, {len(there)} clients")

    # Who has which account -----------------------------------------------------------------------

    def _accounts(self) -> None:
        hub = self._workers.hub
        if hub is None:
            return
        owners: dict[str, str] = {}
        for server in self._workers.servers.values():
            assert server.neighbours is not None
            name = server.neighbours.bus.name
            for account in server.registry.accounts:
                if account in owners:
                    self._complain(f"{account} is at {owners[account]} and at {name}")
                owners[account] = name
            owned = server.neighbours.ownership.owned
            if set(owned) != set(server.registry.accounts) or any(owned.values()):
                self._complain(f"{name} has {owned}, in use are {list(server.registry.accounts)}")
        if hub.owners != owners:
            self._complain(f"the hub's owners are {hub.owners}, those who have them {owners}")
        for server in self._workers.servers.values():
            assert server.neighbours is not None
            name, known = server.neighbours.bus.name, server.neighbours.ownership.owners
            others = {account: owner for account, owner in owners.items() if owner != name}
            if known != others:
                self._complain(f"{name} knows of owners {known}, they are {others}")

    def _neighbours(self, name: str, neighbours: Neighbours) -> None:
        guests = neighbours.guests
        left = {
            "ways": neighbours.ways,
            "claims": neighbours.ownership._claims,
            "lanes": neighbours._lanes._lanes,
            "lanes of guests": guests._lanes._lanes,
            "refilled": neighbours._refilled,
            "unsettled": neighbours.unsettled._counts,
            "waiting": neighbours.unsettled._waiting,
            "opening": guests._opening,
        }
        for what, found in left.items():
            if found:
                self._complain(f"{name} has {what} left: {found}")
        for worker, peer in neighbours.peers._peers.items():
            if peer.sending._kept or peer.receiving._running or peer.room is not None:
                self._complain(f"{name} is not done with {worker}")
        if set(neighbours.peers.names()) != self._others(neighbours):
            self._complain(f"{name} knows {neighbours.peers.names()}")
        sessions = neighbours.server.registry.sessions.values()
        here = {it.token for it in sessions if isinstance(it, Guest)}
        if here != set(guests._guests):
            self._complain(f"{name} has {len(guests._guests)} guests, {len(here)} are connected")
        away = len(neighbours.server.connections) - sum(
            not isinstance(it, Guest) for it in sessions
        )
        if away != len(guests._aways):
            self._complain(f"{name} has {len(guests._aways)} sessions away, {away} are connected")

    def _others(self, neighbours: Neighbours) -> set[str]:
        hub = self._workers.hub
        return set() if hub is None else set(hub.buses) - {neighbours.bus.name}

    # What they know of each other ----------------------------------------------------------------

    @property
    def _may_cross(self) -> bool:
        """Whether a refusal may cross with the same request made once more.

        So it is if the two accounts have a worker each, as between servers: the contact is asked
        again, and it was the first request that the user sees refused (RFC 6121 appendix A).
        """
        return self._workers.hub is not None

    async def _rosters(self) -> dict[str, Any]:
        async def exists(account: JID) -> bool:
            return True

        rosters = Rosters(self._storage, exists)
        accounts = sorted({user.account for user in self._users.values()})
        jids = {account: JID.parse(f"{account}@{DOMAIN}") for account in accounts}
        loaded: dict[str, Any] = {name: await rosters.load(jid) for name, jid in jids.items()}
        for one in accounts:
            for other in accounts:
                here, there = loaded[one].get(jids[other]).state, loaded[other].get(jids[one]).state
                agree = (here.to is To.SUBSCRIBED) == (there.from_ is From.SUBSCRIBED)
                asks, asked = here.to is To.PENDING, there.from_ is From.PENDING
                if not agree or asks > asked or (asked > asks and not self._may_cross):
                    self._complain(f"{one} has {here}, {other} has {there}")
        sessions, moved = self._workers.sessions, self._workers.moved
        for user in self._users.values():
            session = sessions.get(user.jid)
            # What changes while an account has no owner is not pushed to its guests.
            if session is not None and self._workers.wire(session) in moved:
                continue
            if user.session is not None:
                stored = [_shown(item) for item in loaded[user.account].listed()]
                held = [
                    tuple(getattr(it, name) for name in _FIELDS)
                    for it in user.session.roster.values()
                ]
                if sorted(stored, key=str) != sorted(held, key=str):
                    self._complain(f"the roster of {user.name} is {held}, stored is {stored}")
        return loaded

    def _presence(self, rosters: dict[str, Any]) -> None:
        """Who has a subscription knows who is available; nobody believes in who is gone."""
        sessions = self._workers.sessions
        for user in self._users.values():
            session = sessions.get(user.jid)
            if user.session is None or session is None:
                continue
            # To whom a guest sent directed presence, its account's next owner does not know.
            if gone := user.known - set(sessions) - self._workers.moved:
                self._complain(f"{user.name} believes that {sorted(gone)} are available")
            if session.presence is None:
                continue
            for address, other in sessions.items():
                subscribed = other.account is session.account or (
                    rosters[user.account].get(other.jid.bare).state.to is To.SUBSCRIBED
                )
                if subscribed and other.presence is not None and address not in user.known:
                    self._complain(f"{user.name} does not know that {address} is available")


_FIELDS = ("jid", "name", "subscription", "ask", "approved")


def _shown(item: Any) -> tuple[Any, ...]:
    state = item.state
    asks, approves = state.to is To.PENDING, state.from_ is From.APPROVED
    return item.jid, item.name, state.subscription, asks, approves
