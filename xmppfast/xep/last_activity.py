"""Last Activity (XEP-0012): how long somebody has been away, or a server up."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from ..core.dispatch import Disco, Feature, Host, OnIq, Request, Target
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.stanza import element

NAMESPACE = "jabber:iq:last"
_QUERY = f"{{{NAMESPACE}}}query"


class Seen(NamedTuple):
    """When an account was last available, and what it said when it left."""

    at: datetime
    status: str | None


class Last(NamedTuple):
    """An answer: seconds since, and what was said."""

    seconds: int
    status: str | None


def last_activity(
    host: Host,
    may_see: Callable[[JID, JID], Awaitable[bool]],
    last_seen: Callable[[JID], Awaitable[Seen | None]],
) -> Feature:
    """Answers for the server and for accounts.

    may_see    whether an account lets somebody see its presence
    last_seen  when it was last available; None if it never was
    """
    started = host.now()

    def seconds_since(at: datetime) -> str:
        return str(max(0, int((host.now() - at).total_seconds())))

    def server(request: Request) -> ET.Element:
        return element(_QUERY, {"seconds": seconds_since(started)})

    async def account(request: Request) -> ET.Element:
        if not request.own and not await may_see(request.to, request.sender):
            raise StanzaError(StanzaCondition.FORBIDDEN)
        here = host.account(request.to)
        if here is not None and any(it.priority is not None for it in here.resources.values()):
            return element(_QUERY, {"seconds": "0"})
        seen = await last_seen(request.to)
        if seen is None:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND, "has never been available")
        return element(_QUERY, {"seconds": seconds_since(seen.at)}, seen.status)

    return Feature(
        "last_activity",
        (
            OnIq(_QUERY, Target.SERVER, get=server),
            OnIq(_QUERY, Target.ACCOUNT, get=account),
            Disco(Target.SERVER, features=(NAMESPACE,)),
            Disco(Target.ACCOUNT, features=(NAMESPACE,)),
        ),
    )


async def get_last_activity(host: Host, to: JID) -> Last:
    """Ask since when somebody is away.

    Raises StanzaError, TimeoutError, and ValueError for an answer that doesn't say.
    """
    answer = await host.request(to, "get", element(_QUERY))
    query = answer.find(_QUERY)
    if query is None:
        raise ValueError("the answer has no query")
    return Last(int(query.get("seconds", "")), query.text)
