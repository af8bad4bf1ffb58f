"""Which worker has which account, as far as the bus has told.

An account is claimed when its first resource is bound, or when something has to be done for it, and
released a while after the last of these. Who has claimed it is told to all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..cluster.interface import Bus, BusLost
from ..cluster.peers import Peers
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from .ways import Lanes

if TYPE_CHECKING:
    from .server import Server

log = logging.getLogger("xmppfast.server")

# Seconds that an account nobody is connected to stays claimed: more may come for it.
_IDLE: Final = 1.0
# Seconds until a claim that failed is tried again.
_AGAIN: Final = 0.2


class Ownership:
    """The accounts of this worker, and of others.

    owned   accounts of this worker, with how many things are being done for each
    owners  of accounts that other workers have, by bare address
    up      whether the bus is there
    down    whether it has been away for so long that nobody waits for it
    lanes   what is taken from other workers; an account with such is in use
    """

    def __init__(self, server: Server, bus: Bus, peers: Peers[Any], lanes: Lanes) -> None:
        self.owned: dict[str, int] = {}
        self.owners: dict[str, str] = {}
        self.up = False
        self.down = False
        self._server = server
        self._bus = bus
        self._peers = peers
        self._lanes = lanes
        self._changed = asyncio.Event()
        self._claims: dict[str, asyncio.Task[None]] = {}
        self._idle: dict[str, float] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Release nothing more."""
        if self._sweeping is not None:
            self._sweeping.cancel()

    # Of others -----------------------------------------------------------------------------------

    def elsewhere(self, bare: str) -> str | None:
        """The other worker that has an account, if it is known and connected."""
        owner = self.owners.get(bare)
        return owner if owner is not None and owner in self._peers else None

    async def owner(self, bare: str) -> str | None:
        """Who has an account, None if it is this worker, which then has it.

        Raises StanzaError while nobody can tell.
        """
        while True:
            if bare in self.owned:
                return None
            if self.down:
                raise StanzaError(
                    StanzaCondition.RESOURCE_CONSTRAINT, "parts of the server are not connected"
                )
            owner = self.elsewhere(bare) if self.up else None
            if owner is not None:
                return owner
            await self.ask(bare)

    async def ask(self, bare: str) -> None:
        """Know the owner from now on, or that the bus is lost; while it is, wait for a change."""
        if not self.up:
            await self._changed.wait()
            return
        claim = self._claims.get(bare)
        if claim is None:
            claim = self._claims[bare] = self._server.spawn(self._claim(bare))
        await claim

    async def _claim(self, bare: str) -> None:
        try:
            owner = await self._bus.claim(bare)
        except BusLost as error:
            if self.up:
                log.error("%s is not claimed: %s", bare, error)
                await asyncio.sleep(_AGAIN)
            return
        finally:
            del self._claims[bare]
        if owner == self._bus.name:
            self.owners.pop(bare, None)
            self.owned.setdefault(bare, 0)
            self.used(bare)
        else:
            self.owners[bare] = owner
            self._peers.add(owner)

    # Of this worker ------------------------------------------------------------------------------

    def used(self, bare: str) -> None:
        """Something was done for an account of this worker, or a session is over."""
        if bare in self.owned:
            self._idle[bare] = self._now()

    def hold(self, bare: str) -> None:
        """Something is being done for an account of this worker: it stays."""
        if bare in self.owned:
            self.owned[bare] += 1

    def let_go(self, bare: str) -> None:
        """It is done."""
        if self.owned.get(bare):
            self.owned[bare] -= 1
            self.used(bare)

    def give_away(self, bare: str) -> bool:
        """Release an account of this worker that nobody is connected to; whether it could be.

        Its first resource is somewhere else, and the account is best where its resources are.
        """
        if self.owned.get(bare, 1) or bare in self._lanes:
            return False
        if bare in self._server.registry.accounts:
            return False
        self._release(bare)
        return True

    def _release(self, bare: str) -> None:
        del self.owned[bare]
        self._server.dispatcher.released(JID.parse(bare))
        self._bus.release(bare)

    def sweep(self) -> None:
        """Release accounts that nobody has used for a while, from now on."""
        now = self._now()
        for bare, since in tuple(self._idle.items()):
            if self.owned.get(bare, 0) or bare in self._lanes:
                continue
            if bare in self._server.registry.accounts or bare not in self.owned:
                del self._idle[bare]
            elif now - since >= _IDLE:
                del self._idle[bare]
                self._release(bare)
        self._sweeping = asyncio.get_running_loop().call_later(_IDLE, self.sweep)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # What the bus tells --------------------------------------------------------------------------

    def claimed(self, bare: str, worker: str) -> None:
        """Another worker has it."""
        if bare not in self.owned:
            self.owners[bare] = worker

    def released(self, bare: str, worker: str) -> None:
        """That worker has it no more."""
        if self.owners.get(bare) == worker:
            del self.owners[bare]

    def taken(self, bare: str, worker: str) -> None:
        """That worker has it instead of this one."""
        self.owned.pop(bare, None)
        self.owners[bare] = worker

    def gone(self, worker: str) -> None:
        """A worker has left: nobody has its accounts."""
        for bare in [it for it, owner in self.owners.items() if owner == worker]:
            del self.owners[bare]

    def restored(self, owners: Mapping[str, str], workers: Collection[str]) -> None:
        """The bus is there, and these are the owners that it knows."""
        self.up, self.down = True, False
        # A bus that lost its memory learns again what those have who aren't there yet.
        away = {
            bare: owner
            for bare, owner in self.owners.items()
            if owner not in workers and owner in self._peers
        }
        self.owners = {
            bare: owner
            for bare, owner in {**away, **owners}.items()
            if owner != self._bus.name and bare not in self.owned
        }

    def wake(self) -> None:
        """Have those go on who wait for the bus to be there, or to be given up."""
        self._changed.set()
        self._changed = asyncio.Event()
