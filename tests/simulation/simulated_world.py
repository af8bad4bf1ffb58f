"""A server, its users, and what they do."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts import PASSWORD, cheap_accounts
from ledger import Ledger, Reader
from operations import DOMAIN, NAMES, Operation, Plan
from simulated_network import NetworkLoop
from slow_storage import SlowStorage

from xmppfast.client import Address, Client
from xmppfast.client.errors import ClientError
from xmppfast.core.errors import StanzaError
from xmppfast.core.jid import JID
from xmppfast.core.stanza import element, stanza
from xmppfast.im.rosters import Rosters
from xmppfast.im.subscription import From, To
from xmppfast.server.connection import Connection
from xmppfast.server.defaults import features
from xmppfast.server.server import Server, Settings
from xmppfast.server.session import Session
from xmppfast.transport.backlog import Backlog
from xmppfast.transport.tcp import Listener, listen

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)

# Bytes kept for a client that does not read, and for all of them.
MOST = 96 * 1024
IN_ALL = 2 * MOST

# Seconds after which everything that can happen by itself has happened: attempts to connect are a
# minute apart at most, answers are waited for half a minute.
LONG = 400

PAYLOADS = {
    "ping": "{urn:xmpp:ping}ping",
    "unknown": "{urn:example}unknown",
    "disco": "{http://jabber.org/protocol/disco#info}query",
    "roster": "{jabber:iq:roster}query",
}


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


class User:
    """A resource, and who sits in front of it: does one thing after the other.

    client   None while logged out
    known    full addresses it believes to be available
    clients  how many it has had
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.account, _, self.resource = name.partition("/")
        self.jid = f"{self.account}@{DOMAIN}/{self.resource}"
        self.client: Client | None = None
        self.known: set[str] = set()
        self.clients = 0
        self.todo: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()

    @property
    def session(self) -> Client | None:
        """The client, if it has a session."""
        return self.client if self.client is not None and self.client.jid.resource else None


class World:
    """Runs a plan. `log` is what happened, line by line."""

    def __init__(self, plan: Plan, loop: NetworkLoop) -> None:
        self._plan = plan
        self._loop = loop
        self._chance = random.Random(f"{plan.seed} world")
        self.network = loop.network
        self.log: list[str] = []
        self.complaints: list[str] = []
        self.ledger = Ledger(self.complain)
        self.network.written = self.ledger.written
        self.users = {name: User(name) for name in plan.users}
        self.server: SimulatedServer
        self._listener: Listener
        self._tasks: dict[asyncio.Task[None], None] = {}

    # Around it -----------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Write to the log."""
        self.log.append(f"{self._loop.time():9.3f} {text}")

    def complain(self, text: str) -> None:
        """Something is wrong."""
        self.say(f"WRONG: {text}")
        self.complaints.append(text)

    def _spawn(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    async def run(self) -> None:
        """Everything, from the first login to the last check. Raises Violation."""
        self._storage = SlowStorage(self._chance)
        self._accounts = await cheap_accounts(self._storage, DOMAIN, *NAMES)
        await self._open()
        workers = [self._loop.create_task(self._work(user)) for user in self.users.values()]
        for operation in self._plan.operations:
            await asyncio.sleep(operation.after)
            self.say(str(operation))
            await self._do(operation)
            self._check_backlog()
            self._stop_if_wrong()
        await self._finish()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await self._end()

    def _stop_if_wrong(self) -> None:
        if self.complaints:
            raise Violation(self.complaints[0])

    async def _do(self, operation: Operation) -> None:
        method = getattr(self, operation.what)
        if not operation.who:
            await method()
            return
        user = self.users[operation.who]
        if operation.what in ("break_off", "partition", "slow_down"):
            method(user, *operation.arguments)
        else:
            user.todo.put_nowait(lambda: method(user, *operation.arguments))

    async def _work(self, user: User) -> None:
        while True:
            action = await user.todo.get()
            try:
                await action()
            except (ClientError, ConnectionError, TimeoutError, StanzaError) as error:
                self.say(f"{user.name} fails: {error}")
            except Exception as error:
                self.complain(f"{user.name} fails: {error!r}")
            finally:
                user.todo.task_done()

    # The server ----------------------------------------------------------------------------------

    async def _open(self) -> None:
        settings = Settings(JID.parse(DOMAIN), tls=False, plaintext=True)
        self.server = SimulatedServer(settings, self._accounts, features(self._storage))
        self.server.connections = OrderedSet()  # type: ignore[assignment]
        accept = self.server.router.accept

        def tapped(session: Session, received: Any) -> Any:
            target = self.server.registry.sessions.get(received.to or "")
            self.ledger.accepted(session, received, target)
            return accept(session, received)

        self.server.accept = self.server.router.accept = tapped  # type: ignore[method-assign]
        backlog = Backlog(MOST, IN_ALL)
        self._listener = await listen("", 5222, self.server.connection, backlog=backlog)

    async def _close(self) -> None:
        self._listener.close()
        try:
            async with asyncio.timeout(30):
                await self.server.close()
        except TimeoutError:
            raise Violation("the server does not stop") from None
        registry = self.server.registry
        if registry.sessions or registry.accounts or self.server.connections:
            raise Violation("the server has stopped, and still has sessions or connections")

    async def restart(self) -> None:
        """The server stops, and another one starts with the same storage."""
        await self._close()
        await self._open()

    # What users do -------------------------------------------------------------------------------

    async def log_in(self, user: User) -> None:
        """Log in, unless that is done."""
        if user.client is None:
            await self._enter(user)

    async def _enter(self, user: User) -> None:
        address = Address(host=user.name, plaintext=True, verify=False, timeout=10)
        client = Client(user.jid, PASSWORD, address=address)
        receive, disconnected = client.host.receive, client.host.disconnected

        def tapped(received: Any) -> None:
            if received.name == "presence" and user.client is client:
                self._sees(user, received)
            receive(received)

        def forget() -> None:
            if user.client is client:
                user.known.clear()
            disconnected()

        client.host.receive = tapped  # type: ignore[method-assign]
        client.host.disconnected = forget  # type: ignore[method-assign]
        user.client = client
        user.known.clear()
        try:
            await client.__aenter__()
        except ClientError as error:
            self.say(f"{user.name} can't log in: {error}")
            user.client = None
        self._spawn(self._read(user, client))  # it may have been given messages even so

    def _sees(self, user: User, presence: Any) -> None:
        self.say(f"{user.name} is told: {presence.from_} {presence.type or 'available'}")
        if presence.type is None:
            user.known.add(presence.from_)
        elif presence.type == "unavailable":
            user.known.discard(presence.from_)
            if presence.from_ == user.jid:
                user.known.clear()

    async def _read(self, user: User, client: Client) -> None:
        user.clients += 1
        reader = Reader(user.name, user.clients)
        try:
            async for message in client.messages():
                self.say(f"{user.name} receives {message.type} {message.id} from {message.from_}")
                number = int((message.id or "")[1:])
                kept = message.delay is not None
                self.ledger.received(reader, number, str(message.from_), message.type, kept)
        except ClientError as error:
            self.say(f"{user.name} gives up: {error}")
            if user.client is client:
                user.client = None
            await client.close()

    async def log_out(self, user: User) -> None:
        """End the session properly."""
        if user.client is not None:
            client, user.client = user.client, None
            await client.close()

    async def take_over(self, user: User) -> None:
        """Log in with the same resource once more."""
        old = user.client
        await self._enter(user)
        if old is not None:
            await old.close()

    async def message(
        self, user: User, to: str, type: str, count: int, size: int, pause: float
    ) -> None:
        """Send messages, with pauses of so many seconds."""
        for _ in range(count):
            if user.client is None:
                return
            message = self.ledger.sends(user.name, to, type)
            self.say(f"{user.name} sends {message}")
            body = element("{jabber:client}body", None, "x" * size)
            await user.client.send(
                stanza("message", body, to=to, type=type, id=f"m{message.number}")
            )
            if pause:
                await asyncio.sleep(pause)

    async def presence(self, user: User, priority: int) -> None:
        """Be available."""
        if user.client is not None:
            await user.client.send_presence(priority=priority)

    async def unavailable(self, user: User) -> None:
        """Be unavailable."""
        if user.client is not None:
            await user.client.send_presence("unavailable")

    async def rest(self, user: User, seconds: float) -> None:
        """Be unavailable for a while."""
        await self.unavailable(user)
        await asyncio.sleep(seconds)
        await self.presence(user, 1)

    async def directed_presence(self, user: User, to: str) -> None:
        """Be available for somebody."""
        if user.client is not None:
            await user.client.send_presence(to=to)

    async def subscription(self, user: User, what: str, contact: str) -> None:
        """Subscribe and the like."""
        if user.client is not None:
            await getattr(user.client, what)(contact)

    async def set_item(self, user: User, contact: str, name: str) -> None:
        """Change the roster."""
        if user.client is not None:
            self._ask(user, user.client.roster.set(contact, name))

    async def remove_item(self, user: User, contact: str) -> None:
        """Remove somebody from the roster."""
        if user.client is not None:
            self._ask(user, user.client.roster.remove(contact))

    async def request(self, user: User, to: str, what: str) -> None:
        """Ask somebody something; do other things meanwhile."""
        if user.client is not None:
            self._ask(user, user.client.iq("get", element(PAYLOADS[what]), to or None))

    def _ask(self, user: User, request: Awaitable[Any]) -> None:
        async def wait() -> None:
            try:
                await request
                self.say(f"{user.name} is answered")
            except (ClientError, ConnectionError, TimeoutError, StanzaError) as error:
                self.say(f"{user.name} has no answer: {error}")

        self._spawn(wait())

    # What happens to them ------------------------------------------------------------------------

    def break_off(self, user: User, server_learns: float) -> None:
        """The connection breaks; the server learns of that later."""
        for wire in list(self.network.line(user.name).wires):
            wire.break_off(server_learns)

    def partition(self, user: User, seconds: float) -> None:
        """Nothing goes through for a while."""
        line = self.network.line(user.name)
        line.up = False
        self._loop.call_later(seconds, self._restore, user, True, line.slow)

    def slow_down(self, user: User, seconds: float) -> None:
        """The client reads next to nothing for a while."""
        self.network.line(user.name).slow = True
        self._loop.call_later(seconds, self._restore, user, None, False)

    def _restore(self, user: User, up: bool | None, slow: bool) -> None:
        line = self.network.line(user.name)
        line.up, line.slow = line.up if up is None else up, slow
        line.changed()

    # What has to hold ----------------------------------------------------------------------------

    async def settle(self) -> None:
        """Repair everything, wait until nothing happens any more, and see whether all is well."""
        await asyncio.sleep(60)  # what was to end by itself has
        self.network.heal()
        try:
            async with asyncio.timeout(2 * LONG):
                for user in self.users.values():
                    await user.todo.join()
        except TimeoutError:
            raise Violation("somebody waits for ever") from None
        await asyncio.sleep(LONG)
        for _ in range(10):  # storage that is slow has much to do after long bursts
            if not self._under_way():
                break
            await asyncio.sleep(LONG)
        self._stop_if_wrong()
        self._check_connections()
        rosters = await self._check_rosters()
        self._check_presence(rosters)
        sessions = self.server.registry.sessions.values()
        self.ledger.balance_requests({session.link.peer for session in sessions})
        self.ledger.balance_messages()
        self._stop_if_wrong()

    def _check_backlog(self) -> None:
        for wire in self._wires():
            waiting = 0 if wire.server.lost else wire.server.get_write_buffer_size()
            if waiting > MOST:
                self.complain(f"{waiting} bytes wait for {wire.name}")

    def _check_connections(self) -> None:
        there = {user.jid for user in self.users.values() if user.session is not None}
        wanted = {user.jid for user in self.users.values() if user.client is not None}
        registry = self.server.registry
        if there != wanted:
            self.complain(f"{sorted(wanted - there)} do not come back")
        if set(registry.sessions) != there:
            self.complain(f"sessions are {sorted(registry.sessions)}, clients {sorted(there)}")
        resources = [
            str(resource.jid)
            for account in registry.accounts.values()
            for resource in account.resources.values()
        ]
        if sorted(resources) != sorted(there):
            self.complain(f"resources are {resources}, clients {sorted(there)}")
        if len(self.server.connections) != len(there):
            self.complain(f"{len(self.server.connections)} connections, {len(there)} clients")
        if self._under_way():
            self.complain("something is under way for ever")
        gc.collect()
        kept = [
            it for it in gc.get_objects() if type(it) is Connection and it._server is self.server
        ]
        if len(kept) != len(there):
            self.complain(f"{len(kept)} connections in memory, {len(there)} clients")

    def _under_way(self) -> bool:
        ends = [end for wire in self._wires() for end in (wire.client, wire.server)]
        return any(not end.incoming.idle for end in ends)

    def _wires(self) -> list[Any]:
        return [wire for wire in self.network.wires if not wire.gone]

    async def _check_rosters(self) -> dict[str, Any]:
        async def exists(account: JID) -> bool:
            return True

        rosters = Rosters(self._storage, exists)
        accounts = sorted({user.account for user in self.users.values()})
        jids = {account: JID.parse(f"{account}@{DOMAIN}") for account in accounts}
        loaded: dict[str, Any] = {name: await rosters.load(jid) for name, jid in jids.items()}
        for one in accounts:
            for other in accounts:
                here, there = loaded[one].get(jids[other]).state, loaded[other].get(jids[one]).state
                agree = (here.to is To.SUBSCRIBED) == (there.from_ is From.SUBSCRIBED)
                if not agree or (here.to is To.PENDING) != (there.from_ is From.PENDING):
                    self.complain(f"{one} has {here}, {other} has {there}")
        for user in self.users.values():
            if user.session is not None:
                stored = [_shown(item) for item in loaded[user.account].listed()]
                held = [
                    tuple(getattr(it, name) for name in _FIELDS)
                    for it in user.session.roster.values()
                ]
                if sorted(stored, key=str) != sorted(held, key=str):
                    self.complain(f"the roster of {user.name} is {held}, stored is {stored}")
        return loaded

    def _check_presence(self, rosters: dict[str, Any]) -> None:
        """Who has a subscription knows who is available; nobody believes in who is gone."""
        sessions = self.server.registry.sessions
        for user in self.users.values():
            session = sessions.get(user.jid)
            if user.session is None or session is None:
                continue
            if gone := user.known - set(sessions):
                self.complain(f"{user.name} believes that {sorted(gone)} are available")
            if session.presence is None:
                continue
            for address, other in sessions.items():
                subscribed = other.account is session.account or (
                    rosters[user.account].get(other.jid.bare).state.to is To.SUBSCRIBED
                )
                if subscribed and other.presence is not None and address not in user.known:
                    self.complain(f"{user.name} does not know that {address} is available")

    async def _finish(self) -> None:
        """Everybody comes, to be given what waits; then everybody goes."""
        await self.settle()
        for user in self.users.values():
            user.todo.put_nowait(lambda user=user: self.log_in(user))  # type: ignore[misc]
            user.todo.put_nowait(lambda user=user: self.presence(user, 1))  # type: ignore[misc]
        await self.settle()
        self.ledger.balance_accounts()
        for account in NAMES:
            if waiting := await self._storage.archive("offline").count(f"{account}@{DOMAIN}"):
                self.complain(f"{waiting} messages wait for {account}, who is there")
        for user in self.users.values():
            await self.log_out(user)
        await asyncio.sleep(LONG)
        registry = self.server.registry
        if registry.sessions or registry.accounts or self.server.connections or self._wires():
            self.complain("everybody has gone, and something of them is left")
        self._stop_if_wrong()

    async def _end(self) -> None:
        """Nothing is left."""
        await self._close()
        await asyncio.sleep(LONG)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            names = sorted(task.get_coro().__qualname__ for task in tasks)
            raise Violation(f"tasks are left: {names}")
        timers = self._loop.timers()
        if timers:
            raise Violation(f"timers are left: {timers}")
        with suppress(AttributeError):
            del self.server
        self.network.wires.clear()
        gc.collect()
        left = [it for it in gc.get_objects() if type(it) in (Connection, Session, Client)]
        if left:
            raise Violation(f"in memory is left: {sorted(type(it).__name__ for it in left)}")


_FIELDS = ("jid", "name", "subscription", "ask", "approved")


def _shown(item: Any) -> tuple[Any, ...]:
    state = item.state
    asks, approves = state.to is To.PENDING, state.from_ is From.APPROVED
    return item.jid, item.name, state.subscription, asks, approves
