"""A bus that takes its time, as one over a network does.

What a worker says reaches the hub in order, and what the hub says reaches a worker in order; an
answer to a claim has a way of its own, as Redis has a connection for what is asked and another for
what is heard.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from xmppfast.cluster.interface import BusLost, Member
from xmppfast.cluster.memory import Hub, MemoryBus

# Two timers of the same moment have no order.
_MOMENT = 1e-6


class _Wait:
    """Has things happen a while later, one after the other."""

    def __init__(self, chance: random.Random, slower: float) -> None:
        self._chance = chance
        self._slower = slower
        self._last = 0.0

    def then(self, work: Callable[..., object], *arguments: object) -> None:
        """Do that after what was said before."""
        loop = asyncio.get_running_loop()
        seconds = self._slower * self._chance.choice((0.0, 0.0001, 0.001, 0.01, 0.1))
        self._last = max(loop.time() + seconds * self._chance.random(), self._last + _MOMENT)
        loop.call_at(self._last, work, *arguments)


class SlowHub(Hub):
    """A hub that is reached after a while, and reaches others after a while."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._slower = chance.choice((0.01, 1, 1, 3))
        self._down: dict[str, _Wait] = {}

    def bus(self, name: str) -> SlowBus:
        """The bus of one worker."""
        return SlowBus(self, name)

    def wait(self) -> _Wait:
        """A way of its own."""
        return _Wait(self._chance, self._slower)

    def later(self, bus: MemoryBus, event: Callable[[Member], None]) -> None:
        """Tell one, behind what it is told already, if it is still there then."""

        def unless_lost() -> None:
            if self.buses.get(bus.name) is bus:
                event(bus.member)

        if bus.name not in self._down:
            self._down[bus.name] = self.wait()
        self._down[bus.name].then(unless_lost)


class SlowBus(MemoryBus):
    """A bus whose every word takes a while."""

    def __init__(self, hub: SlowHub, name: str) -> None:
        super().__init__(hub, name)
        self._up = hub.wait()
        self._answers = hub.wait()

    def publish(self, to: str, gather: Callable[[], bytes | None]) -> None:
        """`Bus.publish`: what is gathered leaves in a later turn, and arrives later still."""
        asyncio.get_running_loop().call_soon(self._leave, to, gather)

    def _leave(self, to: str, gather: Callable[[], bytes | None]) -> None:
        data = gather()
        if data is not None:
            self._up.then(self._publish, to, lambda: data)

    async def claim(self, account: str) -> str:
        """`Bus.claim`."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._up.then(self._claim, account, answer)
        return await answer

    def _claim(self, account: str, answer: asyncio.Future[str]) -> None:
        hub = self._hub
        if hub.buses.get(self.name) is not self:
            lost = BusLost("this worker was believed dead")
            self._answers.then(answer.set_exception, lost)
            return
        if account not in hub.owners:
            hub.owners[account] = self.name
            self.mine.add(account)
            hub.tell(self.name, lambda member: member.claimed(account, self.name))
        self._answers.then(answer.set_result, hub.owners[account])

    def release(self, account: str) -> None:
        """`Bus.release`."""
        self.mine.discard(account)
        self._up.then(super().release, account)

    async def close(self) -> None:
        """`Bus.close`: behind everything that was said before."""
        out: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._up.then(out.set_result, None)
        await out
        await super().close()
