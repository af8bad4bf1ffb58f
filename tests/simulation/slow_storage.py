"""Storage that takes its time, as one on a disk does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from xmppfast.storage.memory import MemoryStorage

_READS = frozenset({"get", "get_many", "items", "read", "count", "owners"})


class SlowStorage:
    """Writes happen in the order of the calls, each a while after it; reads meanwhile."""

    def __init__(self, chance: random.Random) -> None:
        self._storage = MemoryStorage()
        self._chance = chance
        # Some disks are busy with other things.
        self._slower = chance.choice((1, 1, 3))
        self._writing = asyncio.Lock()

    def values(self, name: str) -> Any:
        return _Shape(self, self._storage.values(name))

    def maps(self, name: str) -> Any:
        return _Shape(self, self._storage.maps(name))

    def archive(self, name: str) -> Any:
        return _Shape(self, self._storage.archive(name))

    async def forget(self, owner: str) -> None:
        await self.write(partial(self._storage.forget, owner))

    async def close(self) -> None:
        async with self._writing:
            await self._storage.close()

    async def read(self, operation: Callable[[], Awaitable[Any]]) -> Any:
        await self._pass()
        found = await operation()
        await self._pass()
        return found

    async def write(self, operation: Callable[[], Awaitable[Any]]) -> Any:
        async with self._writing:
            await self._pass()
            done = await operation()
        await self._pass()
        return done

    async def _pass(self) -> None:
        seconds = self._slower * self._chance.choice((0.0, 0.001, 0.01, 0.1))
        await asyncio.sleep(seconds * self._chance.random())


class _Shape:
    def __init__(self, storage: SlowStorage, shape: Any) -> None:
        self._storage = storage
        self._shape = shape

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._shape, name)
        if name in _READS:
            return lambda *args, **named: self._storage.read(partial(operation, *args, **named))
        # A write has its place from the call on, whenever it is awaited.
        return lambda *args, **named: asyncio.ensure_future(
            self._storage.write(partial(operation, *args, **named))
        )
