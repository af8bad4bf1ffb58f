"""Everybody at once, over a storage that takes its time: nothing lost, and both sides agree.

Clients do random things without waiting for one another. Storage answers after random times, so
that what one does is still under way when the next begins. Time is virtual, and chance is seeded.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict

import pytest
import scenario
import virtual
from player import DOMAIN, Player, new_server
from wires import MemoryWire

from xmppfast import Stanza
from xmppfast.core.jid import JID
from xmppfast.im.rosters import Rosters
from xmppfast.im.subscription import TYPES, From, To
from xmppfast.storage.memory import MemoryStorage

NAMES = ("alice", "bob", "carol")
QUERY = "{jabber:iq:roster}query"


class Slow:
    """A shape whose answers come late: a read is of what was there when it began."""

    def __init__(self, shape, chance, turn):
        self._shape = shape
        self._chance = chance
        self._turn = turn

    def __getattr__(self, name):
        method = getattr(self._shape, name)

        async def read(*arguments, **options):
            found = await method(*arguments, **options)
            await asyncio.sleep(self._chance.random())
            return found

        async def write(*arguments, **options):
            # Writes are committed in the order they were asked for.
            async with self._turn:
                await asyncio.sleep(self._chance.random() / 5)
                return await method(*arguments, **options)

        if name in ("get", "items", "read", "count", "owners"):
            return read
        return lambda *arguments, **options: asyncio.ensure_future(write(*arguments, **options))


class SlowStorage(MemoryStorage):
    def __init__(self, chance):
        super().__init__()
        self._late = (chance, asyncio.Lock())

    def maps(self, name):
        return Slow(super().maps(name), *self._late)

    def archive(self, name):
        return Slow(super().archive(name), *self._late)

    def values(self, name):
        values = super().values(name)
        return values if name == "account" else Slow(values, *self._late)


class Client:
    """A resource that does things, and keeps what it was sent."""

    def __init__(self, account, name, wire):
        self.account = account
        self.name = name
        self.wire = wire
        self.roster = {}
        self.messages = []
        self.ids = 0

    def send(self, text):
        self.wire.send(text.encode())

    def take(self, event):
        """See what came, as a client does."""
        query = event.find(QUERY)
        if query is not None and event.type in ("result", "set"):
            if event.type == "result":
                self.roster = {}
            for item in query:
                self.roster[item.get("jid")] = dict(item.attrib)
                if item.get("subscription") == "remove":
                    del self.roster[item.get("jid")]
        if event.name == "message":
            assert event.type == "chat", event.raw
            self.messages.append((JID.parse(event.from_), int(event[0].text)))

    async def settle(self):
        """Take all that has come so far."""
        self.ids += 1
        self.send(f"<iq type='get' id='fence-{self.ids}'><fence xmlns='urn:example'/></iq>")
        while True:
            event = await self.wire.events.get()
            assert isinstance(event, Stanza), event
            if event.id == f"fence-{self.ids}":
                return
            self.take(event)


def act(chance, client, sent):
    """Do something at random."""
    other = chance.choice([name for name in NAMES if name != client.account])
    jid = f"{other}@{DOMAIN}"
    match chance.randrange(10):
        case 0 | 1 | 2 | 3:
            type = chance.choice(sorted(TYPES))
            client.send(f"<presence type='{type}' to='{jid}'/>")
        case 4:
            name = chance.choice("XYZ")
            client.send(
                "<iq type='set' id='s'><query xmlns='jabber:iq:roster'>"
                f"<item jid='{jid}' name='{name}'/></query></iq>"
            )
        case 5:
            client.send(
                "<iq type='set' id='r'><query xmlns='jabber:iq:roster'>"
                f"<item jid='{jid}' subscription='remove'/></query></iq>"
            )
        case 6:
            client.send(chance.choice(["<presence/>", "<presence type='unavailable'/>"]))
        case _:
            number = len(sent[client.account, other])
            sent[client.account, other].append(number)
            client.send(f"<message type='chat' to='{jid}'><body>{number}</body></message>")


@pytest.mark.parametrize("seed", range(20))
def test_everybody_at_once(seed):
    chance = random.Random(seed)
    sent = defaultdict(list)
    received = []

    async def work():
        storage = SlowStorage(chance)
        script = "\n".join(f"{name}/{number} logs in" for name in NAMES for number in range(2))
        server = await new_server(scenario.read_text(script, "at once"), storage)

        async def connect():
            return MemoryWire(server.connection())

        async def log_in(*resources):
            lines = "\n".join(f"{resource} logs in" for resource in resources)
            player = Player(scenario.read_text(lines, "log in"), connect)
            await player.play()
            return [
                Client(resource.partition("/")[0], resource, wire)
                for resource, wire in player.wires.items()
            ]

        # The second client of each account sees everything; the first comes and goes.
        watching = await log_in(*(f"{name}/1" for name in NAMES))
        active = await log_in(*(f"{name}/0" for name in NAMES))
        for client in watching:
            client.send("<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>")
            await client.settle()
        for _ in range(60):
            client = chance.choice([*active, *active, *watching])
            act(chance, client, sent)
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() * 2)
            if chance.random() < 0.1 and client in active:
                await client.settle()
                received.append(client)
                client.wire.break_off()
                active[active.index(client)] = (await log_in(client.name))[0]
        await asyncio.sleep(100)
        for client in (*active, *watching):
            await client.settle()
        received.extend((*active, *watching))
        for client in active:
            client.wire.break_off()
        # Whatever still waits is sent now.
        for client in watching:
            client.send("<presence/>")
        await asyncio.sleep(100)
        for client in watching:
            await client.settle()
        await check_rosters(storage, watching)
        await server.close()
        assert not server.registry.accounts

    virtual.run(work())
    check_messages(sent, received)


async def check_rosters(storage, watching):
    rosters = Rosters(storage, lambda account: asyncio.sleep(0, True))
    jids = [JID.parse(f"{name}@{DOMAIN}") for name in NAMES]
    loaded = {jid: await rosters.load(jid) for jid in jids}
    for one in jids:
        for other in jids:
            here, there = loaded[one].get(other).state, loaded[other].get(one).state
            assert (here.to is To.SUBSCRIBED) == (there.from_ is From.SUBSCRIBED)
            assert (here.to is To.PENDING) == (there.from_ is From.PENDING)
    for client in watching:
        stored = loaded[JID.parse(f"{client.account}@{DOMAIN}")]
        expected = {}
        for item in stored.listed():
            expected[str(item.jid)] = {
                "jid": str(item.jid),
                "subscription": item.state.subscription,
            }
            if item.name is not None:
                expected[str(item.jid)]["name"] = item.name
            if item.state.to is To.PENDING:
                expected[str(item.jid)]["ask"] = "subscribe"
            if item.state.from_ is From.APPROVED:
                expected[str(item.jid)]["approved"] = "true"
        assert client.roster == expected, "what was pushed is what is stored"


def check_messages(sent, received):
    for (sender, account), numbers in sent.items():
        got = set()
        for client in received:
            if client.account == account:
                own = [(jid, number) for jid, number in client.messages if jid.local == sender]
                assert len(own) == len(set(own)), "no message comes twice"
                for jid in {jid for jid, _ in own}:
                    numbered = [number for name, number in own if name == jid]
                    assert numbered == sorted(numbered), "order holds for each pair of addresses"
                got.update(number for _, number in own)
        assert got == set(numbers), "no message is lost"
