"""A bus between servers that share an event loop: for tests, and the pattern of what a bus does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .interface import BusLost, Member


class Hub:
    """What the buses of one event loop share.

    owners  accounts that are claimed, with the name of who has them
    buses   those that have joined, by name
    down    whether nothing passes
    """

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.buses: dict[str, MemoryBus] = {}
        self.down = False

    def bus(self, name: str) -> MemoryBus:
        """The bus of one worker."""
        return MemoryBus(self, name)

    def fail(self) -> None:
        """Let nothing pass any more and forget everything, as a bus that dies."""
        self.down = True
        self.owners.clear()
        for bus in self.buses.values():
            bus.member.lost()

    def restore(self) -> None:
        """Let everything pass again."""
        self.down = False
        for name, bus in self.buses.items():
            for account in tuple(bus.mine):
                if self.owners.setdefault(account, name) != name:
                    bus.mine.discard(account)
                    bus.member.taken(account, self.owners[account])
        for bus in self.buses.values():
            bus.member.restored(dict(self.owners), tuple(self.buses))

    def remove(self, name: str) -> None:
        """A worker is gone, from one moment to the next."""
        del self.buses[name]
        for account in [it for it, owner in self.owners.items() if owner == name]:
            del self.owners[account]
        self.tell(name, lambda member: member.gone(name))

    def tell(self, name: str, event: Callable[[Member], None]) -> None:
        """Tell everybody but one, in a later turn of the loop."""
        for bus in tuple(self.buses.values()):
            if bus.name != name:
                self.later(bus, event)

    def later(self, bus: MemoryBus, event: Callable[[Member], None]) -> None:
        """Tell one in a later turn of the loop, if it is still there then."""

        def unless_lost() -> None:
            if not self.down and self.buses.get(bus.name) is bus:
                event(bus.member)

        asyncio.get_running_loop().call_soon(unless_lost)


class MemoryBus:
    """See `Bus`."""

    member: Member

    def __init__(self, hub: Hub, name: str) -> None:
        self.name = name
        self.mine: set[str] = set()
        self._hub = hub

    async def start(self, member: Member) -> None:
        """`Bus.start`."""
        hub = self._hub
        if hub.down:
            raise BusLost("the bus is down")
        self.member = member
        hub.buses[self.name] = self
        hub.tell(self.name, lambda other: other.joined(self.name))
        member.restored(dict(hub.owners), tuple(hub.buses))

    def publish(self, to: str, gather: Callable[[], bytes | None]) -> None:
        """`Bus.publish`."""
        asyncio.get_running_loop().call_soon(self._publish, to, gather)

    def _publish(self, to: str, gather: Callable[[], bytes | None]) -> None:
        hub = self._hub
        if hub.down or hub.buses.get(self.name) is not self:
            return
        data, bus = gather(), hub.buses.get(to)
        if data is not None and bus is not None:
            hub.later(bus, lambda member: member.received(self.name, data))

    async def claim(self, account: str) -> str:
        """`Bus.claim`."""
        await asyncio.sleep(0)
        hub = self._hub
        if hub.down:
            raise BusLost("the bus is down")
        owner = hub.owners.setdefault(account, self.name)
        if owner == self.name:
            self.mine.add(account)
            hub.tell(self.name, lambda member: member.claimed(account, self.name))
        return owner

    def release(self, account: str) -> None:
        """`Bus.release`."""
        self.mine.discard(account)
        if not self._hub.down and self._hub.owners.get(account) == self.name:
            del self._hub.owners[account]
            self._hub.tell(self.name, lambda member: member.released(account, self.name))

    async def close(self) -> None:
        """`Bus.close`."""
        if self._hub.buses.get(self.name) is self:
            self._hub.remove(self.name)
