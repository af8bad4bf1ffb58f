"""Listening for TCP connections, and making them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from socket import gaierror
from typing import Any

from ..protocol.link import Receiver
from .backlog import Backlog
from .connection import Connection, Turn
from .tls import TlsRole

# Connections the system keeps until they are accepted.
_BACKLOG = 1024

TlsSource = Callable[[], TlsRole]
"""Gives what a new TLS connection needs to know; what it gives may change at any time."""


class Listener:
    """Ports that are open for connections."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """Host and port of each socket; a port that was given as 0 is the one it became."""
        return [socket.getsockname()[:2] for socket in self._server.sockets]

    def close(self) -> None:
        """Accept no more connections; those that are there stay."""
        self._server.close()


async def listen(
    host: str,
    port: int,
    new_receiver: Callable[[], Receiver],
    *,
    tls: TlsSource | None = None,
    direct: bool = False,
    backlog: Backlog | None = None,
) -> Listener:
    """Accept connections.

    host    address or name; an empty one is every address of the machine
    port    0 has the system choose one
    tls     for direct TLS, and for receivers that ask for it later; None if there is none
    direct  whether connections begin with TLS (XEP-0368)
    backlog what bounds the bytes that wait for peers that don't read; ports can share one

    Raises OSError.
    """
    loop = asyncio.get_running_loop()
    turn = Turn(loop)
    backlog = backlog or Backlog()
    try:
        server = await loop.create_server(
            lambda: Connection(turn, new_receiver(), tls=tls, direct=direct, backlog=backlog),
            host or None,
            port,
            backlog=_BACKLOG,
        )
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
