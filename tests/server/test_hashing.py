"""Passwords are hashed in threads, a bounded number of them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from xmppfast.core.errors import StanzaCondition, StanzaError
from xmppfast.server.hashing import Hashing


def test_it_is_not_the_loop_that_works():
    async def main():
        hashing = Hashing()
        assert await hashing(threading.get_ident) != threading.get_ident()
        hashing.close()

    asyncio.run(main())


def test_what_waits_is_bounded():
    async def main():
        hashing = Hashing(most=2, threads=1)
        free = threading.Event()
        under_way = [hashing(free.wait) for _ in range(2)]
        with pytest.raises(StanzaError) as refused:
            hashing(free.wait)
        assert refused.value.condition is StanzaCondition.RESOURCE_CONSTRAINT
        free.set()
        await asyncio.gather(*under_way)
        await asyncio.sleep(0)
        assert await hashing(lambda: 1) == 1
        hashing.close()

    asyncio.run(main())
