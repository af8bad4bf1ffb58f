"""Nobody takes the server from others: limits and fairness, over TCP."""

from __future__ import annotations

import asyncio
import base64
import threading

import pytest
from accounts import PASSWORD
from conversation import HEADER
from test_bad_peers import bad_peer_test, last_error

from xmppfast.protocol.sasl import plain
from xmppfast.server import connection
from xmppfast.server.quotas import PerAddress, PerSession, Quotas

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
PING = "<iq type='get' id='{}' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>"


@pytest.fixture(autouse=True)
def _loopback_counts(monkeypatch):
    """As if the clients of these tests came from elsewhere."""
    monkeypatch.setattr("xmppfast.server.addresses.network", lambda peer: peer)


def quotas(**each):
    """Settings with other quotas of a session, an address, or of all."""
    known = {name: each.pop(name) for name in ("queued_bytes", "unauthenticated") if name in each}
    session = {name: each.pop(name) for name in PerSession.__slots__ if name in each}
    return {"quotas": Quotas(PerSession(**session), PerAddress(**each), **known)}


@pytest.fixture
def slowed(monkeypatch):
    """Seconds that connections were left unread for what they did."""
    seconds = []
    slow_down = connection.Connection._slow_down

    def noted(self, time):
        seconds.append(time)
        slow_down(self, time)

    monkeypatch.setattr(connection.Connection, "_slow_down", noted)
    return seconds


async def log_in(client, name, password=PASSWORD):
    """Try to authenticate with PLAIN; the name of the answer, or of the condition."""
    initial = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
    client.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{initial}</auth>")
    answer = await client.stanza()
    return answer[0].name if answer.name == "failure" else answer.name


# Before the login --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        HEADER + "<auth xmlns='urn:a'>" + "x" * 10_000 + "</auth>",
        HEADER + "<auth xmlns='urn:a'>" + "x" * 20_000,
        "<stream:stream a='" + "x" * 10_000,
        HEADER + "<a " + " " * 10_000,
    ],
)
def test_not_much_is_read_before_the_login(data):
    async def work(service, connect):
        client = await connect()
        client.send(data)
        assert await last_error(client) == "policy-violation"

    bad_peer_test(work)


def test_as_much_as_every_server_has_to_take_is_read():
    async def work(service, connect):
        client = await connect()
        await client.opened()
        client.send(f"<auth xmlns='{SASL}' mechanism='X'>{'=' * 9_000}</auth>")
        assert (await client.stanza())[0].name in ("incorrect-encoding", "invalid-mechanism")
        alice = await (await connect()).bound("alice")
        alice.send(f"<message to='{alice.jid}'><body>{'x' * 100_000}</body></message>")
        assert len((await alice.stanza()).raw) > 100_000

    bad_peer_test(work)


# From one address --------------------------------------------------------------------------------


def test_too_many_connections_from_one_address():
    async def work(service, connect):
        alice = await (await connect()).bound("alice")
        assert await last_error(await connect()) == "policy-violation"
        alice.wire.break_off()
        while len(service.server.connections) > 1:
            await asyncio.sleep(0.001)
        await (await connect()).bound("bob")

    bad_peer_test(work, **quotas(connections=2))


def test_too_many_clients_that_do_not_log_in():
    async def work(service, connect):
        idle = [await connect() for _ in range(3)]
        for client in idle:
            await client.opened()
        assert await last_error(await connect()) == "resource-constraint"
        assert await log_in(idle[0], "alice") == "success"

    bad_peer_test(work, **quotas(unauthenticated=3))


def test_connections_that_come_too_fast_wait(slowed):
    async def work(service, connect):
        clients = await asyncio.gather(*(connect() for _ in range(10)))
        await asyncio.gather(*(client.opened() for client in clients))
        assert slowed
        assert max(slowed) < 3

    bad_peer_test(work, **quotas(connections_per_second=5, connections=100))


def test_passwords_are_not_tried_without_end(monkeypatch):
    looked_at = []
    matches = plain.matches

    def noted(password, stored):
        looked_at.append(password)
        return matches(password, stored)

    monkeypatch.setattr(plain, "matches", noted)

    async def work(service, connect):
        for wrong in ("a", "b"):
            client = await connect()
            await client.opened()
            assert await log_in(client, "alice", wrong) == "not-authorized"
        assert await log_in(client, "alice") == "temporary-auth-failure"
        assert looked_at[1:] == [b"a", b"b"]  # carol was first

    bad_peer_test(work, **quotas(failed_logins_per_minute=2))


# Sending without end -----------------------------------------------------------------------------


@pytest.mark.parametrize("quota", [{"stanzas_per_second": 1_000}, {"bytes_per_second": 80_000}])
def test_who_sends_too_fast_is_read_more_slowly(slowed, quota):
    async def work(service, connect):
        alice = await (await connect()).bound("alice")
        alice.send("".join(PING.format(number) for number in range(1_200)))
        assert [(await alice.stanza()).id for _ in range(1_200)] == [*map(str, range(1_200))]

    bad_peer_test(work, **quotas(**quota))
    assert slowed
    assert max(slowed) < 5


@pytest.mark.parametrize("flooding", [1, 20])
def test_an_answer_does_not_wait_for_a_flood(flooding):
    each = 6_000 // flooding
    most = []

    async def work(service, connect):
        handled = service.server.router.handled
        innocent = await (await connect()).bound("bob")
        flooders = [await (await connect()).bound("alice", f"r{n}") for n in range(flooding)]
        for flooder in flooders:
            flooder.send("<message to='nobody@example.com'/>" * each)
        for number in range(10):
            before = handled["message"]
            innocent.send(PING.format(number))
            assert (await innocent.stanza()).id == str(number)
            most.append(handled["message"] - before)
        for flooder in flooders:
            assert len(await flooder.settled()) == each

    bad_peer_test(work)
    # Everybody has had a few turns, and nobody all of them.
    assert max(most) < 2_500


def test_a_flood_is_handled_in_order_although_its_sender_has_gone():
    async def work(service, connect):
        alice = await (await connect()).bound("alice")
        bob = await (await connect()).bound("bob")
        alice.send(
            "".join(f"<message to='{bob.jid}' id='{number}'/>" for number in range(5_000))
            + "</stream:stream>"
        )
        assert [(await bob.stanza()).id for _ in range(5_000)] == [*map(str, range(5_000))]
        while alice.jid in service.server.registry.sessions:
            await asyncio.sleep(0.001)

    bad_peer_test(work)


# Storms ------------------------------------------------------------------------------------------


def test_an_accept_storm():
    async def work(service, connect):
        innocent = await (await connect()).bound("bob")
        storm = asyncio.gather(*(connect() for _ in range(300)))
        for number in range(20):
            innocent.send(PING.format(number))
            assert (await innocent.stanza()).id == str(number)
        for client in await storm:
            client.wire.break_off()
        while len(service.server.connections) > 2:
            await asyncio.sleep(0.001)
        assert len(service.server.addresses) == 1

    bad_peer_test(work)


def test_a_reconnect_storm(monkeypatch):
    threads = set()
    matches = plain.matches

    def noted(password, stored):
        threads.add(threading.get_ident())
        return matches(password, stored)

    monkeypatch.setattr(plain, "matches", noted)

    async def work(service, connect):
        async def come_back(number):
            return await (await connect()).bound("alice", f"r{number}")

        innocent = await (await connect()).bound("bob")
        storm = asyncio.gather(*(come_back(number) for number in range(60)))
        answered = 0
        while not storm.done():
            innocent.send(PING.format(answered))
            assert (await innocent.stanza()).id == str(answered)
            answered += 1
        # Logins take turns with what is answered, and no password is hashed in the loop's thread.
        assert answered > 10
        assert threading.get_ident() not in threads
        for client in await storm:
            client.wire.break_off()
        while len(service.server.registry.sessions) > 2:
            await asyncio.sleep(0.001)

    bad_peer_test(work, resources=100)


def test_what_waits_for_all_is_bounded():
    async def work(service, connect):
        idle = await (await connect()).bound("alice")
        sender = await (await connect()).bound("bob")
        idle.wire._transport.pause_reading()
        body = "x" * 100_000
        stanza = f"<message to='{idle.jid}' type='headline'><body>{body}</body></message>"
        most = 0
        while idle.jid in service.server.registry.sessions:
            sender.send(stanza)
            await sender.settled()
            most = max(most, service._backlog.total)
        assert 0 < most <= 2_000_000
        assert service._backlog.total == 0

    bad_peer_test(work, **quotas(queued_bytes=2_000_000))
