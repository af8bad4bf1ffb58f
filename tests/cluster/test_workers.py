"""Several workers and a bus, in memory and virtual time: who dies, and what is lost: nothing."""

from __future__ import annotations

import asyncio
import gc
import random

import pytest
from conversation import DOMAIN, Client, at_once, cheap_accounts
from slow_hub import SlowHub
from virtual import run

from xmppfast.cluster.memory import Hub
from xmppfast.core.jid import JID
from xmppfast.server.defaults import features
from xmppfast.server.server import Server, Settings
from xmppfast.storage.memory import MemoryStorage

NAMES = ("alice", "bob", "carol")


class Workers:
    """Servers that share a hub and a storage, by number."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.storage = MemoryStorage()
        self.servers = {}

    async def start(self, *numbers):
        """Start these."""
        for number in numbers:
            accounts = await cheap_accounts(self.storage, DOMAIN, *NAMES)
            settings = Settings(JID.parse(DOMAIN), plaintext=True)
            admin = JID.parse(f"alice@{DOMAIN}")
            installed = features(self.storage, [admin], register=True)
            server = Server(settings, accounts, installed, at_once)
            await server.join(self.hub.bus(f"worker-{number}"))
            self.servers[number] = server

    async def client(self, number, name, resource="r"):
        """A session at a worker."""
        return await Client(self.servers[number]).bound(name, resource)

    def kill(self, number):
        """Have a worker do nothing any more, from one moment to the next."""
        self.hub.remove(f"worker-{number}")
        del self.servers[number]

    def owner(self, name):
        """The number of the worker that has an account."""
        found = self.hub.owners.get(f"{name}@{DOMAIN}")
        return None if found is None else int(found.rpartition("-")[2])


def workers_test(work, *numbers):
    """Run a test with these workers, then stop those that are left."""

    async def main():
        workers = Workers()
        await workers.start(*(numbers or (1, 2)))
        await work(workers)
        for server in workers.servers.values():
            await server.close()
            assert not server.connections
        assert not workers.hub.owners

    run(main())


def message(to, id, type="chat"):
    return f"<message to='{to}' type='{type}' id='{id}'><body>{id}</body></message>"


async def available(client):
    """Send presence; what comes of it."""
    client.send("<presence/>")
    return await client.settled()


BOB = f"bob@{DOMAIN}/r"
ALICE = f"alice@{DOMAIN}/r"


# Delivery ----------------------------------------------------------------------------------------


def test_messages_between_workers_keep_their_order():
    async def work(workers):
        alice, bob = await workers.client(1, "alice"), await workers.client(2, "bob")
        await available(bob)
        for number in range(300):
            alice.send(message(BOB if number % 3 else f"bob@{DOMAIN}", number))
        assert [(await bob.stanza()).id for _ in range(300)] == list(map(str, range(300)))

    workers_test(work)


def test_a_request_and_its_answer_cross():
    async def work(workers):
        alice, bob = await workers.client(1, "alice"), await workers.client(2, "bob")
        alice.send(f"<iq type='get' id='q' to='{BOB}'><ping xmlns='urn:xmpp:ping'/></iq>")
        asked = await bob.stanza()
        assert (asked.from_, asked.id) == (ALICE, "q")
        bob.send(f"<iq type='result' id='q' to='{ALICE}'/>")
        answer = await alice.stanza()
        assert (answer.type, answer.from_) == ("result", BOB)

    workers_test(work)


@pytest.mark.parametrize("to", [f"bob@{DOMAIN}/other", f"nobody@{DOMAIN}", f"nobody@{DOMAIN}/r"])
def test_what_cannot_be_delivered_is_answered_from_the_other_worker(to):
    async def work(workers):
        alice, _ = await workers.client(1, "alice"), await workers.client(2, "bob")
        alice.send(message(to, "m", "normal"))
        answer = await alice.stanza()
        assert (answer.type, answer.from_, answer.id) == ("error", to, "m")

    workers_test(work)


def test_an_account_is_where_its_first_resource_is():
    async def work(workers):
        alice = await workers.client(1, "alice")
        alice.send(message(f"bob@{DOMAIN}", "stored"))
        await alice.settled()
        assert workers.owner("bob") == 1
        bob = await workers.client(2, "bob")
        assert workers.owner("bob") == 2
        assert [it.id for it in await available(bob) if it.name == "message"] == ["stored"]
        await asyncio.sleep(5)
        assert workers.owner("bob") == 2
        await workers.client(1, "bob", "second")
        assert workers.owner("bob") == 2

    workers_test(work)


def test_an_account_that_nobody_uses_is_released():
    async def work(workers):
        alice = await workers.client(1, "alice")
        alice.send(message(f"bob@{DOMAIN}", "stored"))
        await alice.settled()
        assert workers.owner("bob") == 1
        await asyncio.sleep(5)
        assert workers.owner("bob") is None
        assert workers.owner("alice") == 1

    workers_test(work)


def test_an_account_is_released_after_its_last_session():
    async def work(workers):
        sessions = [await workers.client(number, "alice", f"r{number}") for number in (1, 2)]
        await asyncio.sleep(5)
        for session in sessions:
            assert workers.owner("alice") == 1
            await ended(session)
        await asyncio.sleep(5)
        assert workers.owner("alice") is None
        assert not any(it.neighbours.ownership.owned for it in workers.servers.values())

    workers_test(work)


# Resources of one account at several workers -----------------------------------------------------


def test_the_newest_session_has_the_resource_wherever_it_is():
    async def work(workers):
        first = await workers.client(1, "alice")
        second = await workers.client(2, "alice")
        assert await first.stream_error() == "conflict"
        third = await workers.client(1, "alice")
        assert await second.stream_error() == "conflict"
        fourth = await workers.client(1, "alice")
        assert await third.stream_error() == "conflict"
        assert await fourth.settled() == []

    workers_test(work)


def test_an_administrator_ends_sessions_at_every_worker():
    async def work(workers):
        admin = await workers.client(1, "alice")
        bobs = [await workers.client(2, "bob", "one"), await workers.client(1, "bob", "two")]
        assert await workers.servers[1].accounts.remove(JID.parse(f"bob@{DOMAIN}"))
        for bob in bobs:
            assert await bob.stream_error() == "not-authorized"
        assert await admin.settled() == []

    workers_test(work)


def test_a_guest_removes_its_account():
    async def work(workers):
        here = await workers.client(1, "bob", "here")
        guest = await workers.client(2, "bob", "guest")
        assert workers.owner("bob") == 1
        guest.send(
            "<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>"
            + message(f"alice@{DOMAIN}", "too late")
        )
        removed = await guest.stanza()
        assert (removed.id, removed.type) == ("r", "result")
        for bob in (guest, here):
            assert await bob.stream_error() == "not-authorized"
        assert not await workers.servers[2].accounts.exists(JID.parse(f"bob@{DOMAIN}"))
        assert await workers.storage.archive("offline").count(f"alice@{DOMAIN}") == 0

    workers_test(work)


def test_what_a_guest_sent_before_its_end_is_stored():
    async def work(workers):
        await workers.client(1, "alice", "stays")
        guest = await workers.client(2, "alice", "guest")
        assert workers.owner("alice") == 1
        for number in range(9):
            guest.send(message(f"bob@{DOMAIN}", number))
        await ended(guest)
        bob = await workers.client(1, "bob")
        found = [it.id for it in await available(bob) if it.name == "message"]
        assert found == list(map(str, range(9)))

    workers_test(work)


def test_a_roster_that_was_changed_elsewhere_is_read_anew():
    async def work(workers):
        gc.disable()  # what is in memory may stay there
        try:
            for number, contact in ((1, "bob"), (2, "carol"), (1, "dave")):
                alice = await workers.client(number, "alice")
                alice.send(
                    "<iq type='set' id='s'><query xmlns='jabber:iq:roster'>"
                    f"<item jid='{contact}@{DOMAIN}'/></query></iq>"
                )
                await alice.settled()
                alice.send("<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>")
                found = next(it for it in await alice.settled() if it.id == "g")
                await ended(alice)
                await asyncio.sleep(5)
        finally:
            gc.enable()
        contacts = [item.get("jid") for item in found[0]]
        assert sorted(contacts) == [f"{it}@{DOMAIN}" for it in ("bob", "carol", "dave")]

    workers_test(work)


async def ended(client):
    """End a session; wait until its connection is closed."""
    client.send("</stream:stream>")
    while await client.event() is not None:
        pass


def held_up(server):
    """Have what others send to a worker wait from now on; gives what lets it arrive."""
    late = []
    server.neighbours.received = lambda *arguments: late.append(arguments)

    def release():
        del server.neighbours.received
        for arguments in late:
            server.neighbours.received(*arguments)

    return release


async def ended_meanwhile(client, sender, to):
    """What a client is still given of sixty messages if it goes while they are sent."""

    async def send():
        for number in range(60):
            sender.send(message(to, number))
            await asyncio.sleep(0)

    sending = asyncio.create_task(send())
    for _ in range(20):
        await asyncio.sleep(0)
    client.send("</stream:stream>")
    found = []
    while (event := await client.event()) is not None:
        if getattr(event, "name", "") == "message":
            found.append(event.id)
    await sending
    await sender.settled()
    return found


def test_what_a_guest_is_not_given_keeps_its_order():
    async def work(workers):
        await workers.client(1, "alice", "stays")
        guest = await workers.client(2, "alice", "guest")
        bob = await workers.client(1, "bob")
        had = await ended_meanwhile(guest, bob, f"alice@{DOMAIN}/guest")
        assert had != list(map(str, range(60)))
        later = await workers.client(1, "alice", "later")
        stored = [it.id for it in await available(later) if it.name == "message"]
        assert had + stored == list(map(str, range(60)))

    workers_test(work)


@pytest.mark.parametrize("change", ["it is unavailable", "another is available"])
def test_what_a_guest_is_not_given_is_not_overtaken_when_receivers_change(change):
    async def work(workers):
        other = await workers.client(1, "alice", "other")
        guest = await workers.client(2, "alice", "guest")
        await available(guest)
        bob = await workers.client(1, "bob")
        release = held_up(workers.servers[2])
        bob.send(message(f"alice@{DOMAIN}", "a"))
        await asyncio.sleep(0.1)
        if change == "it is unavailable":
            guest.send("<presence type='unavailable'/>")
        else:
            other.send("<presence/>")
        await asyncio.sleep(0.1)
        bob.send(message(f"alice@{DOMAIN}", "b"))
        await asyncio.sleep(0.1)
        guest.send("</stream:stream>")
        await asyncio.sleep(0.1)
        release()
        await asyncio.sleep(1)
        found = [it.id for it in await available(other) if it.name == "message"]
        assert found == ["a", "b"]

    workers_test(work)


@pytest.mark.parametrize("dies", [False, True])
def test_what_was_stored_and_a_guest_is_not_given_keeps_its_place(dies, monkeypatch):
    async def work(workers):
        archive = type(workers.storage.archive("offline"))
        delete = archive.delete

        async def slowly(*arguments):
            await asyncio.sleep(1)
            await delete(*arguments)

        monkeypatch.setattr(archive, "delete", slowly)
        other = await workers.client(1, "alice", "other")
        guest = await workers.client(2, "alice", "guest")
        bob = await workers.client(1, "bob")
        for number in range(4):
            bob.send(message(f"alice@{DOMAIN}", number))
        await bob.settled()
        release = held_up(workers.servers[2])
        guest.send("<presence/>")
        await asyncio.sleep(0.1)
        bob.send(message(f"alice@{DOMAIN}", 4))
        await asyncio.sleep(0.1)
        if dies:
            workers.kill(2)
        else:
            guest.send("</stream:stream>")
            await asyncio.sleep(0.1)
            release()
        await asyncio.sleep(3)
        other.send("<presence/>")
        await asyncio.sleep(3)
        found = [it.id for it in await other.settled() if it.name == "message"]
        assert found == list(map(str, range(5)))

    workers_test(work)


def test_nobody_waits_for_a_guest_while_the_bus_is_away():
    async def work(workers):
        here = await workers.client(1, "alice", "here")
        guest = await workers.client(2, "alice", "guest")
        await available(guest)
        bob = await workers.client(1, "bob")
        workers.hub.fail()
        bob.send(message(f"alice@{DOMAIN}", "a"))
        await bob.settled()
        await available(here)
        bob.send(message(f"alice@{DOMAIN}", "b"))
        await bob.settled()
        assert [it.id for it in await here.settled() if it.name == "message"] == ["b"]
        workers.hub.restore()
        assert [(await guest.stanza()).name for _ in range(3)] == ["message", "presence", "message"]

    workers_test(work)


def test_nobody_waits_for_what_was_stored_to_reach_a_guest_while_the_bus_is_away():
    async def work(workers):
        here = await workers.client(1, "alice", "here")
        guest = await workers.client(2, "alice", "guest")
        bob = await workers.client(1, "bob")
        bob.send(message(f"alice@{DOMAIN}", "stored"))
        await bob.settled()
        release = held_up(workers.servers[2])
        guest.send("<presence/>")
        await asyncio.sleep(0.1)
        workers.hub.fail()
        await asyncio.sleep(5)
        await available(here)
        bob.send(message(f"alice@{DOMAIN}", "new"))
        await bob.settled()
        assert [it.id for it in await here.settled() if it.name == "message"] == ["new"]
        workers.hub.restore()
        release()
        assert [it.id for it in await guest.settled() if it.name == "message"] == ["stored", "new"]

    workers_test(work)


def test_what_others_were_given_is_not_delivered_again_for_a_guest_that_has_gone():
    async def work(workers):
        stays = await workers.client(1, "alice", "stays")
        await available(stays)
        guest = await workers.client(2, "alice", "guest")
        await available(guest)
        await stays.settled()
        bob = await workers.client(1, "bob")
        had = await ended_meanwhile(guest, bob, f"alice@{DOMAIN}")
        assert had != list(map(str, range(60)))
        found = [it.id for it in await stays.settled() if it.name == "message"]
        assert found == list(map(str, range(60)))

    workers_test(work)


def test_a_guest_outlives_the_worker_that_has_its_account():
    async def work(workers):
        lost = await workers.client(2, "alice", "lost")
        await available(lost)
        guest = await workers.client(1, "alice", "guest")
        guest.send("<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>")
        await available(guest)
        bob = await workers.client(3, "bob")
        assert workers.owner("alice") == 2
        workers.kill(2)
        bob.send(message(f"alice@{DOMAIN}", "m"))
        bob.send(message(f"alice@{DOMAIN}/guest", "n"))
        come = []
        while {"m", "n"} - set(come):
            come.append((await guest.stanza()).id)
        assert workers.owner("alice") in (1, 3)
        other = await workers.client(3, "alice", "other")
        other.send(
            "<iq type='set' id='s'><query xmlns='jabber:iq:roster'>"
            f"<item jid='carol@{DOMAIN}'/></query></iq>"
        )
        await other.settled()
        assert [it[0].name for it in await guest.settled() if it.type == "set"] == ["query"]

    workers_test(work, 1, 2, 3)


def test_a_guest_is_gone_with_the_worker_it_is_connected_to():
    async def work(workers):
        stays = await workers.client(1, "alice", "stays")
        await available(stays)
        guest = await workers.client(2, "alice", "guest")
        await available(guest)
        assert len(await stays.settled()) == 1
        workers.kill(2)
        left = await stays.stanza()
        assert (left.type, left.from_) == ("unavailable", f"alice@{DOMAIN}/guest")

    workers_test(work)


# A worker dies -----------------------------------------------------------------------------------


def test_what_a_dead_worker_did_not_take_is_stored_in_order():
    async def work(workers):
        alice, bob = await workers.client(1, "alice"), await workers.client(2, "bob")
        await available(bob)
        alice.send(message(f"bob@{DOMAIN}", "before"))
        assert (await bob.stanza()).id == "before"
        assert await alice.settled() == []
        for number in range(20):
            alice.send(message(f"bob@{DOMAIN}", number))
        workers.kill(2)
        for number in range(20, 30):
            alice.send(message(f"bob@{DOMAIN}", number))
        await alice.settled()
        again = await workers.client(3, "bob")
        found = [it.id for it in await available(again) if it.name == "message"]
        assert found == list(map(str, range(30)))

    workers_test(work, 1, 2, 3)


def test_an_answer_means_that_no_worker_can_lose_what_was_sent_before():
    async def work(workers):
        alice, bob = await workers.client(1, "alice"), await workers.client(2, "bob")
        await available(bob)
        workers.servers[2].neighbours.received = lambda sender, data: None  # it hangs
        alice.send(message(f"bob@{DOMAIN}", "m"))
        alice.send("<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>")
        await asyncio.sleep(1)
        assert alice.wire.events.empty()
        workers.kill(2)
        assert (await alice.stanza()).id == "ping"
        assert await workers.storage.archive("offline").count(f"bob@{DOMAIN}") == 1

    workers_test(work)


# The bus is away ---------------------------------------------------------------------------------


def test_a_short_absence_of_the_bus_is_waited_for():
    async def work(workers):
        alice, bob = await workers.client(1, "alice"), await workers.client(2, "bob")
        await available(bob)
        workers.hub.fail()
        for number in range(5):
            alice.send(message(f"bob@{DOMAIN}", number))
        await asyncio.sleep(1)
        workers.hub.restore()
        for number in range(5, 9):
            alice.send(message(BOB, number))
        stanzas = [await bob.stanza() for _ in range(9)]
        assert [it.id for it in stanzas] == list(map(str, range(9)))
        assert not any(it.find("{urn:xmpp:delay}delay") for it in stanzas)

    workers_test(work)


def test_without_a_bus_everybody_goes_on_and_messages_are_stored():
    async def work(workers):
        alice, bob = await workers.client(1, "alice"), await workers.client(2, "bob")
        near = await workers.client(1, "carol")
        for client in (alice, bob, near):
            await available(client)
        workers.hub.fail()
        alice.send(message(BOB, "first"))
        await asyncio.sleep(5)
        alice.send(message(BOB, "second"))
        alice.send(f"<iq type='get' id='q' to='{BOB}'><ping xmlns='urn:xmpp:ping'/></iq>")
        refused = await alice.stanza()
        assert (refused.id, refused.type) == ("q", "error")
        assert refused.find("{jabber:client}error")[0].name == "remote-server-timeout"
        alice.send(message(f"carol@{DOMAIN}/r", "near"))
        assert (await near.stanza()).id == "near"
        assert await workers.storage.archive("offline").count(f"bob@{DOMAIN}") == 2
        workers.hub.restore()
        alice.send(message(BOB, "third"))
        stanzas = [await bob.stanza() for _ in range(3)]
        assert [it.id for it in stanzas] == ["first", "second", "third"]
        assert [it.find("{urn:xmpp:delay}delay") is not None for it in stanzas] == [
            True,
            True,
            False,
        ]

    workers_test(work)


def test_nobody_gets_a_resource_that_the_others_cannot_be_asked_about():
    async def work(workers):
        here = await workers.client(1, "alice")
        workers.hub.fail()
        await asyncio.sleep(5)
        assert await (await workers.client(1, "alice", "more")).settled() == []
        stranger = Client(workers.servers[1])
        await stranger.authenticated("bob")
        stranger.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        refused = await stranger.stanza()
        assert refused.find("{jabber:client}error")[0].name == "resource-constraint"
        workers.hub.restore()
        assert await here.settled() == []
        assert await (await workers.client(1, "bob")).settled() == []

    workers_test(work)


def test_nobody_claims_what_others_have_while_a_bus_that_forgot_learns_of_it():
    async def work(workers):
        alice, bob = await workers.client(1, "alice"), await workers.client(2, "bob")
        await available(bob)
        workers.hub.fail()
        workers.hub.down = False
        # The second worker is a little later.
        workers.servers[1].neighbours.restored({}, {"worker-1"})
        alice.send(message(BOB, "m"))
        await alice.settled()
        workers.hub.restore()
        assert (await bob.stanza()).id == "m"
        assert workers.owner("bob") == 2

    workers_test(work)


def test_presence_of_a_time_without_bus_is_told_afterwards():
    async def work(workers):
        alice, bob = await workers.client(1, "alice"), await workers.client(2, "bob")
        await available(alice)
        await available(bob)
        alice.send(f"<presence to='{BOB}'/>")
        assert (await bob.stanza()).from_ == ALICE
        workers.hub.fail()
        await asyncio.sleep(5)
        alice.send("<presence type='unavailable'/>")
        await alice.settled()
        workers.hub.restore()
        assert (await bob.stanza()).type == "unavailable"

    workers_test(work)


def test_a_worker_stops_while_others_go_on():
    async def work(workers):
        alice, bob = await workers.client(1, "alice"), await workers.client(2, "bob")
        await available(bob)
        alice.send(message(f"bob@{DOMAIN}", "m"))
        await workers.servers.pop(2).close()
        assert await bob.stream_error() == "system-shutdown"
        alice.send(message(f"bob@{DOMAIN}", "n"))
        await alice.settled()
        assert await workers.storage.archive("offline").count(f"bob@{DOMAIN}") == 2

    workers_test(work)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_done_twice_when_a_worker_stops(seed):
    async def work(workers):
        workers.hub = SlowHub(random.Random(seed))
        await workers.start(1, 2)
        await workers.client(1, "alice", "stays")
        guest = await workers.client(2, "alice", "guest")
        assert workers.owner("alice") == 1

        async def send():
            for number in range(200):
                guest.send(message(f"bob@{DOMAIN}", number))
                await asyncio.sleep(0.005)

        sending = asyncio.create_task(send())
        await asyncio.sleep(0.3)
        await workers.servers.pop(1).close()
        await sending
        await guest.settled()
        bob = await workers.client(2, "bob")
        found = [it.id for it in await available(bob) if it.name == "message"]
        assert found == list(map(str, range(200)))

    workers_test(work, 3)
