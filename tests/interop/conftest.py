"""A server on loopback for programs that others wrote."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from accounts import PASSWORD, cheap_accounts

from xmppfast.core.jid import JID
from xmppfast.server.server import Settings
from xmppfast.server.service import Certificate, Ports, Service
from xmppfast.storage.memory import MemoryStorage

DOMAIN = "localhost"
_COMMAND = (sys.executable, "-m", "xmppfast")


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
            async with asyncio.timeout(60):
                await service.stop()

    return run


class Command:
    """`xmppfast serve` in a process of its own, with the accounts alice and bob.

    port     where it listens
    ca_file  what to trust
    """

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "self-signed.pem"
        ports = ["--port", "0", "--tls-port", "0"]
        self._process = subprocess.Popen(
            [*_COMMAND, "serve", *ports, "--data", folder],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if match := re.search(r"listening on 127\.0\.0\.1 port (\d+)", line):
                self.port = int(match[1])
                break
        else:
            raise AssertionError("the server did not start")
        for name in ("alice", "bob"):
            add = ["user", "add", f"{name}@localhost", "--password-stdin", "--data", folder]
            subprocess.run(
                [*_COMMAND, *add],
                input=PASSWORD,
                text=True,
                check=True,
                timeout=120,
            )

    def stop(self) -> None:
        """End it as an administrator does."""
        self._process.terminate()

    def close(self) -> None:
        """Wait for its end; the test fails if there was something wrong."""
        self.stop()
        _, errors = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, errors


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    """The command, running."""
    started = Command(tmp_path / "data")
    yield started
    started.close()
