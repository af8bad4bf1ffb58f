"""vcard-temp (XEP-0054): a card per account, which everybody may read."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ..core.dispatch import Disco, Feature, Host, OnIq, Request, Target
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.stanza import element
from ..storage.interface import Storage
from ..xml import Element, parse, tostring

NAMESPACE = "vcard-temp"
_VCARD = f"{{{NAMESPACE}}}vCard"


def vcard(host: Host, storage: Storage) -> Feature:
    """Keeps cards as they are given."""
    cards = storage.values("vcard")

    async def get(request: Request) -> ET.Element:
        card = await cards.get(str(request.to))
        if card is not None:
            return parse(card).to_etree()
        if request.own:
            return element(_VCARD)
        # Section 3.3: as if there were no such account.
        raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)

    async def set(request: Request) -> None:
        request.require_own()
        await cards.set(str(request.to), tostring(request.payload))

    return Feature(
        "vcard",
        (
            OnIq(_VCARD, Target.ACCOUNT, get, set),
            Disco(Target.ACCOUNT, features=(NAMESPACE,)),
            Disco(Target.SERVER, features=(NAMESPACE,)),
        ),
    )


async def get_vcard(host: Host, account: JID) -> Element | None:
    """An account's card; None if the answer has none. Raises StanzaError and TimeoutError."""
    return (await host.request(account.bare, "get", element(_VCARD))).find(_VCARD)


async def set_vcard(host: Host, own: JID, card: ET.Element) -> None:
    """Publish one's own card, a `{vcard-temp}vCard`. Raises StanzaError and TimeoutError."""
    if card.tag != _VCARD:
        raise ValueError(f"not a card: {card.tag}")
    await host.request(own.bare, "set", card)
