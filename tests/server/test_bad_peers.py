"""Peers that misbehave, over TCP: they are told so and closed, and nobody else notices."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from accounts import cheap_accounts
from conversation import DOMAIN, HEADER, Client
from wires import StreamWire

from xmppfast import Limits, Stanza, StreamEnd
from xmppfast.core.jid import JID
from xmppfast.server.server import Settings
from xmppfast.server.service import Certificate, Ports, Service
from xmppfast.storage.memory import MemoryStorage


class TcpClient(Client):
    """A client in raw XML, over TCP."""

    def __init__(self, wire):
        self.wire = wire
        self.header = HEADER
        self.jid = ""


@asynccontextmanager
async def serving(**settings):
    """A server without TLS; gives a function that connects."""
    storage = MemoryStorage()
    await cheap_accounts(storage, DOMAIN, "alice", "bob", "carol")
    service = Service(
        Settings(JID.parse(DOMAIN), tls=False, plaintext=True, **settings),
        Ports(port=0, tls_port=None),
        Certificate(),
        storage,
    )
    await service.start()
    ((_, port),) = service.addresses

    wires = []

    async def connect():
        wires.append(await StreamWire.open(port))
        return TcpClient(wires[-1])

    try:
        yield service, connect
    finally:
        await service.stop()
        for wire in wires:
            wire.break_off()
        await asyncio.sleep(0)
        assert not service.server.connections
        assert not service.server.registry.accounts


def bad_peer_test(work, **settings):
    """Run it, with an innocent session beside it that must notice nothing."""

    async def converse():
        async with asyncio.timeout(180), serving(**settings) as (service, connect):
            carol = await (await connect()).bound("carol")
            await work(service, connect)
            assert await carol.settled() == []

    asyncio.run(converse())


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), "not-well-formed"),
        (b"\xff\xfe<\0", "unsupported-encoding"),
        (b"<a" + b" x" * 10_000, "not-well-formed"),
        (HEADER.encode() + b"<a>" * 1000, "policy-violation"),
        (HEADER.encode() + b"<a " + b"x" * 2_000 + b"=''/>", "policy-violation"),
        (HEADER.encode() + b"<a>" + b"x" * 20_000, "policy-violation"),
        (b"<stream:stream " + b"x='" + b"y" * 20_000, "policy-violation"),
    ],
)
def test_garbage(data, condition):
    async def work(service, connect):
        client = await connect()
        client.send(data)
        assert await last_error(client) == condition

    bad_peer_test(work, limits=Limits(stanza_bytes=10_000, name_bytes=1024))


async def last_error(client):
    """The condition of the stream error that ends everything."""
    condition = None
    while (event := await client.event()) is not None:
        if isinstance(event, Stanza) and event.name == "error":
            condition = event[0].name
    return condition


@pytest.mark.parametrize("slow", [b"", b"<", HEADER.encode()[:40], HEADER.encode()])
def test_who_does_not_go_on(slow):
    async def work(service, connect):
        server = service.server
        server.reconfigure(replace(server.settings, login_seconds=0.3))
        client = await connect()
        client.send(slow)
        assert await last_error(client) == "connection-timeout"

    bad_peer_test(work)


def test_a_header_byte_by_byte():
    async def work(service, connect):
        client = await connect()
        for byte in HEADER.encode():
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        await client.event()
        assert (await client.stanza()).name == "features"
        client.wire.break_off()

    bad_peer_test(work)


def test_half_open():
    async def work(service, connect):
        client = await (await connect()).bound()
        client.wire._transport.write_eof()
        assert isinstance(await client.event(), StreamEnd)
        assert await client.event() is None

    bad_peer_test(work)


def test_many_failed_logins():
    async def one(connect, number):
        client = await connect()
        await client.opened()
        for _ in range(3):
            client.send(
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>"
            )
        assert await last_error(client) == "policy-violation"

    async def work(service, connect):
        for begin in range(0, 40, 20):
            await asyncio.gather(*(one(connect, begin + i) for i in range(20)))

    bad_peer_test(work)


def test_a_client_that_never_reads():
    async def work(service, connect):
        alice = await (await connect()).bound("alice")
        bob = await (await connect()).bound("bob")
        alice.wire._transport.pause_reading()
        body = "x" * 10_000
        most = 0
        stanza = f"<message to='{alice.jid}' type='headline'><body>{body}</body></message>"
        for number in range(5_000):
            bob.send(stanza)
            if number % 20 == 0:
                await bob.settled()
                known = service.server.registry.sessions.get(alice.jid)
                if known is None:
                    break
                most = max(most, known.link.queued)
        assert alice.jid not in service.server.registry.sessions
        assert most < 6 * 1024 * 1024
        assert await bob.settled() == []

    bad_peer_test(work)


def test_a_flood_is_read_as_fast_as_it_is_handled():
    async def work(service, connect):
        alice = await (await connect()).bound("alice")
        alice.send("<message to='nobody@example.com'/>" * 20_000)
        errors = await alice.settled()
        assert len(errors) == 20_000

    bad_peer_test(work)
