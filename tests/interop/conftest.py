"""A server on loopback for programs that others wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from accounts import cheap_accounts

from xmppfast.core.jid import JID
from xmppfast.server.server import Settings
from xmppfast.server.service import Certificate, Ports, Service
from xmppfast.storage.memory import MemoryStorage

DOMAIN = "localhost"


class Running:
    """A server that runs.

    port, tls_port  where it listens; the latter for TLS from the first byte
    ca_file         what to trust
    service         the server
    """

    def __init__(self, service: Service, ca_file: Path) -> None:
        self.service = service
        self.ca_file = ca_file
        (_, self.port), (_, self.tls_port) = service.addresses


@pytest.fixture(scope="session")
def certificate_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's certificate is kept."""
    return tmp_path_factory.mktemp("certificate")


@pytest.fixture
def running(certificate_folder: Path):
    """Gives a context in which a server runs, with accounts of these names."""

    @asynccontextmanager
    async def run(*names: str) -> AsyncIterator[Running]:
        storage = MemoryStorage()
        await cheap_accounts(storage, DOMAIN, *names)
        certificate = Certificate(folder=certificate_folder)
        service = Service(
            Settings(JID.parse(DOMAIN)), Ports(port=0, tls_port=0), certificate, storage
        )
        await service.start()
        try:
            yield Running(service, certificate_folder / "self-signed.pem")
        finally:
            async with asyncio.timeout(20):
                await service.stop()

    return run
