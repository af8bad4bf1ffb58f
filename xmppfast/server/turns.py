"""Turns of connections that have much to say: they share the event loop with all others.

A connection has so many stanzas handled when something is read from it. If there are more, it waits
here unread until it is its turn again, as do others like it; between their turns the loop reads
from everybody else. So nobody waits longer for an answer because somebody sends without end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Protocol

# Stanzas that one connection may have handled before others are heard: a stanza takes some ten to
# fifty microseconds. And how many connections go on before those are heard that don't wait here.
STANZAS: Final = 50
_TOGETHER: Final = 4


class Waiting(Protocol):
    """A connection that waits for its turn."""

    def go_on(self) -> None:
        """Have up to `STANZAS` more handled. Raises nothing."""


class Turns:
    """The connections that wait for their turn, in order."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._scheduled = False

    def wait(self, connection: Waiting) -> None:
        """Have it go on when it is its turn."""
        self._waiting.append(connection)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        for _ in range(min(_TOGETHER, len(self._waiting))):
            self._waiting.popleft().go_on()
        self._scheduled = False
        if self._waiting:
            self._schedule()
