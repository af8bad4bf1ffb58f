"""What a running server counts, for Prometheus; on loopback, where it is asked for."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import accumulate
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from .connection import Connection

if TYPE_CHECKING:
    from .server import Server

_HOST = "127.0.0.1"
# Seconds; each is the upper end of a bucket.
_BUCKETS = (1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 0.1, 1.0)
# Of so many reads one is timed: what the clock costs is not to be seen.
_EACH = 16
_MOST_HEADER = 8192
_PATIENCE = 10.0


_received = Connection.received


class CountingConnection(Connection):
    """A connection that counts bytes and times some of its reads."""

    __slots__ = ("_metrics",)

    def __init__(self, server: Server, metrics: Metrics) -> None:
        super().__init__(server)
        self._metrics = metrics

    def received(self, data: bytes) -> None:
        """`Receiver.received`."""
        metrics = self._metrics
        metrics.bytes += len(data)
        metrics.untimed -= 1
        if metrics.untimed:
            _received(self, data)
            return
        metrics.untimed = _EACH
        begin = perf_counter()
        _received(self, data)
        metrics.time(perf_counter() - begin)


class Metrics(Collector):
    """Plain integers while the server works, metrics when they are asked for.

    bytes    that were given to parsers
    untimed  reads until one is timed, that one included
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.bytes = 0
        self.untimed = _EACH
        self._times = [0] * (len(_BUCKETS) + 1)
        self._seconds = 0.0

    @property
    def reads(self) -> int:
        """Reads from connections."""
        return _EACH * sum(self._times) + _EACH - self.untimed

    def connection(self) -> Connection:
        """A receiver for a new connection, instead of `Server.connection`."""
        return CountingConnection(self._server, self)

    def time(self, seconds: float) -> None:
        """Count the time that a read took."""
        self._times[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        server = self._server
        yield GaugeMetricFamily(
            "xmppfast_sessions", "Connected resources", len(server.registry.sessions)
        )
        yield GaugeMetricFamily(
            "xmppfast_connections", "Connections, with or without a session",
            len(server.connections),
        )  # fmt: skip
        yield GaugeMetricFamily(
            "xmppfast_queue_bytes", "Written and not yet taken by the network",
            sum(connection.queued for connection in server.connections),
        )  # fmt: skip
        yield CounterMetricFamily("xmppfast_parser_bytes", "Given to parsers", self.bytes)
        yield CounterMetricFamily("xmppfast_reads", "From connections", self.reads)
        stanzas = CounterMetricFamily(
            "xmppfast_stanzas",
            "From sessions; straight is a message that went from head to connected address",
            labels=("kind", "route"),
        )
        router = server.router
        stanzas.add_metric(("message", "straight"), router.straight)
        for kind, count in router.handled.items():
            stanzas.add_metric((kind, "handled"), count)
        yield stanzas
        bounds = [*map(str, _BUCKETS), "+Inf"]
        yield HistogramMetricFamily(
            "xmppfast_read_seconds",
            f"From a read to its stanzas being passed on; one read of {_EACH}",
            buckets=list(zip(bounds, accumulate(self._times), strict=True)),
            sum_value=self._seconds,
        )


class Endpoint:
    """`GET /metrics` on a port of loopback."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server

    @property
    def port(self) -> int:
        """The port that it became."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Answer no more."""
        self._server.close()


def exposed(metrics: Metrics) -> Callable[[], bytes]:
    """What gives the metrics, and facts about the process, as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(metrics)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return lambda: generate_latest(registry)


def merged(of: Mapping[str, bytes]) -> bytes:
    """The metrics of several workers, by their names; each sample has the label `worker`."""
    families: dict[str, Metric] = {}
    for worker, text in of.items():
        for family in text_string_to_metric_families(text.decode()):
            known = families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            for sample in family.samples:
                known.samples.append(sample._replace(labels={"worker": worker, **sample.labels}))
    registry = CollectorRegistry()
    registry.register(_Families(families.values()))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


async def serve(source: Callable[[], Awaitable[bytes]], port: int) -> Endpoint:
    """Answer HTTP requests with the metrics. Raises OSError.

    source  gives them as Prometheus reads them
    port    0 has the system choose one
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                request = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0]
                if request.split(b" ")[:2] == [b"GET", b"/metrics"]:
                    body = await source()
                    status, kind = "200 OK", CONTENT_TYPE_LATEST
                else:
                    body, status, kind = b"only GET /metrics\n", "404 Not Found", "text/plain"
                head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
                writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked is gone, or asked for something else
        finally:
            writer.close()

    return Endpoint(await asyncio.start_server(answer, _HOST, port, limit=_MOST_HEADER))
