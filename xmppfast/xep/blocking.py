"""Blocking Command (XEP-0191): addresses that an account wants to hear nothing from."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable

from ..core.dispatch import (
    Account,
    Disco,
    Feature,
    Host,
    OnIncoming,
    OnIq,
    OnSession,
    Passage,
    Request,
    Resource,
    Target,
)
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID, InvalidJID
from ..core.stanza import element, finished, serialize, stanza
from ..storage.interface import Storage

NAMESPACE = "urn:xmpp:blocking"
_BLOCKLIST, _BLOCK, _UNBLOCK, _ITEM = (
    f"{{{NAMESPACE}}}{name}" for name in ("blocklist", "block", "unblock", "item")
)
_BLOCKED = "{urn:xmpp:blocking:errors}blocked"


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
    lists = storage.maps("blocking")

    async def load(account: JID) -> set[JID]:
        return {JID.parse(text) for text in await lists.items(str(account))}

    async def start(resource: Resource) -> None:
        account = resource.account
        blocked = await load(account.jid)
        if "blocking" not in account.state:
            account.state["blocking"] = blocked
            watch(account)

    def watch(account: Account) -> None:
        """See the account's stanzas only while anybody is blocked: it slows them down."""
        others = tuple(handler for handler in account.incoming if handler is not incoming)
        account.incoming = (incoming, *others) if account.state["blocking"] else others
        others = tuple(handler for handler in account.outgoing if handler is not outgoing)
        account.outgoing = (outgoing, *others) if account.state["blocking"] else others

    # Requests ------------------------------------------------------------------------------------

    def get(request: Request) -> ET.Element:
        resource, blocked = _own(request)
        resource.state["blocking"] = True
        return _list(_BLOCKLIST, blocked)

    async def block(request: Request) -> None:
        resource, blocked = _own(request)
        addresses = _items(request)
        if not addresses:
            raise StanzaError(StanzaCondition.BAD_REQUEST, "there is no item")
        if len(blocked | addresses) > most:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, f"at most {most} addresses")
        new = addresses - blocked
        # Section 3.3: a contact that may see presence sees that it ends; while it still can.
        for address in new:
            await presence(resource.account, address, gone=True)
        blocked |= new
        watch(resource.account)
        await lists.update(str(resource.account.jid), dict.fromkeys(map(str, new), b""))
        request.answer()
        push(resource.account, _list(_BLOCK, addresses))

    async def unblock(request: Request) -> None:
        resource, blocked = _own(request)
        addresses = _items(request)
        # Section 3.5: no item is all of them.
        old = (addresses or set(blocked)) & blocked
        blocked -= old
        watch(resource.account)
        await lists.update(str(resource.account.jid), dict.fromkeys(map(str, old)))
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

    # Stanzas -------------------------------------------------------------------------------------

    def outgoing(passage: Passage) -> bool:
        """Of a connected account, from its client (section 3.3 rule 3)."""
        assert passage.resource is not None
        account = passage.resource.account
        # Who blocks the own server can still ask it to end that.
        own = passage.to.bare in (account.jid, host.domain)
        if not own and matches(account.state["blocking"], passage.to):
            raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, application=element(_BLOCKED))
        return False

    def incoming(passage: Passage) -> bool:
        """To a connected account."""
        assert passage.account is not None
        return _refuse(passage, passage.account.state["blocking"])

    def to_absent(passage: Passage) -> bool | Awaitable[bool]:
        """To one that isn't connected; and presence that features send for one that is."""
        sender = host.account(passage.sender) if passage.resource is None else None
        if sender is not None and matches(sender.state.get("blocking", ()), passage.to):
            return True
        if passage.account is not None or passage.to.local is None:
            return False
        return _load_then_refuse(passage)

    async def _load_then_refuse(passage: Passage) -> bool:
        return _refuse(passage, await load(passage.to.bare))

    return Feature(
        "blocking",
        (
            OnIq(_BLOCKLIST, Target.ACCOUNT, get=get),
            OnIq(_BLOCK, Target.ACCOUNT, set=block),
            OnIq(_UNBLOCK, Target.ACCOUNT, set=unblock),
            OnIncoming("message", to_absent),
            OnIncoming("presence", to_absent),
            OnSession(start=start),
            Disco(Target.SERVER, features=(NAMESPACE,)),
        ),
    )


_UNAVAILABLE = finished(stanza("presence", type="unavailable"))


def matches(blocked: set[JID] | tuple[()], jid: JID) -> bool:
    """Whether an address is blocked (section 4): itself, its bare one, or its domain."""
    if not blocked:
        return False
    domain = JID(None, jid.domain)
    candidates = {jid, jid.bare, domain}
    if jid.resource is not None:
        candidates.add(domain.with_resource(jid.resource))
    return not blocked.isdisjoint(candidates)


def _refuse(passage: Passage, blocked: set[JID]) -> bool:
    """Section 3.3 rule 3: presence is dropped, the rest refused as if nobody were there."""
    if passage.sender.bare == passage.to.bare or not matches(blocked, passage.sender):
        return False
    if passage.stanza.name != "presence":
        raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
    return True


def _own(request: Request) -> tuple[Resource, set[JID]]:
    request.require_own()
    if request.resource is None:
        raise StanzaError(StanzaCondition.FORBIDDEN)
    blocked: set[JID] = request.resource.account.state["blocking"]
    return request.resource, blocked


def _items(request: Request) -> set[JID]:
    try:
        return {JID.parse(item.get("jid", "")) for item in request.payload.findall(_ITEM)}
    except InvalidJID as error:
        raise StanzaError(StanzaCondition.JID_MALFORMED, str(error)) from None


def _list(tag: str, addresses: set[JID]) -> ET.Element:
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
