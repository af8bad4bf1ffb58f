"""A server and its clients in a network that fails, all of it decided by one seed.

Invariants:
- what a client sent and the server has got past is written to a connection, or kept for later;
- nothing is written twice to a connection, and nothing that was delivered is delivered again later;
- of what one session sends to one address, each connection gets what it gets in order;
- subscriptions look the same from both sides;
- in the end, nothing of all that is left in memory.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import defaultdict
from typing import Any

from conversation import DOMAIN, Client, new_server
from slow_storage import SlowStorage
from wires import MemoryLink

from xmppfast import Stanza
from xmppfast.server.defaults import features
from xmppfast.server.server import Server

USERS = ("alice", "bob", "carol")
ROSTER = "jabber:iq:roster"

_WRITTEN = re.compile(rb"<message [^>]*id=['\"](m-[^'\"]+)['\"].*?(?:</message>|/>)", re.DOTALL)


class Ledger:
    """Which messages went where."""

    def __init__(self) -> None:
        self.accepted: set[str] = set()
        self.written: dict[str, list[MemoryLink]] = defaultdict(list)
        self.wrong: list[str] = []
        self._late: dict[str, bool] = {}
        self._last: dict[tuple[object, str, str], int] = {}

    def write(self, link: MemoryLink, data: bytes) -> None:
        """The server writes to a connection."""
        for match in _WRITTEN.finditer(data):
            self._message(match[1].decode(), b"urn:xmpp:delay" in match[0], link)

    def _message(self, id: str, late: bool, link: MemoryLink) -> None:
        places = self.written[id]
        if link in places:
            self.wrong.append(f"{id} comes twice")
        if places and self._late[id] is not late:
            self.wrong.append(f"{id} comes both at once and later")
        # Whether a client got what was on its way when its connection broke, nobody knows.
        if late and any(not place.closed for place in places):
            self.wrong.append(f"{id} is kept and comes twice")
        self._late[id] = late
        places.append(link)
        _, session, address, number = id.split("-")
        # To a resource that was not there a message is kept; those that come once it is there, and
        # before it is available, overtake it (RFC 6121 section 8.5.3.1).
        pair = (link, session, f"{address} {late}" if "_" in address else address)
        if self._last.get(pair, -1) > int(number):
            self.wrong.append(f"{id} comes after a later one")
        self._last[pair] = int(number)

    def check(self) -> None:
        """Nothing that was accepted is missing, and nothing else was wrong."""
        missing = sorted(self.accepted - self.written.keys())
        assert not missing, f"lost: {missing}"
        assert not self.wrong, self.wrong


class Network:
    """Delays, in order, what is sent; and loses connections."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._times: dict[object, float] = {}

    def carry(self, way: object, deliver: Any, *arguments: Any) -> None:
        """Have something arrive after a while, and after what was sent before."""
        loop = asyncio.get_running_loop()
        delay = self._chance.choice((0.0, 0.0, 0.01, 0.1, 1.0)) * self._chance.random()
        at = max(loop.time() + delay, self._times.get(way, 0.0))
        self._times[way] = at + 1e-6
        loop.call_at(at, deliver, *arguments)


class Device(Client):
    """One connection of a user, which does things until it is told to stop."""

    def __init__(self, world: World, user: str, number: int) -> None:
        self.world = world
        self.user = user
        self.number = number
        self.gone = False
        self.counter = 0
        self.open: list[str] = []
        self.answers: dict[str, asyncio.Future[Stanza]] = {}
        super().__init__(world.server)
        self._wrap(self.link)

    def _wrap(self, link: MemoryLink) -> None:
        network, wire, ledger = self.world.network, self.wire, self.world.ledger
        arrive, receive, write = link.arrive, wire.receive, link.write

        def noted(data: bytes) -> None:
            # What is written before the server knows that the network failed is out of its hands.
            if not link.closed or link.breaking:
                ledger.write(link, data)
            write(data)

        link.write = noted  # type: ignore[method-assign]
        link.arrive = lambda data: network.carry((link, "in"), arrive, data)  # type: ignore[method-assign]
        wire.receive = lambda data: network.carry((link, "out"), receive, data)  # type: ignore[method-assign]

    async def live(self, steps: int) -> None:
        """Log in, do some things, and go in one way or the other."""
        chance = self.world.chance
        try:
            await self.bound(self.user, f"r{self.number % 3}")
            reading = asyncio.ensure_future(self._read())
            try:
                self.send("<presence/>")
                for _ in range(steps):
                    await asyncio.sleep(chance.random() * 3)
                    chance.choice(self.DOINGS)(self)
                await self._leave()
            finally:
                reading.cancel()
        except (AssertionError, TimeoutError) as error:
            # Another session took the resource, or the network broke: that is life.
            if not self.link.closed and "is just being bound" not in str(error):
                raise
            self.wire.break_off()

    # Doings

    def _somebody(self) -> str:
        return self.world.chance.choice([name for name in USERS if name != self.user])

    def message(self) -> None:
        """A message to an account, or to one of its resources."""
        to = self._somebody()
        address = to + self.world.chance.choice(("", "", "", "/r0", "/r1"))
        self.counter += 1
        id = f"m-{id_of(self)}-{address.replace('/', '_')}-{self.counter}"
        local, _, resource = address.partition("/")
        full = f"{local}@{DOMAIN}" + (f"/{resource}" if resource else "")
        self.send(f"<message to='{full}' type='chat' id='{id}'><body>{id}</body></message>")
        self.open.append(id)

    def burst(self) -> None:
        """Many messages at once."""
        for _ in range(self.world.chance.randrange(2, 20)):
            self.message()

    def priority(self) -> None:
        """More or less available."""
        priority = self.world.chance.choice((-1, 0, 1, 5))
        self.send(f"<presence><priority>{priority}</priority></presence>")

    def away(self) -> None:
        """Not available for a while."""
        self.send("<presence type='unavailable'/>")

    def subscription(self) -> None:
        """Any of the four, in or out of place."""
        type = self.world.chance.choice(("subscribe", "subscribed", "unsubscribe", "unsubscribed"))
        self.send(f"<presence type='{type}' to='{self._somebody()}@{DOMAIN}'/>")

    def roster(self) -> None:
        """Ask for the roster."""
        self.ask("get", f"<query xmlns='{ROSTER}'/>")

    def remove(self) -> None:
        """Take somebody off the roster."""
        item = f"<item jid='{self._somebody()}@{DOMAIN}' subscription='remove'/>"
        self.ask("set", f"<query xmlns='{ROSTER}'>{item}</query>")

    def fence(self) -> None:
        """Learn that everything before has been handled."""
        sent = tuple(self.open)
        self.open.clear()
        asked = self.ask("get", "<ping xmlns='urn:xmpp:ping'/>")
        asked.add_done_callback(
            lambda done: None if done.cancelled() else self.world.ledger.accepted.update(sent)
        )

    def break_off(self) -> None:
        """Lose the connection."""
        self.wire.break_off()

    def stall(self) -> None:
        """Nothing arrives for a while."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.world.chance.random() * 20
        self.world.network._times[(self.link, "out")] = until

    DOINGS = (
        *(message,) * 6,
        *(fence,) * 4,
        *(subscription,) * 3,
        burst,
        priority,
        priority,
        away,
        roster,
        remove,
        stall,
        break_off,
    )

    # ---

    def ask(self, type: str, payload: str) -> asyncio.Future[Stanza]:
        """Send a request."""
        self.counter += 1
        id = f"q{self.counter}"
        self.send(f"<iq type='{type}' id='{id}'>{payload}</iq>")
        answer = self.answers[id] = asyncio.get_running_loop().create_future()
        return answer

    async def _read(self) -> None:
        while True:
            event = await self.wire.events.get()
            if isinstance(event, Stanza):
                waiting = self.answers.pop(event.id or "", None)
                if waiting is not None:
                    waiting.set_result(event)
            elif event is None:
                self.gone = True

    async def _leave(self) -> None:
        if self.world.chance.random() < 0.5:
            self.wire.break_off()
            return
        self.fence()
        self.send("</stream:stream>")
        async with asyncio.timeout(300):
            while not self.gone:
                await asyncio.sleep(1)


def id_of(device: Device) -> str:
    """Who sends, in the id of a message."""
    return f"{device.user}{device.number}"


class World:
    """All of it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.network = Network(self.chance)
        self.ledger = Ledger()
        self.server: Server
        self._number = 0

    async def run(self, sessions: int = 12, steps: int = 12) -> None:
        """Let it happen, then look at what came of it."""
        self.server = await new_server(features(SlowStorage(self.chance)), USERS)
        loop = asyncio.get_running_loop()
        complaints: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        try:
            await asyncio.gather(*(self._user(user, sessions, steps) for user in USERS))
            await asyncio.sleep(100)
            assert complaints == []
            assert self.server.registry.accounts == {}
            await self._agree()
            self.ledger.check()
        finally:
            await self.server.close()
        assert self.server.registry.accounts == {}
        assert self.server.connections == set()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert complaints == []

    async def _user(self, user: str, sessions: int, steps: int) -> None:
        lives = []
        for _ in range(sessions):
            await asyncio.sleep(self.chance.random() * 20)
            self._number += 1
            lives.append(asyncio.ensure_future(Device(self, user, self._number).live(steps)))
        await asyncio.gather(*lives)

    async def _agree(self) -> None:
        """Everybody comes, gets what is waiting, and looks at the roster."""
        rosters: dict[str, dict[str, str]] = {}
        for user in USERS:
            self._number += 1
            device = Device(self, user, self._number)
            await device.bound(user, "last")
            device.send("<presence/>")
            device.send(f"<iq type='get' id='roster'><query xmlns='{ROSTER}'/></iq>")
            come = await device.settled()
            (answer,) = (stanza for stanza in come if stanza.id == "roster")
            rosters[user] = {
                item.get("jid", "").partition("@")[0]: item.get("subscription", "")
                for item in answer[0]
            }
            device.send("</stream:stream>")
            while await device.event() is not None:
                pass
        for user in USERS:
            for other in USERS:
                if user != other:
                    sees = rosters[user].get(other, "none") in ("to", "both")
                    shows = rosters[other].get(user, "none") in ("from", "both")
                    assert sees is shows, (user, other, rosters)
