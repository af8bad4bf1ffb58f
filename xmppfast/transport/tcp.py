"""Listening for TCP connections, and making them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from socket import gaierror
from typing import Any

from ..protocol.link import Receiver
from .backlog import Backlog
from .connection import Connection
from .outlet import Turn
from .silence import ACCEPTED_INHERIT, notice_silence
from .tls import TlsRole

# Connections the system keeps until they are accepted. As many may be accepted in one turn of the
# event loop, with everybody else waiting; who finds no place tries again, as TCP does by itself.
_BACKLOG = 256

TlsSource = Callable[[], TlsRole]
"""Gives what a new TLS connection needs to know; what it gives may change at any time."""


class Listener:
    """Ports that are open for connections."""

    def __init__(self, *servers: asyncio.Server) -> None:
        self._servers = servers

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """Host and port of each socket; a port that was given as 0 is the one it became."""
        return [it.getsockname()[:2] for server in self._servers for it in server.sockets]

    def close(self) -> None:
        """Accept no more connections; those that are there stay."""
        for server in self._servers:
            server.close()


def open_shared(host: str, port: int, shares: int) -> list[list[socket.socket]]:
    """Open the same port several times, for as many processes; the system spreads connections.

    host, port  as for `listen`

    Gives the sockets of each process, one for each address. They listen: what comes before
    somebody accepts it waits. Raises OSError, also where the system can't share ports so.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise OSError("this system can't share a port among processes")
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except gaierror as error:
        raise OSError(error.errno, error.strerror, host) from error
    shared: list[list[socket.socket]] = [[] for _ in range(shares)]
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            for sockets in shared:
                opened = socket.socket(family, kind, protocol)
                sockets.append(opened)
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                if ACCEPTED_INHERIT:
                    notice_silence(opened)
                if family == socket.AF_INET6:
                    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                opened.bind((address[0], port, *address[2:]))
                # All of them have the port that the first one was given.
                port = opened.getsockname()[1]
        for sockets in shared:
            for opened in sockets:
                opened.listen(_BACKLOG)
    except OSError:
        for sockets in shared:
            for opened in sockets:
                opened.close()
        raise
    return shared


async def listen(
    host: str,
    port: int,
    new_receiver: Callable[[], Receiver],
    *,
    tls: TlsSource | None = None,
    direct: bool = False,
    backlog: Backlog | None = None,
    sockets: Sequence[socket.socket] = (),
) -> Listener:
    """Accept connections.

    host     address or name; an empty one is every address of the machine
    port     0 has the system choose one
    tls      for direct TLS, and for receivers that ask for it later; None if there is none
    direct   whether connections begin with TLS (XEP-0368)
    backlog  what bounds the bytes that wait for peers that don't read; ports can share one
    sockets  that are open already, by `open_shared`, instead of that host and port

    Raises OSError.
    """
    loop = asyncio.get_running_loop()
    turn = Turn(loop)
    backlog = backlog or Backlog()

    def connection() -> Connection:
        return Connection(
            turn,
            new_receiver(),
            tls=tls,
            direct=direct,
            backlog=backlog,
            listened=ACCEPTED_INHERIT,
        )

    if sockets:
        servers = [
            await loop.create_server(connection, sock=it, backlog=_BACKLOG) for it in sockets
        ]
        return Listener(*servers)
    try:
        server = await loop.create_server(
            connection, host or None, port, backlog=_BACKLOG, start_serving=False
        )
        if ACCEPTED_INHERIT:
            for opened in server.sockets:
                notice_silence(opened)
        await server.start_serving()
    except gaierror as error:
        raise OSError(error.errno, error.strerror, host) from error
    return Listener(server)


async def connect(
    host: str,
    port: int,
    receiver: Receiver,
    *,
    tls: TlsSource | None = None,
    direct: bool = False,
) -> Connection:
    """Connect to the first address of that host that accepts it.

    tls     for direct TLS, and for a receiver that asks for it later
    direct  whether the connection begins with TLS (XEP-0368)

    Returns when the receiver was told. Raises OSError, of which ssl.SSLError is one.
    """
    loop = asyncio.get_running_loop()
    # uvloop tries one address after the other.
    parallel = isinstance(loop, asyncio.BaseEventLoop)
    options: dict[str, Any] = {"happy_eyeballs_delay": 0.25} if parallel else {}
    connection: Connection
    _, connection = await loop.create_connection(
        lambda: Connection(Turn(loop), receiver, tls=tls, direct=direct), host, port, **options
    )
    try:
        await connection.ready()
    except BaseException:
        connection.abort()
        raise
    return connection
