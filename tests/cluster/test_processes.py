"""Real workers and a real bus between them: what is killed takes nothing with it that was taken."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from importlib.util import find_spec

import pytest
from conversation import DOMAIN, HEADER, Client, cheap_accounts
from implementations import CI
from wires import StreamWire

from xmppfast import Stanza
from xmppfast.cli.private_bus import PROGRAMS
from xmppfast.storage.sql import SqlStorage

MISSING = [
    name
    for name, there in (
        ("redis-server", any(map(shutil.which, PROGRAMS))),
        ("the package redis", find_spec("redis")),
        ("the package prometheus_client", find_spec("prometheus_client")),
    )
    if not there
]

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="POSIX signals"),
    pytest.mark.skipif(bool(MISSING) and not CI, reason=f"not installed: {', '.join(MISSING)}"),
]

ACCOUNTS = [f"user{number}" for number in range(24)]


class Serving:
    """`xmppfast serve --workers` and what it has logged."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.reading = asyncio.create_task(self._read())

    async def line(self, pattern, count=1):
        """Matches of that many lines of the log, as soon as they are there."""
        while True:
            found = [it for it in (re.search(pattern, line) for line in self.lines) if it]
            if len(found) >= count:
                return found
            assert not self.reading.done(), f"{pattern!r} is not logged: {self.lines}"
            await asyncio.sleep(0.02)

    async def started(self):
        """Wait until it serves; its ports and processes are known then."""
        await self.line("metrics on")
        (port, *_), (metrics, *_) = (
            await self.line(r"listening .* port (\d+)$"),
            await self.line(r"metrics on http://127.0.0.1:(\d+)/"),
        )
        self.port, self.metrics = int(port[1]), int(metrics[1])
        self.workers = {
            int(it[1]): int(it[2]) for it in await self.line(r"worker (\d) is process (\d+)", 2)
        }
        self.bus = int((await self.line(r"bus is process (\d+)"))[0][1])

    async def _read(self):
        async for line in self.process.stderr:
            self.lines.append(json.loads(line)["message"])

    async def connections(self):
        """How many each worker has."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.metrics)
        writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
        return {
            int(worker): float(count)
            for worker, count in re.findall(
                r'^xmppfast_connections\{worker="(\d)"\} (.*)$', text, re.M
            )
        }

    async def client(self, name):
        """Log in."""
        return await Far(await StreamWire.open(self.port)).bound(name)


class Far(Client):
    """A client over TCP."""

    def __init__(self, wire):
        self.wire, self.header, self.jid = wire, HEADER, ""


class Person:
    """Somebody who sends numbered messages to others, and knows which of them were taken.

    received  by sender, in the order they came, of all sessions there were
    """

    def __init__(self, name, worker):
        self.name = name
        self.worker = worker
        self.received = {}
        self.gone = False
        self._sent = {}
        self.taken = {}
        self._answer = None

    def attend(self, client):
        """Read in a task what comes until the connection is gone."""
        self.client, self.gone = client, False
        self.task = asyncio.create_task(self._read(client))

    async def _read(self, client):
        while (event := await client.wire.events.get()) is not None:
            if not isinstance(event, Stanza):
                continue
            if event.name == "message" and event.type == "chat":
                sender, _, number = event.id.partition(":")
                self.received.setdefault(sender, []).append(int(number))
            elif event.id == "fence" and not self._answer.done():
                self._answer.set_result(None)
        self.gone = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    async def write_to(self, others, rounds):
        """Send a few messages to each, and wait until the server has taken them."""
        for _ in range(rounds):
            for other in others:
                for to in (f"{other.name}@{DOMAIN}", f"{other.name}@{DOMAIN}/r"):
                    number = self._sent[other.name] = self._sent.get(other.name, -1) + 1
                    self.client.send(
                        f"<message to='{to}' type='chat' id='{self.name}:{number}'>"
                        "<body>x</body></message>"
                    )
            self._answer = asyncio.get_running_loop().create_future()
            self.client.send("<iq type='get' id='fence'><fence xmlns='urn:example'/></iq>")
            await self._answer
            if self.gone:
                return
            self.taken = dict(self._sent)


@asynccontextmanager
async def serving(data, stopped=True):
    """Run two workers, stop them in an orderly way; nothing is left of them."""
    if MISSING:
        pytest.fail(f"not installed: {', '.join(MISSING)}")
    storage = await SqlStorage.open(f"sqlite:///{data}/xmppfast.sqlite")
    await cheap_accounts(storage, DOMAIN, *ACCOUNTS)
    await storage.close()
    arguments = ("--domain", DOMAIN, "--data", str(data), "--port", "0", "--tls-port", "0")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "xmppfast", "serve", "--workers", "2", "--allow-plaintext"),
        *(*arguments, "--metrics-port", "0"),
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
    )
    server = Serving(process)
    try:
        await server.started()
        yield server
        if not stopped:
            return
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0, server.lines
        await server.reading
        assert not (data / "bus.sock").exists()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def gather(server):
    """Two people at each worker, with sessions that are attended."""
    people, names = [], iter(ACCOUNTS)
    before = await server.connections()
    while any(sum(it.worker == worker for it in people) < 2 for worker in server.workers):
        name = next(names)
        client = await server.client(name)
        client.send("<presence/>")
        await client.settled()
        now = await server.connections()
        (worker,) = (it for it in now if now[it] > before[it])
        before = now
        person = Person(name, worker)
        person.attend(client)
        people.append(person)
    return people


def complete(people):
    """Whether everybody has everything that was taken from others for them."""
    return all(
        set(person.received.get(other.name, ())) >= set(range(other.taken.get(person.name, -1) + 1))
        for person in people
        for other in people
        if person is not other
    )


async def converse(server, people, kill):
    """Everybody writes to everybody; meanwhile, something is killed."""
    writing = [
        asyncio.create_task(person.write_to([it for it in people if it is not person], 25))
        for person in people
    ]
    while not all(person.taken for person in people):
        await asyncio.sleep(0.01)
    os.kill(kill, signal.SIGKILL)
    await asyncio.gather(*writing)


def limited(work):
    async def main():
        async with asyncio.timeout(240):
            await work()

    asyncio.run(main())


def test_a_worker_is_killed(tmp_path):
    async def work():
        async with serving(tmp_path) as server:
            people = await gather(server)
            await converse(server, people, server.workers[1])
            for person in people:
                assert person.gone == (person.worker == 1), person.name
            await server.line("worker 1 is there again")
            for person in people:
                if person.gone:
                    client = await server.client(person.name)
                    person.attend(client)
                    client.send("<presence/>")
            while not complete(people):
                await asyncio.sleep(0.05)
            for person in people:
                for numbers in person.received.values():
                    first = list(dict.fromkeys(numbers))
                    assert first == sorted(first)
                person.client.wire.break_off()
            await asyncio.gather(*(person.task for person in people))

    limited(work)


def test_the_bus_is_killed(tmp_path):
    async def work():
        async with serving(tmp_path) as server:
            people = await gather(server)
            await converse(server, people, server.bus)
            while not complete(people):
                await asyncio.sleep(0.05)
            assert "ended with -9: starting it again" in " ".join(server.lines)
            for person in people:
                assert not person.gone
                for other in people:
                    if other is not person:
                        count = other.taken[person.name] + 1
                        assert person.received[other.name] == list(range(count))
            # Those who come now find the others, and are found.
            newcomer = Person("user23", None)
            client = await server.client("user23")
            newcomer.attend(client)
            await newcomer.write_to(people, 1)
            while not complete([*people, newcomer]):
                await asyncio.sleep(0.05)
            for person in (*people, newcomer):
                person.client.wire.break_off()

    limited(work)


def test_the_first_process_is_killed(tmp_path):
    async def work():
        async with serving(tmp_path, stopped=False) as server:
            client = await server.client("user0")
            server.process.kill()
            assert await client.stream_error() == "system-shutdown"
            await server.reading  # everybody who could log has ended
            while (tmp_path / "bus.sock").exists():
                await asyncio.sleep(0.02)

    limited(work)
