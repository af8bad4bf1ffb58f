"""What waits for peers that don't read: bounded for each of them, and for all together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .connection import Connection

MEBIBYTE: Final = 1024 * 1024

# Bytes waiting for one peer that need not be counted: every connection has some now and then.
LITTLE: Final = 64 * 1024


class Backlog:
    """Bytes that wait; shared by the connections of all ports.

    each    bytes that may wait for one connection; its receiver is told if there are more
    in_all  bytes that may wait altogether; if there are more, those with most waiting are told

    Connections that have no more than 64 KiB waiting are not counted.
    """

    __slots__ = ("_waiting", "each", "in_all", "total")

    def __init__(self, each: int = 4 * MEBIBYTE, in_all: int = 256 * MEBIBYTE) -> None:
        self.each = each
        self.in_all = in_all
        self.total = 0
        self._waiting: dict[Connection, int] = {}

    def note(self, connection: Connection, size: int) -> None:
        """So many bytes wait for that connection now; none when it is gone."""
        self.total += size - self._waiting.pop(connection, 0)
        if size:
            self._waiting[connection] = size
        if size > self.each:
            self._forget(connection)
            connection.overflow()
        while self.total > self.in_all:
            largest = max(self._waiting, key=self._waiting.__getitem__)
            self._forget(largest)
            largest.overflow_soon()

    def _forget(self, connection: Connection) -> None:
        self.total -= self._waiting.pop(connection)
