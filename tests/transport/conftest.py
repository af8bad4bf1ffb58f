"""Connections on loopback, with both event loops where uvloop is installed."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from implementations import CI
from transport_ends import OPEN

from xmppfast.transport.certificates import ServerCertificate, self_signed

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine in a new event loop, for two minutes at most."""
    factory = None
    if request.param == "uvloop":
        if importlib.util.find_spec("uvloop") is None:
            (pytest.fail if CI else pytest.skip)("uvloop is not installed")
        import uvloop

        factory = uvloop.new_event_loop

    def run(main: Coroutine[Any, Any, None]) -> None:
        async def limited() -> None:
            complaints: list[dict[str, Any]] = []
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: complaints.append(context))
            try:
                async with asyncio.timeout(120):
                    await main
            finally:
                while OPEN:
                    await OPEN.pop()()
            assert complaints == []

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(limited())

    return run


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    """A certificate for localhost and 127.0.0.1."""
    return self_signed(tmp_path_factory.mktemp("tls"), ["localhost", "127.0.0.1"])


@pytest.fixture(scope="session")
def authority(certificate: ServerCertificate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same certificate as a file, to trust it."""
    import ssl

    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(certificate.der))
    return path
