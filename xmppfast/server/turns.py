"""Turns of connections that have much to say: they share the event loop with all others.

A connection has so many stanzas handled when something is read from it. If there are more, it waits
here unread until it is its turn again, as do others like it; between their turns the loop reads
from everybody else. So nobody waits longer for an answer because somebody sends without end, nor
because many do: once some have had a full turn, others have a short one before they wait as well.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Protocol

# Stanzas that one connection may have handled before others are heard: a stanza takes some ten to
# fifty microseconds. And how many connections go on before those are heard that don't wait here.
STANZAS: Final = 50
_TOGETHER: Final = 4
# Stanzas of a short turn: enough for who sends something now and then.
_SHORT: Final = 5


class Waiting(Protocol):
    """A connection that waits for its turn."""

    def go_on(self) -> None:
        """Have up to `Turns.stanzas` more handled. Raises nothing."""


class Turns:
    """The connections that wait for their turn, in order.

    stanzas  that whoever is heard now may have handled
    """

    def __init__(self) -> None:
        self.stanzas = STANZAS
        self._waiting: deque[Waiting] = deque()
        self._heard = 0  # that had a turn and wait again, since the loop was here last
        self._scheduled = False

    def wait(self, connection: Waiting) -> None:
        """Have it go on when it is its turn."""
        self._waiting.append(connection)
        self._heard += 1
        if self._heard == _TOGETHER:
            self.stanzas = _SHORT
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._heard = 0
        self.stanzas = STANZAS
        for _ in range(min(_TOGETHER, len(self._waiting))):
            self._waiting.popleft().go_on()
        self._scheduled = False
        if self._waiting:
            self._schedule()
