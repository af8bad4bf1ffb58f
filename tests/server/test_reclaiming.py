"""Memory is given back when many connections have gone, once, and not for a few."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from virtual import run

from xmppfast.server.reclaiming import Reclaiming, give_memory_back


@pytest.mark.parametrize(
    ("most", "left", "times"),
    [(999, 0, 0), (1000, 251, 0), (1000, 250, 1), (4000, 0, 1)],
)
def test_when_memory_is_given_back(most, left, times):
    given = []

    async def work():
        reclaiming = Reclaiming(lambda: given.append(asyncio.get_running_loop().time()))
        for connections in range(1, most + 1):
            reclaiming.connected(connections)
        for connections in reversed(range(left, most)):
            reclaiming.gone(connections)
        await asyncio.sleep(60)

    run(work())
    assert len(given) == times


def test_memory_is_given_back_again_when_as_many_came_and_went():
    given = []

    async def work():
        reclaiming = Reclaiming(lambda: given.append(True))
        for _ in range(2):
            for connections in range(1, 1001):
                reclaiming.connected(connections)
            for connections in reversed(range(1000)):
                reclaiming.gone(connections)
            await asyncio.sleep(60)

    run(work())
    assert len(given) == 2


class Cycle:
    """Something that only the garbage collector can free."""

    def __init__(self):
        self.itself = self


def test_garbage_is_freed():
    gc.disable()
    try:
        there = weakref.ref(Cycle())
        assert there() is not None
        give_memory_back()
        assert there() is None
    finally:
        gc.enable()
