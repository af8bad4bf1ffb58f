"""TCP without sockets: connections between a server and its clients, in virtual time.

`NetworkLoop` is an event loop whose `create_server` and `create_connection` lead into a `Network`,
so that what is tested is everything above the socket. Bytes arrive late and in pieces of any size,
each client's `Line` can be cut, slow or broken, and all of it follows from one seed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from virtual import VirtualLoop

# Bytes that the network itself takes before a transport has to keep them.
WINDOW = 16 * 1024

# Bytes kept by a transport at which its protocol is told to stop, and to go on.
HIGH, LOW = 64 * 1024, 16 * 1024


class Line:
    """How a client is connected to the world.

    up    whether anything goes through
    slow  whether the client reads a few bytes a second only
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.up = True
        self.slow = False
        self.wires: list[Wire] = []

    def changed(self) -> None:
        """Have what waited go on."""
        for wire in self.wires:
            wire.client.incoming.go_on()
            wire.server.incoming.go_on()


class Pipe:
    """Bytes on their way to one end of a connection.

    sent       bytes that were written
    delivered  bytes that the receiving end has heard
    """

    def __init__(self, wire: Wire, end: End, chance: random.Random) -> None:
        self._wire = wire
        self._end = end
        self._chance = chance
        self._waiting = bytearray()
        self._ending = False
        self._timer: asyncio.TimerHandle | None = None
        self.dead = False
        self.sent = self.delivered = 0

    @property
    def size(self) -> int:
        """Bytes under way."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self.dead or (not self._waiting and not self._ending)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self.sent += len(data)
        if not self.dead:
            self._waiting += data
            self.go_on()

    def end(self) -> None:
        """Nothing more is sent."""
        self._ending = True
        self.go_on()

    def cut(self) -> None:
        """Lose what is under way; nothing comes through any more."""
        self.dead = True
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def shorten(self, size: int) -> None:
        """Lose what is more than that."""
        del self._waiting[size:]

    def go_on(self) -> None:
        """Have something arrive soon, if it can."""
        if self._timer is None and not self.idle and self._wire.line.up and self._end.hears:
            self._timer = self._wire.loop.call_later(self._delay(), self._arrive)

    def _slow(self) -> bool:
        return self._wire.line.slow and self._end is self._wire.client

    def _delay(self) -> float:
        if self._slow():
            return 1.0
        if self._chance.random() < 0.05:
            return self._chance.random()
        return self._chance.random() / 100

    def _piece(self) -> int:
        if self._slow():
            return self._chance.randint(1, 100)
        return self._chance.choice((1, 16, 200, 1460, WINDOW)) - self._chance.randrange(2) or 1

    def _arrive(self) -> None:
        self._timer = None
        if self.dead or not self._wire.line.up or not self._end.hears:
            return
        if self._waiting:
            size = self._piece()
            data = bytes(self._waiting[:size])
            del self._waiting[:size]
            self._end.other.room()
            self._end.hear(data, self)
        elif self._ending:
            self._ending = False
            self._end.hear_end()
        self.go_on()


class _Socket:
    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Who notices silence, and when, the operations decide."""


class End(asyncio.Transport):
    """One end of a connection.

    incoming  what comes to it
    other     the other end
    protocol  whom it tells
    """

    incoming: Pipe
    other: End

    def __init__(self, wire: Wire, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": (wire.name, 0), "socket": _Socket()})
        self._wire = wire
        self.protocol: Any = protocol
        self._reading = True
        self._closing = False
        self._eof_written = False
        self._full = False
        self.lost = False

    @property
    def hears(self) -> bool:
        """Whether what arrives now has any consequences."""
        return self.lost or self._closing or self._reading

    def hear(self, data: bytes, pipe: Pipe) -> None:
        """Bytes arrive."""
        if self.lost:
            # Nobody has this socket any more: it is reset.
            self._wire.reset(self.other)
            return
        if self._closing:
            return
        if not self._eof_written:
            pipe.delivered += len(data)
        self.protocol.data_received(data)

    def hear_end(self) -> None:
        """The other end sends no more."""
        if not self.lost and not self._closing and not self.protocol.eof_received():
            self.close()

    def room(self) -> None:
        """Some of what was written has gone."""
        kept = self.get_write_buffer_size()
        if self._full and kept <= LOW and not self.lost:
            self._full = False
            self.protocol.resume_writing()
        if self._closing and not kept:
            self.lose(None)

    def lose(self, error: Exception | None) -> None:
        """The connection is gone, and the protocol is told so in the next turn."""
        if not self.lost:
            self.lost = self._closing = True
            self._wire.loop.call_soon(self._say_lost, error)
            self.incoming.go_on()

    def _say_lost(self, error: Exception | None) -> None:
        self._wire.ended(self)
        self.protocol.connection_lost(error)
        self.protocol = None

    # asyncio.Transport ---------------------------------------------------------------------------

    def write(self, data: Any) -> None:
        """Send bytes."""
        assert not self._eof_written, "written after the end"
        if self.lost or self._closing:
            return
        self._wire.network.written(self._wire, self, bytes(data))
        self.other.incoming.write(data)
        if not self._full and self.get_write_buffer_size() > HIGH:
            self._full = True
            self.protocol.pause_writing()

    def write_eof(self) -> None:
        """End this direction."""
        if not self._eof_written:
            self._eof_written = True
            self.other.incoming.end()

    def can_write_eof(self) -> bool:
        """As TCP."""
        return True

    def get_write_buffer_size(self) -> int:
        """Bytes that the network has not taken."""
        return max(0, self.other.incoming.size - WINDOW)

    def pause_reading(self) -> None:
        """Hear nothing for now."""
        self._reading = False

    def resume_reading(self) -> None:
        """Hear again."""
        self._reading = True
        self.incoming.go_on()

    def is_reading(self) -> bool:
        """Whether it hears."""
        return self._reading

    def close(self) -> None:
        """Close when everything is sent."""
        if not self._closing:
            self._closing = True
            self.write_eof()
            if not self.get_write_buffer_size():
                self.lose(None)

    def abort(self) -> None:
        """Close; what the network has not taken is lost."""
        if not self.lost:
            self.other.incoming.shorten(WINDOW)
            self.write_eof()
            self.lose(None)

    def is_closing(self) -> bool:
        """Whether it is closed, or is going to be."""
        return self._closing

    def set_protocol(self, protocol: Any) -> None:
        """Tell somebody else from now on."""
        self.protocol = protocol

    def get_protocol(self) -> Any:
        """Who is told."""
        return self.protocol


class Wire:
    """A connection.

    name            the line's and a number, what both ends have as the name of their peer
    client, server  its ends
    """

    def __init__(
        self, network: Network, line: Line, client: asyncio.Protocol, server: asyncio.Protocol
    ) -> None:
        self.network = network
        self.loop = network.loop
        self.line = line
        self.name = f"{line.name}#{len(network.wires)}"
        self.client, self.server = End(self, client), End(self, server)
        chance = random.Random(f"{network.seed} {self.name}")
        for end, other in ((self.client, self.server), (self.server, self.client)):
            end.other = other
            end.incoming = Pipe(self, end, chance)

    @property
    def gone(self) -> bool:
        """Whether neither end has the connection any more."""
        return self.client.lost and self.server.lost

    def reset(self, end: End) -> None:
        """One end learns that the connection is gone, and loses what it has not heard."""
        end.incoming.cut()
        end.other.incoming.cut()
        end.lose(ConnectionResetError("connection reset by peer"))

    def break_off(self, server_learns: float) -> None:
        """The connection breaks: the client learns of that at once, the server after seconds."""
        self.client.incoming.cut()
        self.server.incoming.cut()
        self.reset(self.client)
        if not self.server.lost:
            self.loop.call_later(server_learns, self.reset, self.server)

    def ended(self, end: End) -> None:
        """One end is gone."""
        if self.gone and self in self.line.wires:
            self.client.incoming.cut()
            self.server.incoming.cut()
            self.line.wires.remove(self)


class Port:
    """Where connections are accepted; what `loop.create_server` returns."""

    sockets = ()

    def __init__(
        self, network: Network, number: int, accept: Callable[[], asyncio.Protocol]
    ) -> None:
        self._network = network
        self.number = number
        self.accept = accept

    async def start_serving(self) -> None:
        """It does from the beginning."""

    def close(self) -> None:
        """Accept none any more."""
        self._network.ports.pop(self.number, None)


class Network:
    """Everybody's lines, and the ports. Who connects gets one of them, as a balancer would have it.

    written    called with a wire, one of its ends, and the bytes that are written there
    connected  called with a wire and the number of the port it leads to
    """

    def __init__(self, loop: NetworkLoop, seed: str) -> None:
        self.loop = loop
        self.seed = seed
        self.lines: dict[str, Line] = {}
        self.wires: list[Wire] = []
        self.ports: dict[int, Port] = {}
        self._balancer = random.Random(f"{seed} balancer")
        self.written: Callable[[Wire, End, bytes], None] = lambda wire, end, data: None
        self.connected: Callable[[Wire, int], None] = lambda wire, port: None

    def line(self, name: str) -> Line:
        """The line of that name."""
        return self.lines.setdefault(name, Line(name))

    async def connect(self, factory: Callable[[], asyncio.Protocol], line: Line) -> Any:
        """Connect over a line. Raises OSError."""
        await asyncio.sleep(0.01)
        while not line.up:
            await asyncio.sleep(1)
        if not self.ports:
            raise ConnectionRefusedError("nobody listens")
        port = self._balancer.choice(tuple(self.ports.values()))
        wire = Wire(self, line, factory(), port.accept())
        self.connected(wire, port.number)
        self.wires.append(wire)
        line.wires.append(wire)
        wire.server.protocol.connection_made(wire.server)
        wire.client.protocol.connection_made(wire.client)
        return wire.client, wire.client.protocol

    def heal(self) -> None:
        """Let everything through at full speed."""
        for line in self.lines.values():
            line.up, line.slow = True, False
            line.changed()


class NetworkLoop(VirtualLoop):
    """An event loop whose time is virtual, and whose network is too; hosts are names of lines."""

    def __init__(self, seed: str) -> None:
        super().__init__()
        self.network = Network(self, seed)

    def timers(self) -> list[str]:
        """What is going to be called, and when."""
        waiting = [timer for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        return [f"{timer.when():.3f} {timer._callback}" for timer in waiting]

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """Run it at once: there are no threads in virtual time."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        """Accept connections."""
        self.network.ports[port] = Port(self.network, port, protocol_factory)
        return self.network.ports[port]

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        """Connect."""
        return await self.network.connect(protocol_factory, self.network.line(host))
