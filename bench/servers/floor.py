"""What no server can be faster than: a relay in C that forwards bytes unread.

    python -m bench.servers.floor PORT PAIRS WINDOW SECONDS PID CORE

measures it as `xmppfast load throughput` measures a server, and prints the same JSON.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.servers.subjects import HERE, Running, ServerMissingError
from xmppfast import Stanza, StreamError, StreamParser
from xmppfast.core.jid import JID
from xmppfast.load.crowd import Crowd, Peer, Progress, Target
from xmppfast.load.observed import Observed
from xmppfast.load.runs import throughput
from xmppfast.protocol.link import Link
from xmppfast.transport.tcp import connect

NAME = "byte relay"
_HEADER = b"<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>"


@contextmanager
def relay(folder: Path, core: int) -> Iterator[Running]:
    """Compile and run it. ServerMissingError without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise ServerMissingError("no C compiler")
    program = folder / "relay"
    subprocess.run([compiler, "-O2", "-o", str(program), str(HERE / "relay.c")], check=True)
    with subprocess.Popen(
        [program], stdout=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, {core})
    ) as process:
        assert process.stdout is not None
        try:
            yield Running(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()


class _Stream:
    """What there is of a stream without negotiation."""

    def __init__(self) -> None:
        self.parser = StreamParser()
        list(self.parser.feed(_HEADER))

    def fail(self, error: StreamError) -> None:
        """The relay changed what it forwards."""
        raise error


class _End:
    """One end of a pair, as a `Session` is to a `Peer`."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.stream = _Stream()
        self._link: Link
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stanza: Callable[[Stanza], None] = self._ok

    def connected(self, link: Link) -> None:
        """Say who we are."""
        self._link = link
        link.write(b"%d\n" % self._number)

    def received(self, data: bytes) -> None:
        """What the other end sent."""
        for event in self.stream.parser.feed(data):
            self.receive(event)

    def receive(self, event: object) -> None:
        """An element."""
        assert isinstance(event, Stanza)
        self.stanza(event)

    def _ok(self, stanza: Stanza) -> None:
        self.ready.set_result(None)

    def close(self) -> None:
        """Leave."""
        self._link.abort()

    def overflowed(self) -> None:
        """The relay does not read."""
        self._link.abort()

    def ended(self) -> None:
        """The relay closed."""
        self._link.abort()

    def lost(self, error: Exception | None) -> None:
        """The connection is gone."""


class Ends(Crowd):
    """Pairs that are connected by the relay."""

    async def log_in(self, accounts: object, *, at_once: int, progress: Progress) -> None:
        """Connect as many ends as there are accounts."""
        assert isinstance(accounts, list)
        ends = [_End(number) for number in range(len(accounts))]
        for end, (jid, _) in zip(ends, accounts, strict=True):
            connection = await connect(self.target.host, self.target.port, end)
            self.peers.append(Peer(end, connection, jid))
        await asyncio.gather(*(end.ready for end in ends))


async def measure(port: int, pairs: int, window: int, seconds: float, pid: int) -> str:
    """Messages through the relay; the report as JSON."""
    accounts = [(JID.parse(f"user{n}@localhost/load"), "") for n in range(2 * pairs)]
    report = await throughput(
        Ends(Target(port=port)),
        Observed([pid]),
        accounts,
        window=window,
        seconds=seconds,
        warmup=1.0,
        body=100,
        together=False,
        at_once=1,
        progress=lambda what, part: None,
    )
    return report.dump()


def main() -> None:
    """Run from the command line."""
    import uvloop

    port, pairs, window, seconds, pid, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = measure(int(port), int(pairs), int(window), float(seconds), int(pid))
        print(runner.run(found))


if __name__ == "__main__":
    main()
