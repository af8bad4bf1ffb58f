"""Plays scenarios (see `scenario`) with connections to a server."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from itertools import cycle
from typing import Any

import scenario
import virtual
from accounts import PASSWORD, cheap_accounts
from scenario import NAMESPACES, Scenario, Step, Variables
from wires import MemoryWire, Wire

from xmppfast import Stanza, StreamEnd, StreamStart
from xmppfast.cluster.memory import Hub
from xmppfast.core.jid import JID
from xmppfast.core.namespaces import BIND, SASL, TLS
from xmppfast.server.defaults import features
from xmppfast.server.server import Server, Settings
from xmppfast.storage.interface import Storage
from xmppfast.storage.memory import MemoryStorage

DOMAIN = "example.org"

Connect = Callable[[], Awaitable[Wire]]


class Player:
    """Plays a scenario with wires to a server, whose accounts all have the same password."""

    def __init__(
        self, script: Scenario, connect: Connect, domain: str = DOMAIN, password: str = PASSWORD
    ) -> None:
        self._script = script
        self._connect = connect
        self._domain = domain
        self._password = password
        self.wires: dict[str, Wire] = {}
        self._variables = Variables(domain=domain)
        self._fences = 0

    async def play(self) -> None:
        """Play it; AssertionError, with the line, where something else happens."""
        for step in self._script.steps:
            try:
                async with asyncio.timeout(600 if self._script.virtual else 120):
                    await self._do(step)
            except (AssertionError, TimeoutError) as error:
                place = f"{self._script.name}.txt:{step.line}"
                raise AssertionError(f"{place}: {step.who} {step.what}: {error!r}") from error

    async def _do(self, step: Step) -> None:
        if step.what == "pass":
            await asyncio.sleep(int(step.who))
            return
        if step.what in ("connects", "logs in"):
            self.wires[step.who] = await self._connect()
            if step.what == "logs in":
                await self._log_in(step.who)
            return
        wire = self.wires[step.who]
        match step.what:
            case "sends":
                wire.send(self._variables.filled(step.text.rstrip("\n")).encode())
            case "receives":
                for wanted in scenario.expected(step.text):
                    actual = await wire.events.get()
                    assert scenario.fits(wanted, actual, self._variables), _shown(actual)
            case "receives, in any order":
                await self._receive_any_order(wire, step.text)
            case "receives nothing":
                await self._settle(step.who)
            case "receives the end":
                assert isinstance(await wire.events.get(), StreamEnd)
            case "is disconnected":
                event = await wire.events.get()
                assert event is None, _shown(event)
            case "secures the connection":
                await wire.secure()
            case "leaves":
                wire.send(b"</stream:stream>")
                while (event := await wire.events.get()) is not None:
                    assert isinstance(event, StreamEnd), _shown(event)
            case "breaks off":
                wire.break_off()
                while await wire.events.get() is not None:
                    pass

    async def _receive_any_order(self, wire: Wire, text: str) -> None:
        wanted = list(scenario.expected(text))
        while wanted:
            actual = await wire.events.get()
            found = next((w for w in wanted if scenario.fits(w, actual, self._variables)), None)
            assert found is not None, _shown(actual)
            wanted.remove(found)

    async def _settle(self, who: str) -> None:
        """Have everybody's stanzas handled, then see what came for one."""
        for name in [*self.wires, who]:
            wire = self.wires[name]
            if wire.gone:
                continue
            self._fences += 1
            fence = f"fence-{self._fences}"
            wire.send(f"<iq type='get' id='{fence}'><fence xmlns='urn:example'/></iq>".encode())
            kept = []
            while True:
                event = await wire.events.get()
                if event is None or (isinstance(event, Stanza) and event.id == fence):
                    break
                kept.append(event)
            if name == who:
                assert not kept, " ".join(map(_shown, kept))
            for event in kept:
                wire.events.put_nowait(event)

    async def _log_in(self, who: str) -> None:
        account, _, resource = who.partition("/")
        wire = self.wires[who]
        features = await self._open(wire)
        if features.find(f"{{{TLS}}}starttls") is not None:
            wire.send(f"<starttls xmlns='{TLS}'/>".encode())
            await self._expect(wire, "proceed")
            await wire.secure()
            await self._open(wire)
        initial = base64.b64encode(f"\0{account}\0{self._password}".encode()).decode()
        wire.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{initial}</auth>".encode())
        await self._expect(wire, "success")
        await self._open(wire)
        wire.send(
            f"<iq type='set' id='bind'><bind xmlns='{BIND}'><resource>{resource or 'home'}"
            "</resource></bind></iq>".encode()
        )
        await self._expect(wire, "iq")

    async def _open(self, wire: Wire) -> Stanza:
        wire.send(f"<stream:stream to='{self._domain}' version='1.0' {NAMESPACES}>".encode())
        assert isinstance(await wire.events.get(), StreamStart)
        return await self._expect(wire, "features")

    async def _expect(self, wire: Wire, name: str) -> Stanza:
        event = await wire.events.get()
        assert isinstance(event, Stanza), _shown(event)
        assert event.name == name, _shown(event)
        assert event.type != "error", _shown(event)
        return event


def _shown(event: object) -> str:
    raw = getattr(event, "raw", None)
    return raw.decode() if raw is not None else repr(event)


async def at_once(work: Callable[[], bool]) -> bool:
    """No threads in virtual time."""
    return work()


async def new_server(script: Scenario, storage: Storage | None = None, **options: Any) -> Server:
    """A server with the features of every server, and the accounts that appear."""
    storage = MemoryStorage() if storage is None else storage
    accounts = await cheap_accounts(storage, DOMAIN, *script.accounts)
    domain = JID.parse(DOMAIN)
    return Server(Settings(domain), accounts, features(storage, **options), at_once)


def play_in_memory(
    script: Scenario,
    storage: Storage | None = None,
    *,
    threads: bool = False,
    workers: int = 1,
    **options: Any,
) -> None:
    """Play a scenario in memory and virtual time; in real time if the server needs threads.

    With several workers, each connection is made to the next one.
    """

    async def work() -> None:
        shared = MemoryStorage() if storage is None else storage
        servers = [await new_server(script, shared, **options) for _ in range(workers)]
        if len(servers) > 1:
            hub = Hub()
            for number, server in enumerate(servers):
                await server.join(hub.bus(f"worker-{number}"))
        others = cycle(servers)

        async def connect() -> Wire:
            return MemoryWire(next(others).connection())

        await Player(script, connect).play()
        for server in servers:
            await server.close()

    (asyncio.run if threads else virtual.run)(work())
