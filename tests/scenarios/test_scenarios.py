"""The scripts of this folder, in memory and over the network; see `tests/scenario.py`.

In memory, time is virtual and TLS is only claimed. Over the network, each script runs over TCP with
STARTTLS, and over direct TLS.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import scenario
from accounts import cheap_accounts
from player import DOMAIN, Player, play_in_memory
from wires import StreamWire

from xmppfast.core.jid import JID
from xmppfast.server.server import Settings
from xmppfast.server.service import Certificate, Ports, Service
from xmppfast.storage.memory import MemoryStorage

SCRIPTS = [scenario.read(path) for path in sorted(Path(__file__).parent.glob("*.txt"))]


@pytest.mark.parametrize("workers", [1, 3], ids=["one-worker", "three-workers"])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_in_memory(script, workers):
    play_in_memory(script, workers=workers)


@pytest.mark.parametrize("direct", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_over_the_network(script, direct, certificate_folder):
    if script.virtual:
        pytest.skip("time would have to pass")
    if direct and script.needs_starttls:
        pytest.skip("is about STARTTLS")

    async def work():
        storage = MemoryStorage()
        await cheap_accounts(storage, DOMAIN, *script.accounts)
        service = Service(
            Settings(JID.parse(DOMAIN)),
            Ports(port=None if direct else 0, tls_port=0 if direct else None),
            Certificate(folder=certificate_folder),
            storage,
        )
        await service.start()
        try:
            ((_, port),) = service.addresses
            await Player(script, lambda: StreamWire.open(port, direct=direct)).play()
        finally:
            await service.stop()

    asyncio.run(work())


@pytest.fixture(scope="session")
def certificate_folder(tmp_path_factory):
    """Where the certificate is kept, so that it is made once."""
    return tmp_path_factory.mktemp("certificate")


def test_there_are_scripts():
    assert SCRIPTS
