"""Service Discovery (XEP-0030): what is there, and what it can do."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..core.dispatch import Feature, Host, OnIq, Request, Target
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.stanza import element

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
_INFO_QUERY, _ITEMS_QUERY = f"{{{INFO}}}query", f"{{{ITEMS}}}query"


class Item(NamedTuple):
    """Something that is found at an address."""

    jid: JID
    name: str | None = None
    node: str | None = None


class Info(NamedTuple):
    """What somebody is, and can do.

    identities  (category, type, name)
    """

    identities: tuple[tuple[str, str, str | None], ...]
    features: tuple[str, ...]


Node = Callable[[JID], list[Item]]
"""Items of a node of the server, as far as who asks may see them."""

_IDENTITIES = {
    Target.SERVER: ("server", "im", "xmppfast"),
    Target.ACCOUNT: ("account", "registered", None),
    Target.CLIENT: ("client", "pc", "xmppfast"),
}


def disco(host: Host, nodes: Mapping[str, Node] | None = None) -> Feature:
    """Answers for the server, for one's own account, and for a client.

    nodes  items of the server by node; "" for those without one
    """

    def info(target: Target) -> OnIq:
        def get(request: Request) -> ET.Element:
            _refuse_strangers(request, target)
            node = request.payload.get("node", "")
            if node and not (target is Target.SERVER and node in (nodes or {})):
                raise StanzaError(StanzaCondition.ITEM_NOT_FOUND)
            known = host.announced(target)
            identities = (_IDENTITIES[target], *known.identities)
            return element(
                _INFO_QUERY,
                {"node": node or None},
                *(
                    element(
                        f"{{{INFO}}}identity", {"category": category, "type": type, "name": name}
                    )
                    for category, type, name in identities
                ),
                *(
                    element(f"{{{INFO}}}feature", {"var": var})
                    for var in sorted({*known.features, INFO, ITEMS})
                ),
            )

        return OnIq(_INFO_QUERY, target, get=get)

    def items(target: Target) -> OnIq:
        def get(request: Request) -> ET.Element:
            _refuse_strangers(request, target)
            node = request.payload.get("node", "")
            found = (nodes or {}).get(node) if target is Target.SERVER else None
            if found is None and node:
                raise StanzaError(StanzaCondition.ITEM_NOT_FOUND)
            return element(
                _ITEMS_QUERY,
                {"node": node or None},
                *(
                    element(
                        f"{{{ITEMS}}}item",
                        {"jid": str(item.jid), "name": item.name, "node": item.node},
                    )
                    for item in (found(request.sender) if found is not None else ())
                ),
            )

        return OnIq(_ITEMS_QUERY, target, get=get)

    targets = (Target.SERVER, Target.ACCOUNT, Target.CLIENT)
    return Feature(
        "disco", (*(info(target) for target in targets), *(items(target) for target in targets))
    )


def _refuse_strangers(request: Request, target: Target) -> None:
    """Section 8: who has no business with an account isn't told that it exists."""
    if target is Target.ACCOUNT and not request.own:
        raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)


async def get_info(host: Host, to: JID, node: str | None = None) -> Info:
    """Ask what somebody is, and can do. Raises StanzaError and TimeoutError."""
    answer = await host.request(to, "get", element(_INFO_QUERY, {"node": node}))
    query = answer.find(_INFO_QUERY)
    parts = () if query is None else tuple(query)
    return Info(
        tuple(
            (part.get("category", ""), part.get("type", ""), part.get("name"))
            for part in parts
            if part.name == "identity"
        ),
        tuple(part.get("var", "") for part in parts if part.name == "feature"),
    )


async def get_items(host: Host, to: JID, node: str | None = None) -> list[Item]:
    """Ask what is found there.

    Raises StanzaError, TimeoutError, and InvalidJID for an answer that names none.
    """
    answer = await host.request(to, "get", element(_ITEMS_QUERY, {"node": node}))
    return [
        Item(JID.parse(item.get("jid", "")), item.get("name"), item.get("node"))
        for item in answer.iterfind(f"{_ITEMS_QUERY}/{{{ITEMS}}}item")
    ]
