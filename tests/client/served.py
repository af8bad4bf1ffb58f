"""A whole server on loopback, in the test's event loop, and clients of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from accounts import PASSWORD, cheap_accounts

from xmppfast.client import Address, Client
from xmppfast.core.jid import JID
from xmppfast.server.defaults import features
from xmppfast.server.server import Server, Settings
from xmppfast.storage.memory import MemoryStorage
from xmppfast.transport.certificates import ServerCertificate
from xmppfast.transport.tcp import Listener, listen
from xmppfast.transport.tls import TlsRole

DOMAIN = "localhost"


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a test, for two minutes at most; nothing may complain in the background."""

    async def limited() -> None:
        complaints: list[dict[str, Any]] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(120):
            await main
        assert complaints == []
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(limited())


@dataclass
class Served:
    """A running server.

    port, tls_port  where it listens, with STARTTLS and with direct TLS
    address         how clients reach it
    """

    server: Server
    listeners: list[Listener]
    port: int
    tls_port: int
    address: Address

    def client(self, name: str, password: str = PASSWORD, **options: Any) -> Client:
        """A client of that account."""
        jid = f"{name}@{DOMAIN}" if "@" not in name else name
        return Client(jid, password, **{"address": self.address, **options})

    def direct(self) -> Address:
        """The address with direct TLS."""
        return replace(self.address, port=self.tls_port, direct_tls=True)


@asynccontextmanager
async def serving(
    certificate: ServerCertificate,
    authority: Path,
    *names: str,
    port: int = 0,
    storage: Any = None,
    install: Callable[[Any], Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Run a server that has these accounts, all with the password `PASSWORD`."""
    storage = storage or MemoryStorage()
    domain = JID.parse(DOMAIN)
    accounts = await cheap_accounts(storage, DOMAIN, *names)
    server = Server(Settings(domain, **settings), accounts, install or features(storage))
    tls = None
    if server.settings.tls:

        def tls() -> TlsRole:
            return TlsRole(certificate.context, server_side=True, certificate=certificate.der)

    listeners = [await listen("127.0.0.1", port, server.connection, tls=tls)]
    if tls is not None:
        listeners.append(await listen("127.0.0.1", 0, server.connection, tls=tls, direct=True))
    ports = [listener.addresses[0][1] for listener in listeners]
    address = Address(host="127.0.0.1", port=ports[0], ca_file=authority, timeout=60)
    try:
        yield Served(server, listeners, ports[0], ports[-1], address)
    finally:
        for listener in listeners:
            listener.close()
        await server.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait until that is so."""
    while not condition():
        await asyncio.sleep(0.005)
