"""Private XML Storage (XEP-0049): elements that clients keep on the server, for themselves."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ..core.dispatch import Disco, Feature, Host, OnIq, Request, Target
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.namespaces import CLIENT, SERVER
from ..core.stanza import element
from ..storage.interface import Storage
from ..xml import Element, parse, tostring

NAMESPACE = "jabber:iq:private"
_QUERY = f"{{{NAMESPACE}}}query"
_RESERVED = frozenset({None, CLIENT, SERVER, NAMESPACE, "vcard-temp"})


def private_xml(host: Host, storage: Storage, most: int = 100) -> Feature:
    """Keeps elements by their names. `most` is how many one account may have."""
    elements = storage.maps("private")

    async def get(request: Request) -> ET.Element:
        request.require_own()
        wanted = _children(request)
        if len(wanted) != 1:
            raise StanzaError(StanzaCondition.BAD_REQUEST, "one element is asked for at a time")
        found = await elements.get(str(request.to), wanted[0].tag)
        return element(_QUERY, None, element(wanted[0].tag) if found is None else parse(found))

    async def set(request: Request) -> None:
        request.require_own()
        changes = {child.tag: tostring(child) for child in _children(request)}
        known = await elements.items(str(request.to))
        if len(known.keys() | changes.keys()) > most:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, f"at most {most} elements")
        await elements.update(str(request.to), changes)

    return Feature(
        "private_xml",
        (
            OnIq(_QUERY, Target.ACCOUNT, get, set),
            Disco(Target.SERVER, features=(NAMESPACE,)),
        ),
    )


def _children(request: Request) -> list[Element]:
    """What it is about; StanzaError as section 2.3 and table 1 say."""
    children = list(request.payload)
    if not children:
        raise StanzaError(StanzaCondition.BAD_REQUEST, "there is no element")
    if any(child.xmlns in _RESERVED for child in children):
        raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, "a namespace of one's own is needed")
    return children


async def get_private(host: Host, own: JID, tag: str) -> Element:
    """The element of that Clark name, an empty one if none is kept.

    Raises StanzaError, TimeoutError, and ValueError for an answer without it.
    """
    answer = await host.request(own.bare, "get", element(_QUERY, None, element(tag)))
    found = answer.find(f"{_QUERY}/{tag}")
    if found is None:
        raise ValueError(f"the answer has no {tag}")
    return found


async def set_private(host: Host, own: JID, kept: ET.Element) -> None:
    """Keep an element in place of the one of the same name. Raises StanzaError and TimeoutError."""
    await host.request(own.bare, "set", element(_QUERY, None, kept))
