"""Our client with servers that others wrote."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from ejabberd import ejabberd
from others import PASSWORD, Other
from prosody import prosody

from xmppfast.client import Address, AuthenticationFailed, Client, Disconnected, Presence
from xmppfast.client import connector as connector_module
from xmppfast.core.dispatch import Request
from xmppfast.core.errors import SaslCondition, StanzaError
from xmppfast.core.jid import JID
from xmppfast.core.stanza import element
from xmppfast.protocol.sasl import mechanisms
from xmppfast.xep.disco import get_info
from xmppfast.xep.ping import send_ping
from xmppfast.xep.version import get_version

ALICE, BOB, SERVER = (JID.parse(text) for text in ("alice@localhost", "bob@localhost", "localhost"))


@pytest.fixture(scope="module", params=[prosody, ejabberd], ids=lambda run: run.__name__)
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Other]:
    """Each server in turn."""
    with request.param(tmp_path_factory.mktemp(request.param.__name__)) as running:
        yield running


def client(other: Other, name: str, password: str = PASSWORD, **options: Any) -> Client:
    """A client of ours; alice connects with STARTTLS, others with direct TLS."""
    direct = not name.startswith("alice")
    port = other.tls_port if direct else other.port
    address = Address("127.0.0.1", port, direct_tls=direct, ca_file=other.ca_file)
    jid = name if "@" in name else f"{name}@localhost"
    return Client(jid, password, address=address, **options)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a test, for three minutes at most."""

    async def limited() -> None:
        async with asyncio.timeout(180):
            await main

    asyncio.run(limited())


async def until(condition: Callable[[], object]) -> None:
    """Wait until that is so."""
    while not condition():
        await asyncio.sleep(0.01)


def test_friends_chat_and_part(other: Other) -> None:
    async def main() -> None:
        alice, bob = client(other, "alice"), client(other, "bob")
        seen: list[tuple[JID, str, str | None]] = []

        @alice.on_presence
        def note(presence: Presence) -> None:
            seen.append((presence.from_.bare, presence.type, presence.status))

        @bob.on_presence
        async def agree(presence: Presence) -> None:
            if presence.type == "subscribe":
                await bob.approve(presence.from_)
                await bob.subscribe(presence.from_)

        async with bob:
            async with alice:
                await alice.roster.set(BOB, "Bob \u6f22", ["friends"])
                await alice.subscribe(BOB)
                await until(lambda: BOB in alice.roster and alice.roster[BOB].subscription == "to")
                await alice.approve(BOB)
                await until(lambda: alice.roster[BOB].subscription == "both")
                assert (alice.roster[BOB].name, alice.roster[BOB].groups) == (
                    "Bob \u6f22",
                    ("friends",),
                )
                await bob.send_presence(show="away", status="T\u00e9e \u2615")
                await until(lambda: (BOB, "available", "T\u00e9e \u2615") in seen)
                text = "\u00bfQu\u00e9 tal? \u6f22\u5b57 \U0001f40e <&>\nsecond line"
                await alice.send_message(bob.jid, text)
                message = await anext(bob.messages())
                assert (message.from_, message.body, message.delay) == (alice.jid, text, None)
                await bob.send_message(message.from_, "\u2713")
                assert (await anext(alice.messages())).body == "\u2713"
            await bob.send_message(ALICE, "for later")
            await send_ping(bob.host, SERVER)
            async with client(other, "alice") as again:
                message = await anext(again.messages())
                assert message.body == "for later"
                assert message.delay is not None
                assert again.roster[BOB].subscription == "both"
                await again.roster.remove(BOB)
                await until(lambda: BOB not in again.roster)

    run(main())


def test_wrong_password(other: Other) -> None:
    async def main() -> None:
        with pytest.raises(AuthenticationFailed) as caught:
            await client(other, "alice", "wrong").__aenter__()
        assert caught.value.condition is SaslCondition.NOT_AUTHORIZED

    run(main())


def test_conflict(other: Other) -> None:
    async def main() -> None:
        async with (
            client(other, "alice@localhost/desk") as first,
            client(other, "alice@localhost/desk") as second,
        ):
            assert second.jid == JID.parse("alice@localhost/desk")
            with pytest.raises(Disconnected, match="conflict"):
                await anext(first.messages())

    run(main())


def test_requests_both_ways(other: Other) -> None:
    async def main() -> None:
        alice, bob = client(other, "alice"), client(other, "bob")

        @bob.on_iq("{urn:example}echo")
        async def echo(request: Request):
            return element("{urn:example}echo", None, request.payload.text)

        async with alice, bob:
            await send_ping(alice.host, SERVER)
            await send_ping(alice.host, bob.jid)
            info = await get_info(alice.host, SERVER)
            assert "jabber:iq:roster" in info.features or "urn:xmpp:ping" in info.features
            assert other.name in ((await get_version(alice.host, SERVER)).name or "").lower()
            assert (await get_version(alice.host, bob.jid)).name == "xmppfast"
            answer = await alice.iq("get", element("{urn:example}echo", None, "\u00e9"), bob.jid)
            assert answer.findtext("{urn:example}echo") == "\u00e9"
            with pytest.raises(StanzaError, match="service-unavailable"):
                await alice.iq("get", element("{urn:example}other"), bob.jid)

    run(main())


@pytest.mark.parametrize(
    ("version", "chosen"),
    [
        (ssl.TLSVersion.TLSv1_2, "SCRAM-SHA-256-PLUS"),
        (ssl.TLSVersion.TLSv1_3, "SCRAM-SHA-256"),
    ],
)
def test_channel_binding(
    other: Other, monkeypatch: pytest.MonkeyPatch, version: ssl.TLSVersion, chosen: str
) -> None:
    """With TLS 1.2 there is tls-unique, with 1.3 nothing that these servers and Python share."""
    used: list[str] = []

    class Noting(mechanisms.ScramClientMechanism):
        def __init__(self, name: str, *rest: Any, **options: Any) -> None:
            used.append(name)
            super().__init__(name, *rest, **options)

    def context(**options: Any) -> ssl.SSLContext:
        made = original(**options)
        made.minimum_version = made.maximum_version = version
        return made

    original = connector_module.client_context
    monkeypatch.setattr(connector_module, "client_context", context)
    monkeypatch.setattr(mechanisms, "ScramClientMechanism", Noting)

    async def main() -> None:
        async with client(other, "alice"), client(other, "bob"):
            assert used == [chosen, chosen]

    run(main())
