"""The client's side of extensions, asked of a server in memory."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import scenario
import virtual
from player import Player, new_server
from wires import MemoryWire, Wire

from xmppfast import Stanza
from xmppfast.core.jid import JID
from xmppfast.core.stanza import received_error, serialize, stanza


class Asking:
    """As much of a `Host` as functions of extensions need to ask with."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._ids = count()

    async def request(
        self, to: JID, type: str, payload: ET.Element, sender: JID | None = None
    ) -> Stanza:
        """See `Host.request`."""
        id = f"ask-{next(self._ids)}"
        self._wire.send(serialize(stanza("iq", payload, to=to, type=type, id=id)))
        while True:
            event = await self._wire.events.get()
            assert isinstance(event, Stanza), event
            if event.id == id:
                if event.type == "error":
                    raise received_error(event)
                return event


def ask(
    work: Callable[..., Awaitable[None]], *names: str, threads: bool = False, **options: Any
) -> None:
    """Run a test with a host for each of these resources, "alice/a", all logged in.

    In virtual time, or in real time if the server needs threads, as for passwords.
    """

    async def converse() -> None:
        script = scenario.read_text("\n".join(f"{name} logs in" for name in names), "ask")
        server = await new_server(script, **options)

        async def connect() -> Wire:
            return MemoryWire(server.connection())

        player = Player(script, connect)
        await player.play()
        await work(*(Asking(player.wires[name]) for name in names))
        await server.close()

    (asyncio.run if threads else virtual.run)(converse())
