"""The last presence of an account that is gone (RFC 6121 section 4.3.2)."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from datetime import datetime
from typing import NamedTuple

from ..core.dispatch import Host
from ..core.jid import JID
from ..core.namespaces import CLIENT
from ..storage.interface import Storage
from ..xml import Stanza, parse
from .delay import microseconds, moment


class Last(NamedTuple):
    """The unavailable presence of the resource that went last."""

    resource: JID
    at: datetime
    presence: Stanza


class LastPresence:
    """Remembers when and how each account became unavailable."""

    def __init__(self, host: Host, storage: Storage) -> None:
        self._host = host
        self._values = storage.values("last presence")

    def keep(self, resource: JID, presence: Stanza) -> Awaitable[None]:
        """Remember what a resource said when it left; await that it is durable."""
        entry = {
            "resource": resource.resource,
            "at": microseconds(self._host.now()),
            "presence": presence.forward(xmlns=CLIENT).decode(),
        }
        return self._values.set(str(resource.bare), json.dumps(entry).encode())

    async def find(self, account: JID) -> Last | None:
        """What is remembered of an account; None if it never was available."""
        value = await self._values.get(str(account.bare))
        if value is None:
            return None
        entry = json.loads(value)
        resource = account.with_resource(entry["resource"])
        return Last(resource, moment(entry["at"]), parse(entry["presence"]))
