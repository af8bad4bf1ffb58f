"""Connections: gathering, ends, slow peers, and TLS between two bytes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from transport_ends import OPEN, Notes

from xmppfast.transport.backlog import Backlog
from xmppfast.transport.certificates import ServerCertificate, client_context
from xmppfast.transport.connection import Connection
from xmppfast.transport.tcp import Listener, connect, listen
from xmppfast.transport.tls import TlsRole


def server_tls(certificate: ServerCertificate) -> TlsRole:
    """A server's side."""
    return TlsRole(certificate.context, server_side=True, certificate=certificate.der)


def client_tls(authority: Path, hostname: str = "localhost") -> TlsRole:
    """A client's side, which trusts that file."""
    return TlsRole(client_context(ca_file=authority), server_side=False, hostname=hostname)


class Pair:
    """A listener on loopback, a connection to it, and the receivers of both."""

    def __init__(self, server: Notes | None = None) -> None:
        self.server = server or Notes()
        self.client = Notes()
        self.listener: Listener | None = None
        OPEN.append(self.close)

    async def open(
        self,
        *,
        server: ServerCertificate | None = None,
        client: TlsRole | None = None,
        direct: bool = False,
        most: int = 1 << 20,
    ) -> Connection:
        """Connect; with a certificate, TLS is possible."""
        self.listener = await listen(
            "127.0.0.1",
            0,
            lambda: self.server,
            tls=None if server is None else lambda: server_tls(server),
            direct=direct,
            backlog=Backlog(most),
        )
        connection = await connect(
            "127.0.0.1",
            self.listener.addresses[0][1],
            self.client,
            tls=None if client is None else lambda: client,
            direct=direct,
        )
        await self.server.until(lambda: self.server.link is not None)
        return connection

    async def close(self) -> None:
        """End it, whatever state it is in."""
        if self.listener is not None:
            self.listener.close()
        for side in (self.client, self.server):
            if side.link is not None:
                side.link.abort()
                await side.until_lost()


def test_bytes_both_ways(run):
    async def main() -> None:
        pair = Pair()
        link = await pair.open()
        assert pair.client.events == pair.server.events == ["connected"]
        assert link.peer == "127.0.0.1"
        assert not link.secure
        assert link.channel_bindings == {}
        link.write(b"ping")
        await pair.server.until(lambda: pair.server.data == b"ping")
        pair.server.link.write(b"pong")
        await pair.client.until(lambda: pair.client.data == b"pong")

    run(main())


def test_silence_is_noticed_by_the_system(run):
    async def main() -> None:
        pair = Pair()
        link = await pair.open()
        for end in (link, pair.server.link):
            connection = end._transport.get_extra_info("socket")
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if sys.platform == "linux":
                waits = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                assert waits == 60_000

    run(main())


def test_one_write_for_each_turn(run, monkeypatch):
    async def main() -> None:
        pair = Pair()
        link = await pair.open()
        flushed = []
        transport = link._transport
        link.direct(-1)  # it is the transport that is asked here

        class Counting:
            def __getattr__(self, name):
                return getattr(transport, name)

            def write(self, data):
                flushed.append(bytes(data))
                transport.write(data)

        monkeypatch.setattr(link, "_transport", Counting())
        for part in (b"a", b"b", b"c"):
            link.write(part)
        assert flushed == []
        assert link.queued == 3
        await pair.server.until(lambda: pair.server.data == b"abc")
        link.write(b"d")
        await pair.server.until(lambda: pair.server.data == b"abcd")
        assert flushed == [b"abc", b"d"]

    run(main())


def test_receiver_that_fails_takes_nobody_with_it(run):
    class Failing(Notes):
        def overflowed(self) -> None:
            raise RuntimeError("receivers may fail")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        complaints = []
        loop.set_exception_handler(lambda _, context: complaints.append(str(context["exception"])))
        receivers = [Failing(), Notes()]
        listener = await listen("127.0.0.1", 0, iter(receivers).__next__, backlog=Backlog(100_000))
        clients = [Notes(), Notes()]
        links = [await connect(*listener.addresses[0], client) for client in clients]
        await receivers[1].until(lambda: receivers[1].link is not None)
        links[0].pause()
        while not complaints:
            receivers[0].link.write(b"x" * 50_000)
            receivers[1].link.write(b"x")
            await asyncio.sleep(0)
        assert complaints == ["receivers may fail"]
        receivers[1].link.write(b"end")
        await clients[1].until(lambda: clients[1].data.endswith(b"end"))
        await receivers[0].until_lost()
        assert receivers[1].events == ["connected"]
        listener.close()
        for link, client in zip(links, clients, strict=True):
            link.abort()
            await client.until_lost()
        receivers[1].link.abort()
        await receivers[1].until_lost()

    run(main())


def test_close_sends_what_was_written_and_waits_for_the_peer(run):
    async def main() -> None:
        pair = Pair()
        link = await pair.open()
        link.write(b"last words")
        link.close()
        link.write(b"too late")
        await pair.server.until(lambda: "ended" in pair.server.events)
        assert pair.server.data == b"last words"
        assert "lost" not in pair.client.events
        pair.server.link.write(b"not heard any more")
        pair.server.link.close()
        await pair.client.until_lost()
        await pair.server.until_lost()
        assert pair.client.data == b""
        assert pair.client.events == ["connected", "lost"]
        assert pair.server.events == ["connected", "ended", "lost"]

    run(main())


def test_a_closed_connection_delivers_its_last_bytes_to_a_busy_peer(run):
    """Unread data at closing would reset the connection, and drop what the peer has to be told."""

    def refuse(notes: Notes, data: bytes) -> None:
        notes.link.write(b"<stream:error/>")
        notes.link.close()

    async def main() -> None:
        pair = Pair(Notes(refuse))
        link = await pair.open()
        for _ in range(50):
            link.write(b"x" * 10_000)
            await asyncio.sleep(0)
        await pair.client.until(lambda: "ended" in pair.client.events)
        assert pair.client.data == b"<stream:error/>"

    run(main())


def test_abort(run):
    async def main() -> None:
        pair = Pair()
        link = await pair.open()
        link.abort()
        link.abort()
        await pair.client.until_lost()
        await pair.server.until(lambda: len(pair.server.events) > 1)
        assert pair.client.events.count("lost") == 1

    run(main())


def test_pause_and_resume(run):
    async def main() -> None:
        pair = Pair()
        link = await pair.open()
        pair.server.link.pause()
        link.write(b"x")
        await asyncio.sleep(0.05)
        assert pair.server.data == b""
        pair.server.link.resume()
        await pair.server.until(lambda: pair.server.data == b"x")

    run(main())


def test_tls_begins_while_reading_is_paused(run, certificate, authority):
    async def main() -> None:
        pair = Pair()
        link = await pair.open(server=certificate, client=client_tls(authority))
        theirs = pair.server.link
        theirs.pause()
        handshake = theirs.start_tls()
        await link.start_tls()
        await handshake
        link.write(b"x")
        await asyncio.sleep(0.05)
        assert pair.server.data == b""
        theirs.resume()
        await pair.server.until(lambda: pair.server.data == b"x")

    run(main())


def test_peer_that_does_not_read(run):
    async def main() -> None:
        pair = Pair()
        link = await pair.open(most=100_000)
        link.pause()
        written = 0
        while "overflowed" not in pair.server.events:
            pair.server.link.write(b"x" * 50_000)
            written += 50_000
            await asyncio.sleep(0)
        assert pair.server.link.queued >= 100_000
        pair.server.link.write(b"x")
        await asyncio.sleep(0)
        assert pair.server.events == ["connected", "overflowed"]
        link.resume()
        await pair.client.until(lambda: len(pair.client.data) == written + 1)
        assert pair.server.link.queued == 0

    run(main())


def test_peers_that_do_not_read_are_bounded_together(run):
    async def main() -> None:
        backlog = Backlog(1 << 30, 3_000_000)
        receivers = [Notes() for _ in range(4)]
        listener = await listen("127.0.0.1", 0, iter(receivers).__next__, backlog=backlog)
        clients = [Notes() for _ in receivers]
        links = [await connect(*listener.addresses[0], client) for client in clients]
        await receivers[3].until(lambda: receivers[3].link is not None)
        for link in links[1:]:
            link.pause()
        most = 0
        # One of them has more waiting than the others.
        while not any("overflowed" in receiver.events for receiver in receivers):
            for share, receiver in enumerate(receivers):
                receiver.link.write(b"x" * 10_000 * (share + 1))
            await asyncio.sleep(0)
            most = max(most, backlog.total)
        assert receivers[3].events == ["connected", "overflowed"]
        assert most <= 3_000_000 + 40_000
        assert [receiver.events for receiver in receivers[:3]] == [["connected"]] * 3
        for receiver in receivers:
            receiver.link.abort()
            await receiver.until_lost()
        assert backlog.total == 0
        listener.close()
        for link, client in zip(links, clients, strict=True):
            link.abort()
            await client.until_lost()

    run(main())


@pytest.mark.parametrize("direct", [True, False])
def test_tls(run, certificate, authority, direct):
    async def main() -> None:
        pair = Pair()
        link = await pair.open(server=certificate, client=client_tls(authority), direct=direct)
        if not direct:
            link.write(b"plain")
            await pair.server.until(lambda: pair.server.data == b"plain")
            waiting = pair.server.link.start_tls()
            await link.start_tls()
            await waiting
            pair.server.data.clear()
        assert link.secure
        assert pair.server.link.secure
        big = bytes(range(256)) * 4000
        link.write(b"hello ")
        link.write(big)
        pair.server.link.write(big)
        await pair.server.until(lambda: len(pair.server.data) == len(big) + 6)
        assert pair.server.data == b"hello " + big
        await pair.client.until(lambda: len(pair.client.data) == len(big))
        assert pair.client.data == big
        ours, theirs = link.channel_bindings, pair.server.link.channel_bindings
        assert ours == theirs
        assert len(ours["tls-server-end-point"]) == 32
        assert "tls-unique" not in ours  # this is TLS 1.3
        link.close()
        await pair.server.until(lambda: "ended" in pair.server.events)
        pair.server.link.close()
        await pair.client.until_lost()

    run(main())


def test_tls_1_2_has_unique_binding(run, certificate, authority):
    async def main() -> None:
        role = client_tls(authority)
        role.context.maximum_version = ssl.TLSVersion.TLSv1_2
        pair = Pair()
        link = await pair.open(server=certificate, client=role, direct=True)
        assert set(link.channel_bindings) == {"tls-unique", "tls-server-end-point"}
        assert link.channel_bindings == pair.server.link.channel_bindings

    run(main())


def test_tls_begins_between_two_bytes(run, certificate, authority):
    """What comes behind the request, in the same segment, is no content of the TLS connection."""
    handshakes: list[asyncio.Future[None]] = []

    def start(notes: Notes, data: bytes) -> None:
        if data.startswith(b"<starttls/>"):
            notes.link.write(b"<proceed/>")
            handshakes.append(notes.link.start_tls())
            notes.link.write(b"first encrypted")

    async def main() -> None:
        pair = Pair(Notes(start))
        link = await pair.open(server=certificate, client=client_tls(authority))
        link.write(b"<starttls/>")
        await pair.client.until(lambda: bool(pair.client.data))
        assert pair.client.data == b"<proceed/>"
        await link.start_tls()
        await handshakes[0]
        link.write(b"secret")
        await pair.server.until(lambda: pair.server.data.endswith(b"secret"))
        assert pair.server.data == b"<starttls/>secret"
        await pair.client.until(lambda: pair.client.data.endswith(b"encrypted"))

    run(main())


def test_plain_bytes_during_the_handshake_are_not_received(run, certificate):
    handshakes: list[asyncio.Future[None]] = []

    def start(notes: Notes, data: bytes) -> None:
        handshakes.append(notes.link.start_tls())

    async def main() -> None:
        pair = Pair(Notes(start))
        link = await pair.open(server=certificate)
        link.write(b"<starttls/>")
        await pair.server.until(lambda: bool(handshakes))
        link.write(b"<message/>")
        with pytest.raises(ssl.SSLError):
            await handshakes[0]
        await pair.server.until_lost()
        assert pair.server.data == b"<starttls/>"

    run(main())


@pytest.mark.parametrize("hostname", ["example.org", "127.0.0.2", "xlocalhost"])
def test_certificate_for_another_name(run, certificate, authority, hostname):
    async def main() -> None:
        pair = Pair()
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            await pair.open(server=certificate, client=client_tls(authority, hostname), direct=True)
        assert pair.client.events == []
        assert pair.server.events == []

    run(main())


def test_certificate_nobody_vouches_for(run, certificate):
    async def main() -> None:
        role = TlsRole(client_context(), server_side=False, hostname="localhost")
        pair = Pair()
        with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
            await pair.open(server=certificate, client=role, direct=True)

    run(main())


def test_unverified_if_asked_for(run, certificate):
    async def main() -> None:
        role = TlsRole(client_context(verify=False), server_side=False, hostname="example.org")
        pair = Pair()
        link = await pair.open(server=certificate, client=role, direct=True)
        assert link.secure

    run(main())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
def test_old_tls_is_refused(run, certificate, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    async def main() -> None:
        role = TlsRole(context, server_side=False, hostname="localhost")
        pair = Pair()
        with pytest.raises(ssl.SSLError):
            await pair.open(server=certificate, client=role, direct=True)
        assert pair.server.events == []

    run(main())


def test_peer_that_closes_during_the_handshake(run, certificate, authority):
    async def main() -> None:
        pair = Pair()
        link = await pair.open(client=client_tls(authority))
        handshake = link.start_tls()
        await pair.server.until(lambda: bool(pair.server.data))
        pair.server.link.close()
        with pytest.raises(OSError, match="handshake"):
            await handshake

    run(main())


def test_handshake_that_takes_too_long(run, certificate, monkeypatch):
    monkeypatch.setattr("xmppfast.transport.connection._HANDSHAKE", 0.05)

    async def main() -> None:
        pair = Pair()
        listener = await listen(
            "127.0.0.1", 0, lambda: pair.server, tls=lambda: server_tls(certificate), direct=True
        )
        reader, writer = await asyncio.open_connection(*listener.addresses[0])
        assert await reader.read() == b""
        assert pair.server.events == []
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        listener.close()

    run(main())


def test_no_tls_twice_and_none_without_a_certificate(run, certificate, authority):
    async def main() -> None:
        pair = Pair()
        link = await pair.open(server=certificate, client=client_tls(authority), direct=True)
        with pytest.raises(RuntimeError):
            link.start_tls()
        pair = Pair()
        link = await pair.open()
        with pytest.raises(RuntimeError):
            link.start_tls()

    run(main())


def test_garbage_instead_of_tls_records(run, certificate, authority):
    async def main() -> None:
        pair = Pair()
        link = await pair.open(server=certificate, client=client_tls(authority), direct=True)
        link._transport.write(b"garbage")
        await pair.server.until_lost()
        assert pair.server.data == b""

    run(main())


def test_nobody_listens(run):
    async def main() -> None:
        listener = await listen("127.0.0.1", 0, Notes)
        address = listener.addresses[0]
        listener.close()
        await asyncio.sleep(0)
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            await connect(*address, Notes())

    run(main())
