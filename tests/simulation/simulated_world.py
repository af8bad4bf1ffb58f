"""A server, its users, and what they do."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable
from typing import Any

from accounts import PASSWORD
from inspection import Inspection
from ledger import Ledger, Reader
from operations import DOMAIN, NAMES, Operation, Plan
from simulated_network import NetworkLoop
from simulated_workers import Violation, Workers
from slow_storage import SlowStorage

from xmppfast.client import Address, Client
from xmppfast.client.errors import ClientError
from xmppfast.core.errors import StanzaError
from xmppfast.core.stanza import element, stanza
from xmppfast.server.connection import Connection
from xmppfast.server.lodging import Away, Guest
from xmppfast.server.session import Session

# Seconds after which everything that can happen by itself has happened: attempts to connect are a
# minute apart at most, answers are waited for half a minute.
LONG = 400

# What nothing may be left of in the end.
_OF_SESSIONS = (Connection, Session, Guest, Away, Client)

PAYLOADS = {
    "ping": "{urn:xmpp:ping}ping",
    "unknown": "{urn:example}unknown",
    "disco": "{http://jabber.org/protocol/disco#info}query",
    "roster": "{jabber:iq:roster}query",
}


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
        if plan.workers > 1:
            self.network.connected = lambda wire, port: self.say(f"{wire.name} leads to {port}")
        self.workers: Workers
        self._inspection: Inspection
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
        self.workers = Workers(self._plan.seed, self._plan.workers, self._storage, self.ledger)
        self._inspection = Inspection(
            self.complain, self.network, self.users, self.workers, self._storage
        )
        await self.workers.open()
        workers = [self._loop.create_task(self._work(user)) for user in self.users.values()]
        for operation in self._plan.operations:
            await asyncio.sleep(operation.after)
            self.say(str(operation))
            await self._do(operation)
            self._inspection.backlog()
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
            await method(*operation.arguments)
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

    async def restart(self, *numbers: int) -> None:
        """Those workers stop, or all, and others start with the same storage."""
        await self.workers.restart(*numbers)

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
            if not self._inspection.under_way():
                break
            await asyncio.sleep(LONG)
        self._stop_if_wrong()
        await self._inspection.everything()
        sessions = self.workers.sessions.values()
        self.ledger.balance_requests({self.workers.wire(session) for session in sessions})
        self.ledger.balance_messages()
        self._stop_if_wrong()

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
        await self._inspection.everything()
        if self.workers.sessions or self.workers.accounts or self._inspection.wires():
            self.complain("everybody has gone, and something of them is left")
        self._stop_if_wrong()

    async def _end(self) -> None:
        """Nothing is left."""
        await self.workers.close()
        await asyncio.sleep(LONG)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            names = sorted(task.get_coro().__qualname__ for task in tasks)
            raise Violation(f"tasks are left: {names}")
        timers = self._loop.timers()
        if timers:
            raise Violation(f"timers are left: {timers}")
        self.workers.forget()
        self.network.wires.clear()
        gc.collect()
        left = [it for it in gc.get_objects() if type(it) in _OF_SESSIONS]
        if left:
            raise Violation(f"in memory is left: {sorted(type(it).__name__ for it in left)}")
