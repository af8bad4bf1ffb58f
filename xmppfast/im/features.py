"""All of RFC 6121 for a server, wired."""

from __future__ import annotations

from ..core.dispatch import Feature, Host
from ..storage.interface import Storage
from .last import LastPresence
from .messaging import messaging
from .offline import Offline, offline
from .presence import presence
from .roster import roster
from .rosters import Rosters


def instant_messaging(host: Host, storage: Storage) -> list[Feature]:
    """Rosters, presence, messages and offline storage."""
    rosters = Rosters(storage, host.exists)
    waiting, last = Offline(host, storage), LastPresence(host, storage)
    return [
        roster(host, rosters),
        presence(host, rosters, waiting, last),
        messaging(host, waiting),
        offline(),
    ]
