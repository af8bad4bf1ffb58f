"""A server on loopback without TLS, and accounts to put load on it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from accounts import PASSWORD, cheap_accounts

from xmppfast.core.jid import JID
from xmppfast.load.crowd import Crowd, Target
from xmppfast.load.observed import Observed
from xmppfast.load.report import Report
from xmppfast.protocol.connecting import Tls
from xmppfast.server.defaults import features
from xmppfast.server.server import Server, Settings
from xmppfast.storage.memory import MemoryStorage
from xmppfast.transport.tcp import listen

DOMAIN = "localhost"
Make = Callable[[Crowd, Observed], Awaitable[Report]]


def accounts(count: int) -> list[tuple[JID, str]]:
    """Accounts that the server has."""
    return [(JID.parse(f"user{number}@{DOMAIN}"), PASSWORD) for number in range(count)]


def loaded(make: Make, count: int, spoil: Callable[[Server], None] | None = None) -> Report:
    """Make a run against a server with so many accounts; `spoil` may change the server."""

    async def main() -> Report:
        storage = MemoryStorage()
        names = [f"user{number}" for number in range(count)]
        store = await cheap_accounts(storage, DOMAIN, *names)
        settings = Settings(JID.parse(DOMAIN), tls=False, plaintext=True)
        server = Server(settings, store, features(storage))
        if spoil is not None:
            spoil(server)
        listener = await listen("127.0.0.1", 0, server.connection)
        target = Target(port=listener.addresses[0][1], tls=Tls.NEVER, mechanism="PLAIN")
        try:
            async with asyncio.timeout(180):
                return await make(Crowd(target), Observed([os.getpid()]))
        finally:
            listener.close()
            await server.close()

    return asyncio.run(main())


def quiet(what: str, part: float) -> None:
    """Nobody watches."""


def sending(server: Server, change: Callable[[bytes, Any], list[bytes]]) -> None:
    """Have everything that is sent to a session changed on the way."""
    add = server.registry.add

    def wrapped(session: Any) -> None:
        send = session.send
        session.send = lambda data: [send(part) for part in change(data, session)]
        add(session)

    server.registry.add = wrapped  # type: ignore[method-assign]
