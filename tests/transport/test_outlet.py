"""Both kinds of outlet: compiled, and plain where it could not be."""

from __future__ import annotations

import importlib
import sys

import pytest
from implementations import CI
from transport_ends import OPEN, Notes

import xmppfast.transport

_MODULES = [f"xmppfast.transport.{name}" for name in ("outlet", "connection", "tcp")]


@pytest.fixture(params=["compiled", "plain"])
def tcp(request, monkeypatch):
    """The module `tcp`, on the one or the other."""
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "xmppfast.transport._outlet", None)
    elif not CI or sys.platform != "linux":
        pytest.importorskip("xmppfast.transport._outlet")
    for name in _MODULES:
        module = importlib.import_module(name)
        # What is imported again becomes the package's attribute, too: put back what was there.
        monkeypatch.setattr(xmppfast.transport, name.rpartition(".")[2], module)
        monkeypatch.delitem(sys.modules, name)
    made = [importlib.import_module(name) for name in _MODULES]
    assert (made[0].Outlet is made[0].PlainOutlet) == (request.param == "plain")
    return made[2]


def test_what_is_written_comes_in_order_however_slow_the_peer_reads(tcp, run):
    async def main() -> None:
        server, client = Notes(), Notes()
        listener = await tcp.listen("127.0.0.1", 0, lambda: server)
        link = await tcp.connect("127.0.0.1", listener.addresses[0][1], client)

        async def close() -> None:
            listener.close()
            for side in (client, server):
                side.link.abort()
                await side.until_lost()

        OPEN.append(close)
        await server.until(lambda: server.link is not None)
        server.link.pause()
        parts = [b"%d" % (number % 10) * 100_000 for number in range(60)]
        for part in parts:
            link.write(part[:1])
            link.write(part[1:])
            await link.drained() if part is parts[0] else link.flush()
        assert link.queued > 0
        server.link.resume()
        link.write(b"end")
        await server.until(lambda: server.data.endswith(b"end"))
        assert server.data == b"".join(parts) + b"end"
        assert link.queued == 0
        server.link.write(b"answer")
        await client.until(lambda: client.data == b"answer")

    run(main())


def test_a_connection_that_fails_to_flush_takes_nobody_with_it(tcp, run):
    async def main() -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        complaints = []
        loop.set_exception_handler(lambda loop, context: complaints.append(context["message"]))
        outlet = sys.modules["xmppfast.transport.outlet"]

        class Broken(outlet.Outlet):
            aborted = False

            def flush(self) -> None:
                raise RuntimeError("broken")

            def abort(self) -> None:
                self.aborted = True

        class Whole(outlet.Outlet):
            flushed = 0

            def flush(self) -> None:
                self.flushed += 1

        turn = outlet.Turn(loop)
        broken, whole = Broken(turn, print), Whole(turn, print)
        for each in (broken, whole):
            each.write(b"x")
        await asyncio.sleep(0)
        assert (broken.aborted, whole.flushed, complaints) == (True, 1, ["a connection failed"])

    run(main())
