"""Where messages go (RFC 6121 section 8.5).

The rules are one pure function, `rule`: of a message's type, the kind of its address, and the
priorities of the account's resources.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from enum import Enum, auto
from typing import Final

from ..core.dispatch import Account, Feature, Host, OnIncoming, Passage
from ..core.errors import StanzaCondition, StanzaError
from .offline import Offline, worth_storing


class Address(Enum):
    """What a message's address names."""

    NO_ACCOUNT = auto()
    """Nobody here, whether bare or full (section 8.5.1)."""
    BARE = auto()
    """An account (section 8.5.2)."""
    FULL_MATCHING = auto()
    """A connected resource (section 8.5.3.1)."""
    FULL = auto()
    """A resource that is not connected (section 8.5.3.2)."""


class Rule(Enum):
    """What becomes of a message."""

    TO_IT = auto()
    """The resource that is named gets it."""
    TO_ALL = auto()
    """All available resources with a priority of 0 or more get it."""
    STORE = auto()
    """It is kept until somebody can have it."""
    REFUSE = auto()
    """Its sender is told `service-unavailable`."""
    IGNORE = auto()
    """Nothing is said."""


class Somebody(Enum):
    """Whether a message to the account finds someone."""

    WILLING = auto()
    """A resource with a priority of 0 or more is available."""
    NOBODY = auto()
    """All that are available, if any, have a negative priority."""


_TO_ACCOUNT: Final = {
    # Section 8.5.2.1.1, and 8.5.2.2.1 with nobody there.
    "normal": {Somebody.WILLING: Rule.TO_ALL, Somebody.NOBODY: Rule.STORE},
    "chat": {Somebody.WILLING: Rule.TO_ALL, Somebody.NOBODY: Rule.STORE},
    "groupchat": {Somebody.WILLING: Rule.REFUSE, Somebody.NOBODY: Rule.REFUSE},
    "headline": {Somebody.WILLING: Rule.TO_ALL, Somebody.NOBODY: Rule.IGNORE},
    "error": {Somebody.WILLING: Rule.IGNORE, Somebody.NOBODY: Rule.IGNORE},
}

_TO_MISSING_RESOURCE: Final = {
    # Section 8.5.3.2.1. None: as to the account.
    "normal": Rule.REFUSE,
    "chat": None,
    "groupchat": Rule.REFUSE,
    "headline": Rule.IGNORE,
    "error": Rule.IGNORE,
}

_TO_NO_ACCOUNT: Final = {
    # Section 8.5.1.
    "normal": Rule.REFUSE,
    "chat": Rule.REFUSE,
    "groupchat": Rule.REFUSE,
    "headline": Rule.IGNORE,
    "error": Rule.IGNORE,
}


def rule(type: str | None, address: Address, priorities: Mapping[str, int | None]) -> Rule:
    """What becomes of a message.

    type        its attribute; an unknown one counts as `normal` (section 5.2.2)
    priorities  of the account's connected resources by resourcepart, None for one that is not
                available
    """
    kind = type if type in _TO_ACCOUNT else "normal"
    if address is Address.FULL_MATCHING:
        return Rule.TO_IT
    if address is Address.NO_ACCOUNT:
        return _TO_NO_ACCOUNT[kind]
    as_told = _TO_MISSING_RESOURCE[kind] if address is Address.FULL else None
    if as_told is not None:
        return as_told
    willing = any(priority is not None and priority >= 0 for priority in priorities.values())
    return _TO_ACCOUNT[kind][Somebody.WILLING if willing else Somebody.NOBODY]


def messaging(host: Host, waiting: Offline) -> Feature:
    """Delivery of messages that are not for a connected full address."""

    def incoming(passage: Passage) -> bool | Awaitable[bool]:
        if passage.to.local is None:
            return False
        account = passage.account
        return _unknown(passage) if account is None else _known(passage, account)

    async def _unknown(passage: Passage) -> bool:
        exists = await host.exists(passage.to)
        address = _address(passage) if exists else Address.NO_ACCOUNT
        # Meanwhile, its first resource may have come.
        account = host.account(passage.to)
        if exists and account is not None:
            done = _known(passage, account)
            return done if isinstance(done, bool) else await done
        decided = rule(passage.stanza.type, address, {})
        if decided is Rule.STORE:
            await waiting.store(passage)
        elif decided is Rule.REFUSE:
            raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        return True

    def _known(passage: Passage, account: Account) -> bool | Awaitable[bool]:
        resources = account.resources
        priorities = {name: resource.priority for name, resource in resources.items()}
        decided = rule(passage.stanza.type, _address(passage), priorities)
        if decided is Rule.REFUSE:
            raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        if decided is Rule.STORE or (decided is Rule.TO_ALL and _behind_others(passage, account)):
            return _store(passage)
        if decided is Rule.TO_ALL:
            for resource in resources.values():
                if resource.priority is not None and resource.priority >= 0:
                    resource.send(passage.data)
        return True

    def _behind_others(passage: Passage, account: Account) -> bool:
        """Whether it has to queue up behind older messages that are being sent just now."""
        if not waiting.waits(account.jid):
            return False
        return passage.stanza.type != "headline" and worth_storing(passage.stanza)

    async def _store(passage: Passage) -> bool:
        await waiting.store(passage)
        return True

    return Feature("messaging", (OnIncoming("message", incoming),))


def _address(passage: Passage) -> Address:
    return Address.BARE if passage.to.resource is None else Address.FULL
