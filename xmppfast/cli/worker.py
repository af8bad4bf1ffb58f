"""A process of `xmppfast serve --workers`; started by `workers`, and by nobody else.

Its first line of stdin is a JSON object, see `Orders`. It answers that with `ready` when it accepts
connections, and from then on each line it is given: `remove ADDRESS` with `yes` or `no`, `metrics`
with its metrics. An answer is the number of its bytes, on a line, and those. When stdin ends, its
parent is gone, and it stops.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import complete, logs, serve

if TYPE_CHECKING:
    from ..server.service import Service

log = logging.getLogger("xmppfast.server")


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is told.

    options  those of the command
    name     of the worker on the bus
    bus      where that is
    private  whether that ends with the server
    plain    numbers of the open sockets for connections that begin without TLS
    tls      likewise with TLS
    """

    options: dict[str, Any]
    name: str
    bus: str
    private: bool
    plain: list[int]
    tls: list[int]

    def write(self) -> bytes:
        """The line that says it."""
        return json.dumps(asdict(self), default=str).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Orders:
        """What `write` wrote."""
        return cls(**json.loads(line))

    @property
    def namespace(self) -> argparse.Namespace:
        """The options as they were parsed."""
        found = argparse.Namespace(**self.options)
        for name in ("config", "data"):
            if getattr(found, name) is not None:
                setattr(found, name, Path(getattr(found, name)))
        return found


async def work(orders: Orders) -> None:
    """Serve until it is time to end."""
    from ..cluster.interface import BusLost
    from ..cluster.redis_bus import RedisBus, end_if_alone
    from ..server.service import Opened

    stop, orphaned = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    options = orders.namespace
    configuration = serve.read(options)
    running = serve.Running(configuration)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: serve.reload(options, running))
    opened = Opened(_sockets(orders.plain), _sockets(orders.tls))
    bus = RedisBus(orders.bus, configuration.domain, orders.name)
    service = running.service = await serve.start(configuration, opened, bus)
    obeying = asyncio.create_task(_obey(service, stop, orphaned))
    _answer(b"ready")
    await stop.wait()
    obeying.cancel()
    await service.stop()
    if orders.private and orphaned.is_set():
        with suppress(BusLost):
            await end_if_alone(orders.bus, configuration.domain)


async def _obey(service: Service, stop: asyncio.Event, orphaned: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while line := await reader.readline():
        command, _, argument = line.decode().strip().partition(" ")
        if command == "metrics":
            _answer(service.metrics())
        else:
            _answer(await _remove(service, argument))
    log.error("the process that started this worker is gone: stopping")
    orphaned.set()
    stop.set()


async def _remove(service: Service, address: str) -> bytes:
    from ..core.jid import JID

    log.info("%s is removed", address)
    try:
        return b"yes" if await service.accounts.remove(JID.parse(address)) else b"no"
    except Exception as error:
        log.error("an account can't be removed", exc_info=error)
        return f"failed {error}".encode()


def _answer(data: bytes) -> None:
    sys.stdout.buffer.write(b"%d\n%b" % (len(data), data))
    sys.stdout.buffer.flush()


def _sockets(numbers: list[int]) -> list[socket.socket]:
    return [socket.socket(fileno=number) for number in numbers]


def main() -> int:
    """Run a worker; returns its exit code."""
    return complete(_main)


def _main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too
    orders = Orders.read(sys.stdin.buffer.readline())
    configuration = serve.read(orders.namespace)
    logs.configure(configuration.log.level, configuration.log.format)
    with serve.loop_runner() as runner:
        runner.run(work(orders))
    return 0


if __name__ == "__main__":
    sys.exit(main())
