"""The last presence of an account that is gone (RFC 6121 section 4.3.2)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from ..core.dispatch import Account, Host, Resource
from ..core.jid import JID
from ..core.namespaces import CLIENT
from ..core.stanza import finished
from ..storage.interface import Storage
from ..xml import Stanza, parse
from .delay import delay, microseconds, moment


class Last(NamedTuple):
    """The unavailable presence of the resource that went last."""

    resource: JID
    at: datetime
    presence: Stanza
    hidden: frozenset[JID]
    """Addresses that are not to know of it."""

    def seen_by(self, who: JID) -> Stanza | None:
        """The presence with the time of its receipt; None if it is hidden from that address."""
        if _is_among(self.hidden, who):
            return None
        tree = self.presence.to_etree()
        tree.append(delay(self.at, self.resource.domain))
        return finished(tree)


class LastPresence:
    """Remembers when and how each account became unavailable.

    hidden  addresses that are not to know of an account's presence
    """

    def __init__(
        self, host: Host, storage: Storage, hidden: Callable[[Account], Iterable[JID]]
    ) -> None:
        self._host = host
        self._hidden = hidden
        self._values = storage.values("last presence")

    def keep(self, resource: Resource, presence: Stanza) -> Awaitable[None]:
        """Remember what a resource said when it left; await that it is durable."""
        entry = {
            "resource": resource.jid.resource,
            "hidden": [str(jid) for jid in self._hidden(resource.account)],
            "at": microseconds(self._host.now()),
            "presence": presence.forward(xmlns=CLIENT).decode(),
        }
        return self._values.set(str(resource.jid.bare), json.dumps(entry).encode())

    def hides(self, account: Account, who: JID) -> bool:
        """Whether the account does not want to be known to that address."""
        return _is_among(frozenset(self._hidden(account)), who)

    async def find(self, account: JID) -> Last | None:
        """What is remembered of an account; None if it never was available."""
        value = await self._values.get(str(account.bare))
        return None if value is None else _read(account, value)

    async def find_many(self, accounts: Collection[JID]) -> dict[JID, Last]:
        """What is remembered of these, by their bare addresses."""
        found = await self._values.get_many([str(account) for account in accounts])
        values = ((account, found.get(str(account))) for account in accounts)
        return {account: _read(account, value) for account, value in values if value is not None}


def _is_among(hidden: frozenset[JID], who: JID) -> bool:
    return bool(hidden) and not hidden.isdisjoint({who, who.bare, JID(None, who.domain)})


def _read(account: JID, value: bytes) -> Last:
    entry = json.loads(value)
    return Last(
        account.with_resource(entry["resource"]),
        moment(entry["at"]),
        parse(entry["presence"]),
        frozenset(JID.parse(text) for text in entry["hidden"]),
    )
