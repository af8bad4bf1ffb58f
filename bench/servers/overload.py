"""How long an innocent session waits for an answer while others take what they can get.

    python -m bench.servers.overload
    python -m bench.servers.overload --only ejabberd --seconds 10

One session sends a ping every 20 ms, whatever becomes of those before. Meanwhile, in a process of
their own:

flood            twenty sessions send messages that can't be delivered, without end
accept storm     connections come, say nothing and go, without end
reconnect storm  a hundred sessions at a time log in with their passwords and break off, without end

Latency counts from when a ping was due. Memory is the server's before the first connection and five
seconds after the last one. The server has one processor, everything else another.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from bench.servers.subjects import SERVERS, Running, running
from xmppfast.load.histogram import Histogram
from xmppfast.load.observed import Observed

_PASSWORD = "password"
_FLOODING = 20
_STORMING = 100
_EACH = 0.02
_SETTLE = 5.0

_HEADER = (
    b"<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client'"
    b" xmlns:stream='http://etherx.jabber.org/streams'>"
)
_BIND = (
    b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    b"<resource>overload</resource></bind></iq>"
)
_PING = "<iq type='get' id='p{}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
_FLOOD = b"<message to='nobody@example.com'><body>flood</body></message>" * 500

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Attack = Callable[[int], Awaitable[None]]


async def _logged_in(port: int, name: str) -> Ends:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_HEADER)
    await reader.readuntil(b"</stream:features>")
    initial = base64.b64encode(f"\0{name}\0{_PASSWORD}".encode()).decode()
    auth = f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{initial}</auth>"
    writer.write(auth.encode())
    await reader.readuntil(b"<success")
    await reader.readuntil(b">")
    writer.write(_HEADER)
    await reader.readuntil(b"</stream:features>")
    writer.write(_BIND)
    await reader.readuntil(b"</iq>")
    return reader, writer


async def _flood(port: int) -> None:
    async def one(number: int) -> None:
        reader, writer = await _logged_in(port, f"user{number}")
        answers = asyncio.create_task(_drain(reader))
        with suppress(OSError):
            while not answers.done():
                writer.write(_FLOOD)
                await writer.drain()
        await answers

    await asyncio.gather(*(one(number) for number in range(1, 1 + _FLOODING)))


async def _drain(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(1 << 18):
            pass


async def _accept_storm(port: int) -> None:
    while True:
        opened = (asyncio.open_connection("127.0.0.1", port) for _ in range(_STORMING))
        for ends in await asyncio.gather(*opened, return_exceptions=True):
            if not isinstance(ends, BaseException):
                ends[1].transport.abort()


async def _reconnect_storm(port: int) -> None:
    async def one(number: int) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                _, writer = await _logged_in(port, f"user{number}")
                writer.transport.abort()

    await asyncio.gather(*(one(number) for number in range(1, 1 + _STORMING)))


ATTACKS: dict[str, Attack | None] = {
    "nothing": None,
    "flood": _flood,
    "accept storm": _accept_storm,
    "reconnect storm": _reconnect_storm,
}


def _attack(name: str, port: int, core: int) -> None:
    os.sched_setaffinity(0, {core})
    os.nice(5)  # so that the innocent session is in time
    attack = ATTACKS[name]
    assert attack is not None
    asyncio.run(attack(port))  # type: ignore[arg-type]


async def _pings(port: int, seconds: float) -> tuple[Histogram, int]:
    """Latencies, and how many pings were not answered."""
    reader, writer = await _logged_in(port, "user0")
    times = Histogram()
    begin = perf_counter() + _EACH
    count = int(seconds / _EACH)

    async def answers() -> None:
        for number in range(count):
            while f"p{number}'".encode() not in await reader.readuntil(b">"):
                pass
            times.add(perf_counter() - begin - number * _EACH)

    answered = asyncio.create_task(answers())
    for number in range(count):
        await asyncio.sleep(begin + number * _EACH - perf_counter())
        writer.write(_PING.format(number).encode())
    with suppress(TimeoutError):
        await asyncio.wait_for(answered, 10)
    writer.transport.abort()
    return times, count - times.count


def _measure(server: Running, options: argparse.Namespace) -> None:
    observed = Observed([server.pid])
    before = observed.memory().proportional
    for name, attack in ATTACKS.items():
        process = None
        if attack is not None:
            arguments = (name, server.port, options.load_core)
            process = multiprocessing.get_context("spawn").Process(target=_attack, args=arguments)
            process.start()
        try:
            asyncio.run(asyncio.sleep(1))
            times, lost = asyncio.run(_pings(server.port, options.seconds))
        finally:
            if process is not None:
                process.kill()
                process.join()
        found = times.microseconds()
        asyncio.run(asyncio.sleep(_SETTLE))
        grown = (observed.memory().proportional - before) / 2**20
        print(
            f"{name:16} p50 {found['p50'] / 1e3:8.2f} ms   p99 {found['p99'] / 1e3:8.2f} ms"
            f"   max {found['max'] / 1e3:8.2f} ms   unanswered {lost}"
            f"   memory afterwards {grown:+.1f} MiB",
            flush=True,
        )


def main() -> int:
    """Run from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.servers.overload",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="xmppfast", choices=SERVERS, metavar="NAME")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each (default: 5)")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.load_core})
    accounts = [(f"user{number}", _PASSWORD) for number in range(1 + _STORMING)]
    with (
        tempfile.TemporaryDirectory() as folder,
        running(SERVERS[options.only], Path(folder), accounts, options.server_core) as server,
    ):
        _measure(server, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
