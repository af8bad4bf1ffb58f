"""Blocking Command (XEP-0191): addresses that an account wants to hear nothing from."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Collection

from ..core.dispatch import (
    Account,
    Disco,
    Feature,
    Host,
    OnIncoming,
    OnIq,
    OnSession,
    Request,
    Resource,
    Target,
)
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID, InvalidJID
from ..core.stanza import element, finished, serialize, stanza
from ..storage.interface import Storage
from .blocklist import Blocklists

NAMESPACE = "urn:xmpp:blocking"
_BLOCKLIST, _BLOCK, _UNBLOCK, _ITEM = (
    f"{{{NAMESPACE}}}{name}" for name in ("blocklist", "block", "unblock", "item")
)


def blocking(
    host: Host,
    storage: Storage,
    may_see: Callable[[JID, JID], Awaitable[bool]],
    most: int = 1000,
) -> Feature:
    """Blocks. It has to be in front of the features that handle messages and presence.

    may_see  whether an account lets somebody see its presence
    most     addresses that one account may block
    """
    stored = storage.maps("blocking")
    lists = Blocklists(host, stored)

    def own(request: Request) -> tuple[Resource, frozenset[JID]]:
        request.require_own()
        if request.resource is None:
            raise StanzaError(StanzaCondition.FORBIDDEN)
        return request.resource, lists.of(request.resource.account)

    def get(request: Request) -> ET.Element:
        resource, blocked = own(request)
        resource.state["blocking"] = True
        return _list(_BLOCKLIST, blocked)

    async def block(request: Request) -> None:
        resource, blocked = own(request)
        addresses = _items(request)
        if not addresses:
            raise StanzaError(StanzaCondition.BAD_REQUEST, "there is no item")
        if len(blocked | addresses) > most:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, f"at most {most} addresses")
        new = addresses - blocked
        # Section 3.3: a contact that may see presence sees that it ends; while it still can.
        for address in new:
            await presence(resource.account, address, gone=True)
        lists.put(resource.account, lists.of(resource.account) | new)
        await stored.update(str(resource.account.jid), dict.fromkeys(map(str, new), b""))
        request.answer()
        push(resource.account, _list(_BLOCK, addresses))

    async def unblock(request: Request) -> None:
        resource, blocked = own(request)
        addresses = _items(request)
        # Section 3.5: no item is all of them.
        old = (addresses or blocked) & blocked
        lists.put(resource.account, blocked - old)
        await stored.update(str(resource.account.jid), dict.fromkeys(map(str, old)))
        request.answer()
        push(resource.account, _list(_UNBLOCK, addresses))
        for address in old:
            await presence(resource.account, address, gone=False)

    def push(account: Account, change: ET.Element) -> None:
        for resource in account.resources.values():
            if resource.state.get("blocking"):
                resource.send(
                    serialize(stanza("iq", change, type="set", id=host.new_id(), to=resource.jid))
                )

    async def presence(account: Account, contact: JID, *, gone: bool) -> None:
        if await may_see(account.jid, contact):
            for resource in list(account.resources.values()):
                if resource.presence is not None:
                    sent = _UNAVAILABLE if gone else resource.presence
                    outcome = host.route(sent, resource.jid, contact)
                    if outcome is not None:
                        await outcome

    return Feature(
        "blocking",
        (
            OnIq(_BLOCKLIST, Target.ACCOUNT, get=get),
            OnIq(_BLOCK, Target.ACCOUNT, set=block),
            OnIq(_UNBLOCK, Target.ACCOUNT, set=unblock),
            OnIncoming("message", lists.to_absent, absent=True),
            OnIncoming("presence", lists.to_absent, absent=True),
            OnIncoming("iq", lists.to_absent, absent=True),
            OnSession(start=lists.start),
            Disco(Target.SERVER, features=(NAMESPACE,)),
        ),
    )


_UNAVAILABLE = finished(stanza("presence", type="unavailable"))


def _items(request: Request) -> set[JID]:
    try:
        return {JID.parse(item.get("jid", "")) for item in request.payload.findall(_ITEM)}
    except InvalidJID as error:
        raise StanzaError(StanzaCondition.JID_MALFORMED, str(error)) from None


def _list(tag: str, addresses: Collection[JID]) -> ET.Element:
    items = (element(_ITEM, {"jid": address}) for address in sorted(map(str, addresses)))
    return element(tag, None, *items)


async def get_blocked(host: Host, own: JID) -> set[JID]:
    """Ask which addresses are blocked. Raises StanzaError and TimeoutError."""
    answer = await host.request(own.bare, "get", element(_BLOCKLIST))
    return {JID.parse(item.get("jid", "")) for item in answer.iterfind(f"{_BLOCKLIST}/{_ITEM}")}


async def block(host: Host, own: JID, *addresses: JID) -> None:
    """Hear nothing more from these. Raises StanzaError and TimeoutError."""
    await host.request(own.bare, "set", _list(_BLOCK, set(addresses)))


async def unblock(host: Host, own: JID, *addresses: JID) -> None:
    """Hear from these again, without any: from everybody. Raises StanzaError and TimeoutError."""
    await host.request(own.bare, "set", _list(_UNBLOCK, set(addresses)))
