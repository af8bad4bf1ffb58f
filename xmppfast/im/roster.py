"""Reading and changing the roster, telling clients of its changes (RFC 6121 section 2)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from ..core.dispatch import (
    Account,
    Disco,
    Feature,
    Host,
    OnAccount,
    OnIq,
    OnSession,
    Outcome,
    Request,
    Resource,
    StreamFeature,
    Target,
)
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID, InvalidJID
from ..core.namespaces import ROSTER
from ..core.stanza import element, finished, serialize, stanza
from ..xml import Element
from .broadcast import seen, withdraw
from .outcomes import settle
from .rosters import Change, Item, Roster, Rosters
from .subscription import From, State, To

_QUERY: Final = f"{{{ROSTER}}}query"
_ITEM: Final = f"{{{ROSTER}}}item"
_GROUP: Final = f"{{{ROSTER}}}group"

# Bytes of a contact's name, and of the name of a group; and how many groups one contact is in.
_NAME_BYTES: Final = 1023
_MOST_GROUPS: Final = 100


def roster(host: Host, rosters: Rosters, most: int = 5000) -> Feature:
    """Rosters. `most` is how many items one may have."""

    async def start(resource: Resource) -> None:
        # As long as the account is connected its roster stays in memory.
        roster = await rosters.load(resource.jid)
        if roster is None:
            raise StanzaError(StanzaCondition.ITEM_NOT_FOUND, "the account was removed")
        rosters.connected(resource.account, roster)

    def end(resource: Resource) -> None:
        rosters.leaving(resource.account)

    def get(request: Request) -> ET.Element | None:
        resource, roster = _own(request)
        resource.interested = True
        changed = roster.since(_version(request.payload))
        if changed is None:
            items = (_element(item) for item in roster.listed())
            return element(_QUERY, {"ver": str(roster.version)}, *items)
        # Section 2.6.3: an empty result, then what has changed since as pushes.
        request.answer()
        for item in changed:
            resource.send(_push(host, resource.jid, item, item.version))
        return None

    async def set(request: Request) -> None:
        resource, roster = _own(request)
        asked = _read(request.payload)
        old = roster.get(asked.jid)
        if request.payload[0].get("subscription") == "remove":
            if not old.listed:
                raise StanzaError(StanzaCondition.ITEM_NOT_FOUND, f"{asked.jid} is not listed")
            await _remove(request, resource.account, roster, old)
            return
        if old.blank and len(roster.items) >= most:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, f"there are {most} items")
        change = roster.put(replace(old, name=asked.name, groups=asked.groups, listed=True))
        await _told(request, resource.account, change)

    async def _remove(request: Request, account: Account, roster: Roster, old: Item) -> None:
        """Section 2.5.2: subscriptions in both directions end. A request still waits."""
        contact = old.jid.bare
        # Where the contact is of this process, too, both sides change in the same moment.
        here = await rosters.load(contact) if host.has(contact) else None
        old = roster.get(old.jid)
        state = old.state
        from_ = From.PENDING if state.from_ is From.PENDING else From.NONE
        change = roster.put(Item(old.jid, state=State(To.NONE, from_), request=old.request))
        outcomes = [
            host.route(finished(stanza("presence", type=type, to=contact)), roster.owner, contact)
            for type in _ending(state)
        ]
        if state.from_ is From.SUBSCRIBED:
            outcomes.append(withdraw(host, seen(account), contact))
        del here
        await _told(request, account, change, *outcomes)

    async def _told(request: Request, account: Account, change: Change, *others: Outcome) -> None:
        """Section 2.3.2, once it is durable.

        The push, then the result: a client that has the result can rely on what it knows. For the
        same reason the contact has been told by then.
        """
        told: Callable[[], None] | None = None
        try:
            await settle(change.saved)
            told = partial(push, host, account, change)
        finally:
            change.turn.end(told)
            await settle(*others)
        request.answer()

    async def removed(account: JID) -> None:
        """XEP-0077 section 3.2: the subscriptions of an account end with it."""
        roster = await rosters.load(account, removed=True)
        for item in list(roster.items.values()) if roster is not None else ():
            contact = item.jid.bare
            for type in _ending(item.state):
                sent = finished(stanza("presence", type=type, to=contact))
                await settle(host.route(sent, account, contact))

    return Feature(
        "roster",
        (
            OnIq(_QUERY, Target.ACCOUNT, get, set),
            OnSession(start=start, end=end),
            OnAccount(removed, released=rosters.forget),
            Disco(Target.SERVER, features=(ROSTER,)),
            StreamFeature(element("{urn:xmpp:features:rosterver}ver")),
            StreamFeature(element("{urn:xmpp:features:pre-approval}sub")),
        ),
    )


def push(host: Host, account: Account | None, change: Change) -> None:
    """Tell all interested resources what has become of an item (section 2.1.6)."""
    if account is not None:
        for resource in account.resources.values():
            if resource.interested:
                resource.send(_push(host, resource.jid, change.new, change.version))


def _push(host: Host, to: JID, item: Item, version: int) -> bytes:
    query = element(_QUERY, {"ver": str(version)}, _element(item))
    return serialize(stanza("iq", query, type="set", id=host.new_id(), to=to))


def _own(request: Request) -> tuple[Resource, Roster]:
    """The session and its roster; StanzaError for someone else's (section 2.3.3)."""
    request.require_own()
    if request.resource is None:
        raise StanzaError(StanzaCondition.FORBIDDEN)
    roster: Roster = request.resource.account.state["roster"]
    return request.resource, roster


def _version(query: Element) -> int:
    """The version the client knows, -1 if it says none that could be ours."""
    known = query.get("ver", "")
    return int(known) if known.isascii() and known.isdecimal() and len(known) < 19 else -1


def _read(query: Element) -> Item:
    """What a roster set asks for. StanzaError as section 2.3.3 says."""
    items = [child for child in query if child.tag == _ITEM]
    if len(items) != 1 or len(query) != 1:
        raise StanzaError(StanzaCondition.BAD_REQUEST, "a roster set has one item")
    address = items[0].get("jid")
    if not address:
        raise StanzaError(StanzaCondition.BAD_REQUEST, "the item has no jid")
    try:
        jid = JID.parse(address)
    except InvalidJID as error:
        raise StanzaError(StanzaCondition.JID_MALFORMED, str(error)) from None
    name = items[0].get("name") or None
    groups = [child.text or "" for child in items[0] if child.tag == _GROUP]
    if len(set(groups)) != len(groups):
        raise StanzaError(StanzaCondition.BAD_REQUEST, "a group is there twice")
    if not all(groups):
        raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, "the name of a group is empty")
    if any(len(text.encode()) > _NAME_BYTES for text in (*groups, name or "")):
        raise StanzaError(
            StanzaCondition.NOT_ACCEPTABLE, f"a name has more than {_NAME_BYTES} bytes"
        )
    if len(groups) > _MOST_GROUPS:
        raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, f"more than {_MOST_GROUPS} groups")
    return Item(jid, name=name, groups=tuple(groups))


def _element(item: Item) -> ET.Element:
    if not item.listed:
        return element(_ITEM, {"jid": str(item.jid), "subscription": "remove"})
    attributes = {
        "jid": str(item.jid),
        "name": item.name,
        "subscription": item.state.subscription,
        "ask": "subscribe" if item.state.to is To.PENDING else None,
        "approved": "true" if item.state.from_ is From.APPROVED else None,
    }
    return element(_ITEM, attributes, *(element(_GROUP, None, group) for group in item.groups))


def _ending(state: State) -> list[str]:
    types = []
    if state.to is not To.NONE:
        types.append("unsubscribe")
    if state.from_ is From.SUBSCRIBED:
        types.append("unsubscribed")
    return types
