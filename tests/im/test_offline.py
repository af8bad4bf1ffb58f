"""Messages for accounts that can't take them now (XEP-0160), with stamps (XEP-0203)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from xmppfast import parse
from xmppfast.core.dispatch import Account, Passage, Resource
from xmppfast.core.errors import StanzaError
from xmppfast.core.jid import JID
from xmppfast.im.delay import delay, microseconds, moment
from xmppfast.im.messaging import messaging
from xmppfast.im.offline import Offline, worth_storing
from xmppfast.storage.memory import MemoryStorage

ALICE = JID.parse("alice@example.org/a")
BOB = JID.parse("bob@example.org")
NOW = datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)


def test_kept_and_sent_once(play):
    """XEP-0160 section 3: in order, stamped by the server, as soon as the account takes them."""
    play("""
        bob/connected logs in
        alice/a logs in
        alice/a sends
            <message to='bob@$domain' type='chat' id='1'><body>♥ &amp; more</body></message>
            <message to='bob@$domain/gone' type='chat' id='2'><body>2</body></message>
            <message to='bob@$domain' id='3'><subject>3</subject></message>
        alice/a receives nothing
    """)
    play("""
        bob/b logs in
        bob/b receives nothing
        bob/b sends
            <presence><priority>-1</priority></presence>
        bob/b receives
            <presence/>
        bob/b receives nothing
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
            <message to='bob@$domain' from='alice@$domain/a' type='chat' id='1'>
                <body>♥ &amp; more</body><delay xmlns='urn:xmpp:delay' from='$domain' stamp='$s'/>
            </message>
            <message to='bob@$domain/gone' from='alice@$domain/a' type='chat' id='2'>
                <body>2</body><delay xmlns='urn:xmpp:delay' from='$domain' stamp='*'/>
            </message>
            <message to='bob@$domain' from='alice@$domain/a' id='3'>
                <subject>3</subject><delay xmlns='urn:xmpp:delay' from='$domain' stamp='*'/>
            </message>
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
        bob/b receives nothing
    """)
    play("""
        bob/b logs in
        bob/b sends
            <presence/>
        bob/b receives
            <presence/>
        bob/b receives nothing
    """)


def test_not_kept(play):
    """RFC 6121 section 8.5.2.2.1: groupchat is refused; headlines and errors are dropped."""
    play("""
        alice/a logs in
        bob/connected logs in
        alice/a sends
            <message to='bob@$domain' type='groupchat' id='1'><body>x</body></message>
            <message to='bob@$domain' type='headline' id='2'><body>x</body></message>
            <message to='bob@$domain' type='error' id='3'><body>x</body></message>
            <message to='bob@$domain' type='chat' id='4'>
                <composing xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread>
            </message>
        alice/a receives
            <message refused='service-unavailable' id='1'/>
        alice/a receives nothing
        bob/connected sends
            <presence/>
        bob/connected receives
            <presence/>
        bob/connected receives nothing
    """)


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ("<body>x</body>", True),
        ("<subject/>", True),
        ("<x xmlns='urn:x'/>", True),
        ("<body>x</body><active xmlns='http://jabber.org/protocol/chatstates'/>", True),
        ("<gone xmlns='http://jabber.org/protocol/chatstates'/>", False),
        ("<gone xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread>", False),
        ("<body>x</body><no-store xmlns='urn:xmpp:hints'/>", False),
        ("<body>x</body><no-permanent-store xmlns='urn:xmpp:hints'/>", False),
        ("<body>x</body><store xmlns='urn:xmpp:hints'/>", True),
        ("", False),
    ],
)
def test_worth_storing(content, kept):
    """XEP-0160 section 3, XEP-0334 section 4."""
    assert worth_storing(parse(f"<message xmlns='jabber:client'>{content}</message>")) is kept


def test_stamps():
    """XEP-0203 section 4: in the format of XEP-0082, in UTC."""
    for hours in (0, 5):
        element = delay(NOW.astimezone(_zone(hours)), "example.org")
        assert element.attrib == {"from": "example.org", "stamp": "2024-02-29T23:59:59.999Z"}
    assert moment(microseconds(NOW)) == NOW


def _zone(hours):
    return timezone(timedelta(hours=hours))


class Receiver(Resource):
    def __init__(self, account, name, priority=0):
        super().__init__(account.jid.with_resource(name), account)
        account.resources[name] = self
        self.presence, self.priority = parse("<presence xmlns='jabber:client'/>"), priority
        self.got = []

    def send(self, data):
        self.got.append(parse(data).get("id"))


def message(number):
    text = f"<message xmlns='jabber:client' id='{number}'><body>x</body></message>"
    return Passage(parse(text), ALICE, BOB)


class World:
    """Offline storage, and an account that comes and goes."""

    def __init__(self, most=1000):
        self.storage = MemoryStorage()
        self.here = None
        host = SimpleNamespace(now=lambda: NOW, account=lambda jid: self.here)
        self.offline = Offline(host, self.storage, most)

    def come(self, name="r", priority=0):
        self.here = self.here or Account(BOB)
        return Receiver(self.here, name, priority)

    async def waiting(self):
        return await self.storage.archive("offline").count(str(BOB))


def test_more_than_a_page():
    async def work():
        world = World()
        for number in range(120):
            await world.offline.store(message(number))
        bob = world.come()
        await world.offline.send(world.here)
        assert bob.got == [str(number) for number in range(120)]
        assert await world.waiting() == 0

    asyncio.run(work())


def test_a_full_store_is_said():
    """RFC 6121 section 8.5.2.2.1: what isn't stored is refused."""

    async def work():
        world = World(most=2)
        await world.offline.store(message(1))
        await world.offline.store(message(2))
        with pytest.raises(StanzaError, match="service-unavailable"):
            await world.offline.store(message(3))
        assert await world.waiting() == 2

    asyncio.run(work())


def test_it_goes_to_the_most_available():
    async def work():
        world = World()
        await world.offline.store(message(1))
        low, high, negative = world.come("a", 1), world.come("b", 5), world.come("c", -5)
        await world.offline.send(world.here)
        assert (low.got, high.got, negative.got) == ([], ["1"], [])

    asyncio.run(work())


def test_who_leaves_in_between_loses_nothing():
    async def work():
        world = World()
        for number in range(120):
            await world.offline.store(message(number))
        bob = world.come()
        delete = world.storage.archive("offline").delete

        async def leave_then_delete(owner, ids):
            bob.presence = bob.priority = None
            await delete(owner, ids)

        world.storage.archive("offline").delete = leave_then_delete
        await world.offline.send(world.here)
        assert bob.got == [str(number) for number in range(50)]
        assert await world.waiting() == 70
        assert not world.offline.waits(BOB)

    asyncio.run(work())


def test_who_comes_back_while_it_is_looked_is_given_them():
    """The account is forgotten with its last resource: with the next, it is another object."""

    async def work():
        world = World()
        await world.offline.store(message(1))
        gone = world.come()
        sending = world.offline.send(world.here)
        world.here = None
        bob = world.come()
        assert world.offline.send(world.here) is None
        await sending
        assert (gone.got, bob.got) == ([], ["1"])
        assert await world.waiting() == 0

    asyncio.run(work())


def test_two_at_a_time_send_each_message_once():
    async def work():
        world = World()
        for number in range(10):
            await world.offline.store(message(number))
        bob = world.come()
        outcomes = [world.offline.send(world.here) for _ in range(3)]
        assert outcomes[1:] == [None, None]
        await outcomes[0]
        assert bob.got == [str(number) for number in range(10)]

    asyncio.run(work())


def test_stored_while_others_are_sent():
    """Nothing is forgotten between the last look and the end, and the order holds."""

    async def work():
        world = World()
        await world.offline.store(message(0))
        bob = world.come()
        archive = world.storage.archive("offline")
        read, late = archive.read, []

        async def read_then_store(*arguments, **options):
            found = await read(*arguments, **options)
            if not found and len(late) < 3:
                # Committed after this read, and before its result is looked at.
                late.append(len(late) + 1)
                assert world.offline.waits(BOB)
                await world.offline.store(message(late[-1]))
            return found

        archive.read = read_then_store
        await world.offline.send(world.here)
        assert bob.got == ["0", "1", "2", "3"]
        assert await world.waiting() == 0

    asyncio.run(work())


def test_what_is_not_stored_does_not_wait():
    """A headline, or the state of a chat, goes past the messages that are being sent."""

    async def work():
        world = World()
        bob = world.come()
        host = world.offline._host
        host.exists = None
        deliver = messaging(host, world.offline).registrations[0].handler
        outcome = world.offline.send(world.here)
        assert world.offline.waits(BOB)

        def sent(content, **attributes):
            text = " ".join(f"{name}='{value}'" for name, value in attributes.items())
            data = f"<message xmlns='jabber:client' {text}>{content}</message>"
            return deliver(Passage(parse(data), ALICE, BOB, account=world.here))

        composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
        assert sent("<body>x</body>", id="1", type="headline") is True
        assert sent(composing, id="2", type="chat") is True
        stored = sent("<body>x</body>", id="3", type="chat")
        assert bob.got == ["1", "2"]
        assert await stored
        await outcome
        assert bob.got == ["1", "2", "3"]
        assert await world.waiting() == 0

    asyncio.run(work())
