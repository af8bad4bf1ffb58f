"""A receiver that notes what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from xmppfast.protocol.link import Link

# What is still to be closed when a test ends, however it does.
OPEN: list[Callable[[], Awaitable[None]]] = []


class Notes:
    """A receiver; `on_data` is called with it and the bytes, after they were noted."""

    def __init__(self, on_data: Callable[[Notes, bytes], None] | None = None) -> None:
        self.data = bytearray()
        self.events: list[str] = []
        self.link: Link | None = None
        self.error: Exception | None = None
        self.changed = asyncio.Event()
        self._on_data = on_data

    def connected(self, link: Link) -> None:
        """Keep the link."""
        self.link = link
        self._note("connected")

    def received(self, data: bytes) -> None:
        """Keep the data."""
        self.data += data
        self.changed.set()
        if self._on_data is not None:
            self._on_data(self, data)

    def overflowed(self) -> None:
        """Note it."""
        self._note("overflowed")

    def ended(self) -> None:
        """Note it."""
        self._note("ended")

    def lost(self, error: Exception | None) -> None:
        """Note it."""
        self.error = error
        self._note("lost")

    def _note(self, event: str) -> None:
        self.events.append(event)
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until that is so."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    async def until_lost(self) -> None:
        """Wait for the end of the connection."""
        await self.until(lambda: "lost" in self.events)
