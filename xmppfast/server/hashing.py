"""Hashing passwords where it holds up nobody: a few threads, and a queue of bounded length."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..core.errors import StanzaCondition, StanzaError

_T = TypeVar("_T")


class Hashing:
    """Runs functions that take milliseconds without Python's lock; as `sasl.interface.Offload`.

    most     that may wait for their turn; beyond, StanzaError `resource-constraint`
    threads  by default one less than the process has processors: one is for the event loop

    The threads have the priority of all others. With less, one could be made to wait by any other
    process just when it has Python's lock, and the event loop with it.
    """

    def __init__(self, most: int = 10_000, threads: int | None = None) -> None:
        self._most = most
        self._under_way = 0
        self._threads = ThreadPoolExecutor(threads or max(1, _processors() - 1), "hashing")

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


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
