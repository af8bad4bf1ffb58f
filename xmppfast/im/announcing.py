"""Presence that a client sends: remembered, and told to those who may know (RFC 6121 section 4)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from ..core.dispatch import Host, Outcome, Passage, Resource
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from ..core.stanza import finished, stanza
from ..xml import Stanza
from .broadcast import available, unavailable
from .last import LastPresence
from .offline import Offline
from .outcomes import dealt_with, settle
from .rosters import Roster
from .subscription import From, To

# Addresses that one resource may have sent directed presence to.
_MOST_DIRECTED: Final = 1000

_UNAVAILABLE: Final = unavailable()
_PROBE: Final = finished(stanza("presence", type="probe"))


class Announcements:
    """Handles presence of available and unavailable resources."""

    def __init__(self, host: Host, waiting: Offline, last: LastPresence) -> None:
        self._host = host
        self._waiting = waiting
        self._last = last

    def available(
        self, presence: Stanza, resource: Resource, priority: int
    ) -> bool | Awaitable[bool]:
        """The resource is available from now on, or says so anew (sections 4.2.2 and 4.4.2)."""
        account, before = resource.account, resource.priority
        roster: Roster = account.state["roster"]
        others = [other for other in available(account) if other is not resource]
        resource.presence, resource.priority = presence, priority
        outcomes = self._tell(presence, resource, roster, [*others, resource])
        if priority >= 0 and (before is None or before < 0):
            outcomes.append(self._waiting.send(account))
        if before is None:
            for other in others:
                if other.presence is not None:
                    to = str(resource.jid)
                    resource.send(other.presence.forward(from_=str(other.jid), to=to))
            absent: list[JID] = []
            for item in list(roster.items.values()):
                if item.request is not None:
                    resource.send(item.request)
                if item.state.to is not To.SUBSCRIBED or self._last.hides(account, item.jid):
                    continue
                if self._host.is_local(item.jid) and not self._host.is_connected(item.jid):
                    absent.append(item.jid.bare)
                else:
                    outcomes.append(self._host.route(_PROBE, resource.jid, item.jid.bare))
            if absent:
                outcomes.append(self._answer_for(absent, resource))
        return dealt_with(*outcomes)

    async def _answer_for(self, absent: list[JID], resource: Resource) -> None:
        """Probes of accounts here that aren't connected, all answered at once (section 4.3.2).

        Both sides know that there is a subscription: who is absent needn't be asked.
        """
        found = await self._last.find_many(absent)
        to = str(resource.jid)
        for contact in absent:
            account = self._host.account(contact)
            if available(account) if account is not None else self._host.is_connected(contact):
                continue  # it has come meanwhile, and has told the resource so
            last = found.get(contact)
            seen = last.seen_by(resource.jid) if last is not None else None
            if last is not None and seen is not None:
                resource.send(seen.forward(from_=str(last.resource), to=to))
            else:
                resource.send(_UNAVAILABLE.forward(from_=str(contact), to=to))

    def unavailable(self, presence: Stanza, resource: Resource) -> bool | Awaitable[bool]:
        """The resource is no longer available (section 4.5.2)."""
        receivers = available(resource.account)
        if resource not in receivers:
            receivers.append(resource)
        return dealt_with(*self._leave(presence, resource, receivers))

    def directed(self, passage: Passage, resource: Resource) -> bool:
        """Presence for one address: who got it is told when it ends (section 4.6.3)."""
        directed: set[JID] = resource.state.setdefault("directed", set())
        if passage.stanza.type is not None:
            directed.discard(passage.to)
        else:
            if len(directed) >= _MOST_DIRECTED and passage.to not in directed:
                raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, "too many addresses")
            directed.add(passage.to)
        return False

    def ended(self, resource: Resource) -> Outcome:
        """The session is over: as if it had said that it is unavailable (section 4.5.2)."""
        if resource.presence is None and not resource.state.get("directed"):
            return None
        return settle(*self._leave(unavailable(), resource, available(resource.account)))

    def _leave(
        self, presence: Stanza, resource: Resource, receivers: list[Resource]
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        roster: Roster = resource.account.state["roster"]
        directed: set[JID] = resource.state.pop("directed", set())
        if resource.presence is not None:
            resource.presence = resource.priority = None
            outcomes += self._tell(presence, resource, roster, receivers)
            outcomes.append(self._last.keep(resource, presence))
            directed = {jid for jid in directed if not self._gets_broadcast(roster, jid)}
        outcomes += [
            self._host.route(presence, resource.jid, jid) for jid in sorted(directed, key=str)
        ]
        return outcomes

    def _gets_broadcast(self, roster: Roster, jid: JID) -> bool:
        """Whether somebody who got directed presence is told by the broadcast that it ends."""
        if jid.bare != roster.owner and roster.get(jid.bare).state.from_ is not From.SUBSCRIBED:
            return False
        if jid.resource is None:
            return True
        # The broadcast goes to the available resources, and this may be one that is not.
        account = self._host.account(jid)
        resource = None if account is None else account.resources.get(jid.resource)
        return resource is not None and resource.presence is not None

    def _tell(
        self, presence: Stanza, resource: Resource, roster: Roster, own: list[Resource]
    ) -> list[Outcome]:
        """Broadcast: to the account's own resources, and to subscribed contacts."""
        data = presence.forward(from_=str(resource.jid), to=str(roster.owner))
        for receiver in own:
            receiver.send(data)
        return self._host.broadcast(presence, resource.jid, roster.subscribers)
