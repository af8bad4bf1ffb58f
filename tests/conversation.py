"""A server in memory, and clients that talk to it in raw XML."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable
from typing import Any

from accounts import PASSWORD, cheap_accounts
from wires import MemoryWire

from xmppfast import Stanza, StreamEnd, StreamStart
from xmppfast.core.dispatch import Feature
from xmppfast.core.jid import JID
from xmppfast.server.server import Server, Settings
from xmppfast.storage.memory import MemoryStorage

DOMAIN = "example.org"
HEADER = (
    f"<stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)


async def at_once(work: Callable[[], Any]) -> Any:
    """Runs a costly function where it is asked for: no threads in virtual time."""
    return work()


async def new_server(
    features: Callable[[Server], Iterable[Feature]] = lambda host: [],
    accounts: Iterable[str] = ("alice", "bob", "carol"),
    **settings: Any,
) -> Server:
    """A server in memory whose accounts have the password `accounts.PASSWORD`."""
    settings.setdefault("plaintext", True)
    store = await cheap_accounts(MemoryStorage(), DOMAIN, *accounts)
    return Server(Settings(JID.parse(DOMAIN), **settings), store, features, at_once)


class Client:
    """A connection in memory; what the server sends is read as events."""

    def __init__(self, server: Server, *, secure: bool = False) -> None:
        self.server = server
        self.wire = MemoryWire(server.connection(), secure=secure)
        self.link = self.wire.link
        self.header = HEADER
        self.jid = ""

    def send(self, data: str | bytes) -> None:
        """Send bytes, or text as UTF-8."""
        self.wire.send(data.encode() if isinstance(data, str) else data)

    async def event(self) -> Any:
        """The next event; None for the end of the connection."""
        async with asyncio.timeout(300):
            return await self.wire.events.get()

    async def stanza(self) -> Stanza:
        """The next event, which is an element."""
        event = await self.event()
        assert isinstance(event, Stanza), event
        return event

    async def stream_error(self) -> str:
        """The condition of the stream error that comes next, with the stream's end behind it."""
        event = await self.event()
        if isinstance(event, StreamStart):
            event = await self.event()
        assert isinstance(event, Stanza), event
        assert event.tag == "{http://etherx.jabber.org/streams}error", event.raw
        assert isinstance(await self.event(), StreamEnd)
        assert await self.event() is None
        return event[0].name

    async def opened(self) -> Stanza:
        """Send a stream header; the features that answer it."""
        self.send(self.header)
        assert isinstance(await self.event(), StreamStart)
        return await self.stanza()

    async def authenticated(self, name: str = "alice", password: str = PASSWORD) -> Stanza:
        """Authenticate; the features of the new stream."""
        await self.opened()
        initial = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        self.send(
            f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{initial}</auth>"
        )
        assert (await self.stanza()).name == "success"
        return await self.opened()

    async def bound(self, name: str = "alice", resource: str = "r") -> Client:
        """Log in with a resource."""
        await self.authenticated(name)
        self.send(
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            f"<resource>{resource}</resource></bind></iq>"
        )
        answer = await self.stanza()
        assert answer.type == "result", answer.raw
        self.jid = answer[0][0].text or ""
        return self

    async def settled(self) -> list[Stanza]:
        """What has come, once the server has handled everything sent before."""
        self.send("<iq type='get' id='fence'><fence xmlns='urn:example:fence'/></iq>")
        come: list[Stanza] = []
        while (stanza := await self.stanza()).id != "fence":
            come.append(stanza)
        return come
