"""Telling others of an account's presence, one contact at a time (RFC 6121 section 4)."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.dispatch import Account, Host, Outcome, Resource
from ..core.jid import JID
from ..core.stanza import finished, stanza
from ..xml import Stanza
from .outcomes import settle


def available(account: Account) -> list[Resource]:
    """The account's available resources."""
    return [resource for resource in account.resources.values() if resource.presence is not None]


def seen(account: Account | None) -> list[Resource]:
    """The resources that others may believe to be available: some may be about to leave."""
    if account is None:
        return []
    return [it for it in (*account.resources.values(), *account.leaving) if it.presence is not None]


def introduce(host: Host, account: Account | None, contact: JID) -> Outcome:
    """Send the contact the presence of all available resources (section 3.1.5)."""
    if account is None:
        return None
    return settle(
        *(
            host.route(resource.presence, resource.jid, contact)
            for resource in available(account)
            if resource.presence is not None
        )
    )


def withdraw(host: Host, gone: Iterable[Resource], contact: JID) -> Outcome:
    """Tell the contact that these resources are gone (sections 3.2.2 and 3.3.3)."""
    presence = unavailable()
    return settle(*(host.route(presence, resource.jid, contact) for resource in gone))


def unavailable() -> Stanza:
    """Presence of type unavailable that says nothing else."""
    return finished(stanza("presence", type="unavailable"))
