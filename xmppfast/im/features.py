"""All of RFC 6121 for a server, wired."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..core.dispatch import Account, Feature, Host
from ..core.jid import JID
from ..storage.interface import Storage
from .last import LastPresence
from .messaging import messaging
from .offline import Offline, offline
from .presence import presence
from .roster import roster
from .rosters import Rosters
from .subscription import From


class InstantMessaging:
    """Rosters, presence, messages and offline storage.

    hidden    addresses that are not to know of an account's presence: those it blocks
    features  to install
    last      how accounts became unavailable
    """

    def __init__(
        self,
        host: Host,
        storage: Storage,
        hidden: Callable[[Account], Iterable[JID]] = lambda account: (),
    ) -> None:
        self._rosters = Rosters(storage, host.exists, host.account)
        self.last = LastPresence(host, storage, hidden)
        waiting = Offline(host, storage)
        self.features: list[Feature] = [
            roster(host, self._rosters),
            presence(host, self._rosters, waiting, self.last),
            messaging(host, waiting),
            offline(waiting),
        ]

    async def may_see(self, account: JID, contact: JID) -> bool:
        """Whether a local account lets a contact see its presence."""
        found = await self._rosters.load(account)
        return found is not None and found.get(contact.bare).state.from_ is From.SUBSCRIBED
