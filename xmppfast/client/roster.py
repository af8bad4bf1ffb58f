"""The client's copy of its roster (RFC 6121 section 2)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..core.dispatch import Request
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID, InvalidJID
from ..core.namespaces import ROSTER
from ..core.stanza import element
from ..xml import Element, Stanza

Ask = Callable[[str, ET.Element], Awaitable[Stanza]]
"""Sends an iq of that type to the own account, returns its result."""

_QUERY, _ITEM, _GROUP = (f"{{{ROSTER}}}{name}" for name in ("query", "item", "group"))


@dataclass(frozen=True, slots=True)
class RosterItem:
    """An entry of the roster.

    subscription  "none", "to", "from" or "both"
    ask           whether a subscription to the contact's presence was asked for
    approved      whether the contact's request will be approved when it comes
    """

    jid: JID
    name: str | None = None
    subscription: str = "none"
    ask: bool = False
    approved: bool = False
    groups: tuple[str, ...] = ()


class Roster(Mapping[JID, RosterItem]):
    """Entries by the contact's bare address; changed by the server's pushes.

    ask  sends requests to the own account
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._items: dict[JID, RosterItem] = {}
        self._version: str | None = None
        # What is pushed while the roster is asked for, a list for each such request.
        self._fetching: list[list[Element]] = []

    def __getitem__(self, jid: JID) -> RosterItem:
        return self._items[jid]

    def __iter__(self) -> Iterator[JID]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    async def set(
        self, jid: JID | str, name: str | None = None, groups: Iterable[str] = ()
    ) -> None:
        """Add an entry, or change its name and groups. StanzaError if the server refuses."""
        item = element(
            _ITEM,
            {"jid": str(_bare(jid)), "name": name},
            *(element(_GROUP, None, group) for group in groups),
        )
        await self._ask("set", element(_QUERY, None, item))

    async def remove(self, jid: JID | str) -> None:
        """Remove an entry, and with it the subscriptions in both directions."""
        item = element(_ITEM, {"jid": str(_bare(jid)), "subscription": "remove"})
        await self._ask("set", element(_QUERY, None, item))

    async def fetch(self, *, versioned: bool) -> None:
        """Ask for the roster; with `versioned`, only for what has changed (section 2.6)."""
        version = (self._version or "") if versioned else None
        pushed: list[Element] = []
        self._fetching.append(pushed)
        try:
            answer = await self._ask("get", element(_QUERY, {"ver": version}))
        finally:
            self._fetching.remove(pushed)
        query = answer.find(_QUERY)
        if query is None:
            return  # what is known is current, or follows in pushes
        self._items.clear()
        # A push that came right behind the answer has been handled already.
        for each in (query, *pushed):
            self._take(each)

    def pushed(self, request: Request, account: JID) -> None:
        """Take a roster push; one from anybody but the own account is refused (section 2.1.6)."""
        if request.sender != account:
            raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        if len(request.payload) != 1:
            raise StanzaError(StanzaCondition.BAD_REQUEST, "a roster push has one item")
        self._take(request.payload)
        for pushed in self._fetching:
            pushed.append(request.payload)

    def _take(self, query: Element) -> None:
        for child in query.iterfind(_ITEM):
            try:
                jid = JID.parse(child.get("jid", ""))
            except InvalidJID:
                continue
            if child.get("subscription") == "remove":
                self._items.pop(jid, None)
                continue
            self._items[jid] = RosterItem(
                jid,
                child.get("name"),
                child.get("subscription", "none"),
                child.get("ask") == "subscribe",
                child.get("approved") in ("true", "1"),
                tuple(group.text or "" for group in child.iterfind(_GROUP)),
            )
        self._version = query.get("ver", self._version)


def _bare(jid: JID | str) -> JID:
    return (JID.parse(jid) if isinstance(jid, str) else jid).bare
