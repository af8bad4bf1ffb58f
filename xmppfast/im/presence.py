"""Presence: who is available, and who is told (RFC 6121 section 4)."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Final

from ..core.dispatch import Feature, Host, OnIncoming, OnOutgoing, OnSession, Passage
from ..core.errors import StanzaCondition, StanzaError
from ..core.namespaces import CLIENT
from ..xml import Stanza
from .announcing import Announcements
from .broadcast import available
from .last import LastPresence
from .offline import Offline
from .probes import Probes
from .rosters import Rosters
from .subscribing import Subscriptions
from .subscription import TYPES

_INTEGER: Final = re.compile(r"\s*[+-]?[0-9]{1,9}\s*")


def presence(host: Host, rosters: Rosters, waiting: Offline, last: LastPresence) -> Feature:
    """Presence and subscriptions; also sends what waits for an account that becomes available."""
    subscriptions = Subscriptions(host, rosters)
    announcements = Announcements(host, waiting, last)
    probes = Probes(host, rosters, last)

    def outgoing(passage: Passage) -> bool | Awaitable[bool]:
        type, resource = passage.stanza.type, passage.resource
        assert resource is not None
        if type in TYPES:
            return subscriptions.outgoing(passage)
        if type in (None, "unavailable"):
            priority = read_priority(passage.stanza)
            if passage.stanza.to is not None:
                return announcements.directed(passage, resource)
            if type is None:
                return announcements.available(passage.stanza, resource, priority)
            return announcements.unavailable(passage.stanza, resource)
        # A probe or an error is for somebody in particular.
        return passage.stanza.to is None

    def incoming(passage: Passage) -> bool | Awaitable[bool]:
        type = passage.stanza.type
        if passage.to.local is None:
            return True
        if type in TYPES:
            return subscriptions.incoming(passage)
        if type == "probe":
            return probes.incoming(passage)
        account = passage.account
        if account is not None:
            # Sections 8.5.2.1.2 and 8.5.3.1; an error for nobody in particular is dropped.
            if passage.to.resource is not None:
                resource = account.resources.get(passage.to.resource)
                receivers = [] if resource is None else [resource]
            else:
                receivers = available(account) if type != "error" else []
            for resource in receivers:
                resource.send(passage.data)
        return True

    return Feature(
        "presence",
        (
            OnOutgoing("presence", outgoing),
            OnIncoming("presence", incoming, receivers=available),
            OnSession(end=announcements.ended),
        ),
    )


def read_priority(stanza: Stanza) -> int:
    """The priority of a presence stanza (section 4.7.2.3); StanzaError for what is none."""
    found = stanza.findall(f"{{{CLIENT}}}priority")
    if not found:
        return 0
    text = found[0].text or ""
    if len(found) > 1 or len(found[0]) or not _INTEGER.fullmatch(text):
        raise StanzaError(StanzaCondition.BAD_REQUEST, "the priority is no number")
    if not -128 <= int(text) <= 127:
        raise StanzaError(StanzaCondition.BAD_REQUEST, "the priority is not in -128..127")
    return int(text)
