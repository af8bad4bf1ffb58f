"""Metrics of a server under load: what is counted, and how it is asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from accounts import cheap_accounts
from implementations import CI
from under_load import DOMAIN, accounts, quiet

from xmppfast.core.jid import JID
from xmppfast.load.crowd import Crowd, Target
from xmppfast.load.observed import Observed
from xmppfast.load.runs import throughput
from xmppfast.protocol.connecting import Tls
from xmppfast.server.defaults import features
from xmppfast.server.server import Server, Settings
from xmppfast.storage.memory import MemoryStorage
from xmppfast.transport.tcp import listen

if not CI:
    pytest.importorskip("prometheus_client")


async def ask(port: int, path: str = "/metrics", method: str = "GET") -> str:
    """An HTTP answer, head and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()


def value(text: str, name: str) -> float:
    """The value of a metric."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])


def measured(use: Callable[[Server, int, int], object]) -> None:
    """Run a server with metrics; `use` gets it, its port and that of the metrics."""

    async def main() -> None:
        from xmppfast.server import metrics

        storage = MemoryStorage()
        store = await cheap_accounts(storage, DOMAIN, "user0", "user1")
        settings = Settings(JID.parse(DOMAIN), tls=False, plaintext=True)
        server = Server(settings, store, features(storage))
        counted = metrics.Metrics(server)
        listener = await listen("127.0.0.1", 0, counted.connection)
        exposed = metrics.exposed(counted)

        async def source():
            return exposed()

        endpoint = await metrics.serve(source, 0)
        try:
            async with asyncio.timeout(180):
                await use(server, listener.addresses[0][1], endpoint.port)
        finally:
            endpoint.close()
            listener.close()
            await server.close()

    asyncio.run(main())


def test_everything_is_counted():
    async def use(server: Server, port: int, asking: int) -> None:
        crowd = Crowd(Target(port=port, tls=Tls.NEVER, mechanism="PLAIN"))
        report = await throughput(
            crowd, Observed(), accounts(2), window=3, seconds=0.3, warmup=0, body=20,
            together=False, at_once=2, progress=quiet,
        )  # fmt: skip
        text = await ask(asking)
        straight = value(text, 'xmppfast_stanzas_total{kind="message",route="straight"}')
        assert straight >= report.figures["messages"] > 0
        assert value(text, 'xmppfast_stanzas_total{kind="presence",route="handled"}') == 2
        assert value(text, "xmppfast_parser_bytes_total") > 100 * straight
        reads = value(text, "xmppfast_reads_total")
        assert value(text, "xmppfast_read_seconds_count") == reads // 16
        assert value(text, 'xmppfast_read_seconds_bucket{le="+Inf"}') == reads // 16
        assert value(text, "xmppfast_read_seconds_sum") > 0
        assert value(text, "xmppfast_queue_bytes") == 0
        assert value(text, "process_cpu_seconds_total") > 0

    measured(use)


def test_sessions_come_and_go():
    async def use(server: Server, port: int, asking: int) -> None:
        crowd = Crowd(Target(port=port, tls=Tls.NEVER, mechanism="PLAIN"))
        await crowd.log_in(accounts(2), at_once=1, progress=quiet)
        text = await ask(asking)
        assert value(text, "xmppfast_sessions") == value(text, "xmppfast_connections") == 2
        await crowd.log_out()
        while server.connections:
            await asyncio.sleep(0.01)
        assert value(await ask(asking), "xmppfast_sessions") == 0

    measured(use)


def test_anything_else_is_not_there():
    async def use(server: Server, port: int, asking: int) -> None:
        assert (await ask(asking, "/")).startswith("HTTP/1.1 404 ")
        assert (await ask(asking, method="POST")).startswith("HTTP/1.1 404 ")
        assert "200 OK" in (await ask(asking)).splitlines()[0]

    measured(use)


def test_a_request_without_end_is_dropped():
    async def use(server: Server, port: int, asking: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", asking)
        writer.write(b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 5000)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()

    measured(use)
