"""Hashing passwords where it holds up nobody: a few threads, and a queue of bounded length."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from ..core.errors import StanzaCondition, StanzaError

_T = TypeVar("_T")

# How much less it is worth to the system than the rest of the process.
_NICE: Final = 10


class Hashing:
    """Runs functions that take milliseconds without Python's lock; as `sasl.interface.Offload`.

    most     that may wait for their turn; beyond, StanzaError `resource-constraint`
    threads  by default one for each processor

    On Linux, its threads leave the processor to those that have stanzas to deliver: when everybody
    logs in at once, who is logged in already doesn't notice.
    """

    def __init__(self, most: int = 10_000, threads: int | None = None) -> None:
        self._most = most
        self._under_way = 0
        workers = threads or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(workers, "hashing", initializer=_yield_to_others)

    def __call__(self, work: Callable[[], _T]) -> Awaitable[_T]:
        """Run it in a thread. Raises StanzaError if too many wait."""
        if self._under_way >= self._most:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, "too many logins at once")
        self._under_way += 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        running.add_done_callback(self._done)
        return running

    def _done(self, _: asyncio.Future[_T]) -> None:
        self._under_way -= 1

    def close(self) -> None:
        """Take no more; what is under way is finished."""
        self._threads.shutdown(wait=False)


def _yield_to_others() -> None:
    # Elsewhere this would be the priority of the whole process.
    if sys.platform == "linux":
        with suppress(OSError):
            nice = os.getpriority(os.PRIO_PROCESS, 0) + _NICE
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(nice, 19))
