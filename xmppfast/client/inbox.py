"""Messages that wait to be read, and handlers that are called in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, TypeVar

log = logging.getLogger("xmppfast.client")

T = TypeVar("T")

Handler = Callable[[T], Awaitable[None] | None]
"""What it raises is logged."""

# The server is not read on while more wait; nothing is lost meanwhile.
MOST = 10_000


class Inbox(Generic[T]):
    """A queue of what was received, in order.

    full, room  called when reading should stop, and when it may go on
    """

    def __init__(self, full: Callable[[], None], room: Callable[[], None]) -> None:
        self._full = full
        self._room = room
        self._waiting: deque[T] = deque()
        self._is_full = False
        self._end: BaseException | None = None
        self._ended = False
        self._changed = asyncio.Event()

    def put(self, item: T) -> None:
        """Add one."""
        self._waiting.append(item)
        self._changed.set()
        if len(self._waiting) >= MOST and not self._is_full:
            self._is_full = True
            log.warning("%s received and not read: reading stops until some are", MOST)
            self._full()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes; readers are told why, after what still waits."""
        if not self._ended:
            self._ended = True
            self._end = error
            self._changed.set()

    async def read(self) -> AsyncIterator[T]:
        """Everything there is and comes; ends, or raises, as `end` said."""
        while True:
            while self._waiting:
                item = self._waiting.popleft()
                if self._is_full and len(self._waiting) < MOST // 2:
                    self._is_full = False
                    self._room()
                yield item
            if self._ended:
                if self._end is not None:
                    raise self._end
                return
            self._changed.clear()
            await self._changed.wait()


async def call_all(inbox: Inbox[tuple[tuple[Handler[Any], ...], Any]]) -> None:
    """Call handlers with what they were given to, one after the other."""
    async for handlers, item in inbox.read():
        for handler in handlers:
            try:
                outcome = handler(item)
                if outcome is not None:
                    await outcome
            except Exception as error:
                log.error("a handler failed", exc_info=error)
