"""Both sides of SASL with everything given that comes from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from xmppfast.protocol.sasl.interface import Challenge, ServerMechanism, Success
from xmppfast.protocol.sasl.keys import StoredKeys, derive
from xmppfast.protocol.sasl.mechanisms import Client, Server

_T = TypeVar("_T")

SECRET = b"s" * 32
BINDINGS = {"tls-server-end-point": b"hash of a certificate", "tls-unique": b"finished"}
PASSWORD = "pencil"
ALICE = derive(PASSWORD, salt=b"salt of 16 bytes", iterations=4096)


class Accounts:
    """Where the server looks accounts up; notes for whom."""

    def __init__(self, **stored: StoredKeys) -> None:
        self.stored = stored
        self.asked: list[str] = []

    async def lookup(self, username: str) -> StoredKeys | None:
        self.asked.append(username)
        return self.stored.get(username)


class Offloaded:
    """Runs costly functions at once, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self, work: Callable[[], _T]) -> _T:
        self.count += 1
        return work()


def server(
    *,
    accounts: Accounts | None = None,
    bindings: Mapping[str, bytes] = BINDINGS,
    plaintext: bool = True,
    nonce: str = "server",
    offload: Any = None,
) -> Server:
    """A server of example.org that knows alice."""
    return Server(
        "example.org",
        Accounts(alice=ALICE) if accounts is None else accounts,
        secret=SECRET,
        new_nonce=lambda: nonce,
        offload=Offloaded() if offload is None else offload,
        bindings=bindings,
        plaintext=plaintext,
    )


def client(
    username: str = "alice",
    password: str = PASSWORD,
    *,
    bindings: Mapping[str, bytes] = BINDINGS,
    plaintext: bool = True,
    nonce: str = "client",
) -> Client:
    """A client of alice."""
    return Client(
        username,
        password,
        new_nonce=lambda: nonce,
        bindings=bindings,
        plaintext=plaintext,
    )


def respond(mechanism: ServerMechanism, data: bytes | str | None) -> Challenge | Success:
    """What the server says to that."""
    step = mechanism.respond(data.encode() if isinstance(data, str) else data)
    return run(step) if isinstance(step, Awaitable) else step


def run(awaitable: Awaitable[_T]) -> _T:
    """Wait for one thing."""

    async def main() -> _T:
        return await awaitable

    return asyncio.run(main())


def bindings_for(mechanism: str) -> dict[str, bytes]:
    """Data for a client that is to choose that mechanism from all."""
    return BINDINGS if mechanism.endswith("-PLUS") else {}


def log_in(client: Client, server: Server, *offered: str) -> Success:
    """Run a whole exchange, with the mechanism that the client chooses."""
    ours = client.choose(offered or server.names(), server.channel_bindings(), ())
    assert ours is not None
    theirs = server.start(ours.name)
    step = respond(theirs, ours.initial())
    while isinstance(step, Challenge):
        step = respond(theirs, ours.respond(step.data))
    ours.succeed(step.data)
    return step
