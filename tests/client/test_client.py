"""The client against a whole server: sessions, messages, rosters, presence, requests."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from accounts import PASSWORD
from served import run, serving, until

from xmppfast.client import (
    Address,
    AuthenticationFailed,
    Client,
    ConnectFailed,
    Disconnected,
    Message,
    Presence,
)
from xmppfast.core.dispatch import Request
from xmppfast.core.errors import SaslCondition, StanzaCondition, StanzaError
from xmppfast.core.jid import JID, InvalidJID
from xmppfast.core.stanza import element

ALICE, BOB = JID.parse("alice@localhost"), JID.parse("bob@localhost")


@pytest.fixture
def world(certificate, authority):
    """Arguments of `serving`, with two accounts."""
    return certificate, authority, "alice", "bob"


async def settled(client: Client) -> None:
    """Wait until the server has handled all that the client sent."""
    await client.iq("get", element("{jabber:iq:roster}query"))


@pytest.mark.parametrize("direct", [False, True])
def test_messages_both_ways(world, direct):
    async def main() -> None:
        async with serving(*world) as served:
            address = served.direct() if direct else served.address
            async with (
                served.client("alice", address=address) as alice,
                served.client("bob", address=address) as bob,
            ):
                assert alice.jid.bare == ALICE
                assert alice.jid.resource
                await settled(bob)
                text = "¿Qué tal? 漢字 \U0001f40e <&>"
                id = await alice.send_message(BOB, text, subject="s", thread="t")
                message = await anext(bob.messages())
                assert (message.body, message.subject, message.thread) == (text, "s", "t")
                assert (message.from_, message.type, message.id) == (alice.jid, "chat", id)
                assert message.delay is None
                await bob.send_message(message.from_, "yes", type="normal")
                answer = await anext(alice.messages())
                assert (answer.from_, answer.type, answer.body) == (bob.jid, "normal", "yes")
            assert served.server.registry.sessions == {}

    run(main())


def test_message_to_one_who_is_away(world):
    async def main() -> None:
        async with serving(*world) as served:
            async with served.client("alice") as alice:
                await alice.send_message(BOB, "later")
                await settled(alice)
            async with served.client("bob") as bob:
                message = await anext(bob.messages())
                assert message.body == "later"
                assert message.from_.bare == ALICE
                assert message.delay is not None

    run(main())


def test_messages_end_with_the_client(world):
    async def main() -> None:
        async with serving(*world) as served:
            async with served.client("alice") as alice:
                await alice.send_message(ALICE, "1")
                await alice.send_message(ALICE, "2")
                await settled(alice)
            assert [message.body async for message in alice.messages()] == ["1", "2"]
            with pytest.raises(Disconnected):
                await alice.send_message(ALICE, "3")

    run(main())


def test_handlers_in_order(world):
    async def main() -> None:
        async with serving(*world) as served:
            alice = served.client("alice")
            seen: list[str | None] = []

            @alice.on_message
            async def slow(message: Message) -> None:
                await asyncio.sleep(0)
                seen.append(message.body)
                if message.body == "1":
                    raise RuntimeError("handlers may fail")

            @alice.on_message
            def fast(message: Message) -> None:
                seen.append(f"{message.body} again")

            async with alice:
                for number in "012":
                    await alice.send_message(ALICE, number)
                await until(lambda: len(seen) == 6)
            assert seen == ["0", "0 again", "1", "1 again", "2", "2 again"]

    run(main())


def test_subscription_and_presence(world):
    async def main() -> None:
        async with serving(*world) as served:
            alice, bob = served.client("alice"), served.client("bob")
            seen: list[tuple[str, str, str | None]] = []

            @alice.on_presence
            def note(presence: Presence) -> None:
                seen.append((str(presence.from_.bare), presence.type, presence.status))

            @bob.on_presence
            async def approve(presence: Presence) -> None:
                if presence.type == "subscribe":
                    await bob.approve(presence.from_)

            async with alice, bob:
                await alice.roster.set(BOB, "Bob", ["friends", "old ones"])
                await alice.subscribe(BOB)
                await until(lambda: BOB in alice.roster and alice.roster[BOB].subscription == "to")
                item = alice.roster[BOB]
                assert (item.name, set(item.groups)) == ("Bob", {"friends", "old ones"})
                await bob.send_presence(show="away", status="tea", priority=3)
                await until(lambda: ("bob@localhost", "available", "tea") in seen)
                await until(lambda: bob.roster[ALICE].subscription == "from")
                await bob.refuse(ALICE)
                await until(lambda: alice.roster[BOB].subscription == "none")
                await alice.roster.remove(BOB)
                await until(lambda: BOB not in alice.roster)
            assert ("bob@localhost", "unsubscribed", None) in seen

    run(main())


def test_roster_is_there_from_the_beginning(world):
    async def main() -> None:
        async with serving(*world) as served:
            async with served.client("alice") as alice:
                await alice.roster.set("bob@localhost/ignored", "Bob")
            async with served.client("alice") as alice:
                assert dict(alice.roster) == {BOB: alice.roster[BOB]}
                assert alice.roster[BOB].name == "Bob"

    run(main())


def test_requests(world):
    async def main() -> None:
        async with serving(*world) as served:
            bob = served.client("bob")

            @bob.on_iq("{urn:example}sum")
            def add(request: Request):
                numbers = [int(child.text) for child in request.payload]
                return element("{urn:example}sum", None, str(sum(numbers)))

            @bob.on_iq("{urn:example}sum", "set")
            async def refuse(request: Request):
                raise StanzaError(StanzaCondition.NOT_ALLOWED, "never")

            async with served.client("alice") as alice, bob:
                numbers = (element("{urn:example}n", None, n) for n in "123")
                payload = element("{urn:example}sum", None, *numbers)
                answer = await alice.iq("get", payload, bob.jid)
                assert answer.findtext("{urn:example}sum") == "6"
                with pytest.raises(StanzaError, match="not-allowed: never"):
                    await alice.iq("set", payload, bob.jid)
                with pytest.raises(StanzaError, match="service-unavailable"):
                    await alice.iq("get", element("{urn:example}other"), bob.jid)
                with pytest.raises(StanzaError, match="service-unavailable"):
                    await alice.iq("get", element("{urn:example}other"))

    run(main())


def test_no_answer(world):
    async def main() -> None:
        async with serving(*world) as served:
            bob = served.client("bob")
            forever = asyncio.Event()

            @bob.on_iq("{urn:example}wait")
            async def wait(request: Request):
                await forever.wait()

            async with served.client("alice") as alice, bob:
                alice.host.timeout = 0.2
                with pytest.raises(TimeoutError, match=r"no answer from bob@.* in 0\.2 seconds"):
                    await alice.iq("get", element("{urn:example}wait"), bob.jid)

    run(main())


def test_wrong_password(world):
    async def main() -> None:
        async with serving(*world) as served:
            for client in (served.client("alice", "wrong"), served.client("nobody")):
                with pytest.raises(AuthenticationFailed, match="not-authorized") as caught:
                    await client.__aenter__()
                assert caught.value.condition is SaslCondition.NOT_AUTHORIZED

    run(main())


def test_addresses_and_passwords_that_are_none():
    with pytest.raises(InvalidJID):
        Client("@", "x")
    with pytest.raises(ValueError, match="a server's address"):
        Client("example.org", "x")
    with pytest.raises(ValueError, match="password"):
        Client("alice@example.org", "")


def test_not_entered():
    async def main() -> None:
        client = Client("alice@example.org", "x")
        with pytest.raises(Disconnected, match="async with"):
            await client.send_message("bob@example.org", "x")

    run(main())


def test_certificate_is_verified(world):
    async def main() -> None:
        async with serving(*world) as served:
            for address in (served.address, served.direct()):
                unknown = served.client("alice", address=replace(address, ca_file=None))
                with pytest.raises(ConnectFailed, match="certificate verify failed"):
                    await unknown.__aenter__()
                careless = replace(address, ca_file=None, verify=False)
                async with served.client("alice", address=careless):
                    pass

    run(main())


def test_authorities_that_are_none(tmp_path):
    path = tmp_path / "ca.pem"

    async def main() -> None:
        client = Client("alice@localhost", "x", address=Address(host="127.0.0.1", ca_file=path))
        with pytest.raises(FileNotFoundError) as caught:
            await client.__aenter__()
        assert caught.value.filename == str(path)
        for content in ("", "nothing", "\u00e9"):
            path.write_text(content)
            client = Client("alice@localhost", "x", address=Address(host="127.0.0.1", ca_file=path))
            with pytest.raises(ValueError, match=r"ca\.pem: no certificates"):
                await client.__aenter__()

    run(main())


def test_no_login_without_tls_unless_asked_for(world):
    async def main() -> None:
        async with serving(*world, tls=False, plaintext=True) as served:
            with pytest.raises(ConnectFailed, match="does not offer TLS"):
                await served.client("alice").__aenter__()
            address = replace(served.address, plaintext=True)
            async with served.client("alice", address=address) as alice:
                assert alice.jid.bare == ALICE

    run(main())


def test_server_is_found_by_dns(world, monkeypatch):
    from xmppfast.transport.dns import Record

    async def main() -> None:
        async with serving(*world) as served:

            async def resolve(name: str):
                # The first one is a port nobody listens at.
                here = [Record(1, 0, 1, "127.0.0.1."), Record(2, 0, served.tls_port, "127.0.0.1.")]
                return here if name == "_xmpps-client._tcp.localhost" else []

            address = Address(ca_file=served.address.ca_file, resolve=resolve)
            async with served.client("alice", address=address) as alice:
                assert alice.jid.bare == ALICE

    run(main())


def test_nobody_listens():
    async def main() -> None:
        async def resolve(name: str):
            raise OSError("no answer")

        client = Client("alice@localhost", "x", address=Address(host="127.0.0.1", port=1))
        with pytest.raises(ConnectFailed, match=r"localhost: 127\.0\.0\.1:1: "):
            await client.__aenter__()
        client = Client("alice@localhost", "x", address=Address(resolve=resolve))
        with pytest.raises(ConnectFailed, match="localhost: no answer"):
            await client.__aenter__()

    run(main())


def test_resource_of_choice_and_conflict(world):
    async def main() -> None:
        address = "alice@localhost/desk"
        async with serving(*world) as served, served.client(address) as first:
            assert str(first.jid) == address
            async with served.client(address) as second:
                assert second.jid == JID.parse(address)
                # The one that was there must not come back and take it again.
                with pytest.raises(Disconnected, match="conflict: another session"):
                    await anext(first.messages())
                with pytest.raises(Disconnected, match="conflict"):
                    await first.send_message(BOB, "x")

    run(main())


def test_reconnects(world, monkeypatch):
    monkeypatch.setattr("xmppfast.client.client._FIRST_DELAY", 0.01)

    async def main() -> None:
        async with serving(*world) as served, served.client("alice") as alice:
            await alice.send_presence(status="here")
            first = alice.jid
            for connection in tuple(served.server.connections):
                connection._link.abort()
            await until(lambda: alice.jid.resource is None)
            await alice.send_message(ALICE, "waits for the next session")
            assert alice.jid.resource is not None
            assert alice.jid != first
            message = await anext(alice.messages())
            assert message.body == "waits for the next session"

    run(main())


def test_waits_for_the_server_to_come_back(world, monkeypatch):
    monkeypatch.setattr("xmppfast.client.client._FIRST_DELAY", 0.01)
    monkeypatch.setattr("xmppfast.client.client._LONGEST_DELAY", 0.02)

    async def main() -> None:
        async with serving(*world) as served:
            alice = served.client("alice")
            await alice.__aenter__()
            port = served.port
        await until(lambda: alice.jid.resource is None)
        with pytest.raises(ConnectionError):
            await alice.host.request(None, "get", element("{urn:example}x"))
        await asyncio.sleep(0.1)
        async with serving(*world, port=port):
            await alice.send_message(ALICE, "back")
            assert (await anext(alice.messages())).body == "back"
            await alice.close()

    run(main())


def test_does_not_reconnect_if_not_asked_to(world):
    async def main() -> None:
        async with serving(*world) as served, served.client("alice", reconnect=False) as alice:
            for connection in tuple(served.server.connections):
                connection._link.abort()
            with pytest.raises(Disconnected, match=r"lost|closed"):
                await anext(alice.messages())

    run(main())


def test_password_changed_meanwhile(world, monkeypatch):
    monkeypatch.setattr("xmppfast.client.client._FIRST_DELAY", 0.01)

    async def main() -> None:
        async with serving(*world) as served, served.client("alice") as alice:
            await served.server.accounts.set_password(ALICE, "new")
            for connection in tuple(served.server.connections):
                connection._link.abort()
            with pytest.raises(AuthenticationFailed):
                await anext(alice.messages())

    run(main())


def test_much_to_send_waits_for_the_network(world):
    async def main() -> None:
        async with (
            serving(*world) as served,
            served.client("alice") as alice,
            served.client("bob") as bob,
        ):
            body = "x" * 5000
            for _ in range(400):
                await alice.send_message(bob.jid, body)
                assert alice._established.connection.queued < 1 << 20
            count = 0
            async for message in bob.messages():
                assert message.body == body
                count += 1
                if count == 400:
                    break

    run(main())


def test_unread_messages_stop_the_reading(world, monkeypatch):
    monkeypatch.setattr("xmppfast.client.inbox.MOST", 10)

    async def main() -> None:
        async with (
            serving(*world) as served,
            served.client("alice") as alice,
            served.client("bob") as bob,
        ):
            body = "x" * 9000
            for number in range(300):
                await alice.send_message(bob.jid, f"{number} {body}")
            await until(lambda: bob._messages._is_full)
            await asyncio.sleep(0.1)
            assert len(bob._messages._waiting) < 150
            numbers = []
            async for message in bob.messages():
                numbers.append(int(message.body.split()[0]))
                if len(numbers) == 300:
                    break
            assert numbers == list(range(300))

    run(main())


def test_wrong_passwords_never_appear_in_logs(world, caplog):
    caplog.set_level("DEBUG")

    async def main() -> None:
        async with serving(*world) as served:
            with pytest.raises(AuthenticationFailed):
                await served.client("alice", "hunter22").__aenter__()
            async with served.client("alice") as alice:
                await alice.send_message(ALICE, "private words")
                await anext(alice.messages())

    run(main())
    assert "hunter22" not in caplog.text
    assert PASSWORD not in caplog.text.replace("secrets", "")
    assert "private words" not in caplog.text
