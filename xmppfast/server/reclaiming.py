"""Giving memory back when many sessions have gone.

What they held is free, but in pieces, and neither Python nor the C library gives the system back
what may soon be needed again. So a server would stay as large as it was with most sessions.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Final

# Connections that are worth it: they hold some megabytes.
_MANY: Final = 1000

# Seconds from when most have gone to when it is looked whether they stay away.
_DELAY: Final = 5.0


class Reclaiming:
    """Watches how many connections there are; one timer serves all of them.

    give_back  gives what is free back to the system
    """

    __slots__ = ("_give_back", "_most", "_scheduled")

    def __init__(self, give_back: Callable[[], None] | None = None) -> None:
        self._give_back = give_back or give_memory_back
        self._most = 0  # connections since memory was given back
        self._scheduled = False

    def connected(self, connections: int) -> None:
        """There is one more; so many are there now."""
        if connections > self._most:
            self._most = connections

    def gone(self, connections: int) -> None:
        """There is one less; so many are there now."""
        if not self._scheduled and self._worth_it(connections):
            self._scheduled = True
            asyncio.get_running_loop().call_later(_DELAY, self._reclaim)

    def _worth_it(self, connections: int) -> bool:
        """Whether so many have gone that what is left takes little time to be searched."""
        return self._most >= _MANY and connections <= self._most // 4

    def _reclaim(self) -> None:
        self._scheduled = False
        self._most = 0
        self._give_back()


def give_memory_back() -> None:
    """Free what is garbage, and give free pages to the system where that can be asked for."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
        if trim is not None:
            trim(ctypes.c_size_t(0))
