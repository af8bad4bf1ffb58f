"""Presence subscriptions: what each stanza does to each state (RFC 6121 appendix A).

The nine states of appendix A.1 are pairs: how far the user's subscription to the contact is, and
how far the contact's to the user. Each stanza changes one of the two, whatever the other is, so
the appendix's eight tables of nine rows are these eight of three or four. Pre-approval (section
3.4) is one more state of the contact's subscription.

A stanza that is "outbound" comes from the user, an "inbound" one from the contact.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class To(Enum):
    """The user's subscription to the contact's presence."""

    NONE = "none"
    PENDING = "pending"
    """Asked for, not answered: "Pending Out"."""
    SUBSCRIBED = "subscribed"


class From(Enum):
    """The contact's subscription to the user's presence."""

    NONE = "none"
    APPROVED = "approved"
    """Not asked for, but the user agrees already."""
    PENDING = "pending"
    """Asked for, not answered: "Pending In"."""
    SUBSCRIBED = "subscribed"


class State(NamedTuple):
    """How two entities stand to each other, as seen by the user's server."""

    to: To = To.NONE
    from_: From = From.NONE

    @property
    def subscription(self) -> str:
        """Value of the attribute of the same name in the roster (section 2.1.2.5)."""
        to, from_ = self.to is To.SUBSCRIBED, self.from_ is From.SUBSCRIBED
        return _SUBSCRIPTION[to, from_]


STRANGERS: Final = State()
"""How two entities stand that have nothing to do with each other: "None"."""

_SUBSCRIPTION: Final = {
    (False, False): "none",
    (True, False): "to",
    (False, True): "from",
    (True, True): "both",
}


class Outcome(NamedTuple):
    """What a stanza does.

    state   the new state
    passed  whether it goes on: outbound it is routed to the contact, inbound delivered to the user
    reply   type of the presence stanza that the user's server answers with
    """

    state: State
    passed: bool
    reply: str | None = None


class _Row(NamedTuple):
    new: To | From
    passed: bool
    reply: str | None = None


_Table = dict[str, dict[To | From, _Row]]

_OUTBOUND: Final[_Table] = {
    # Section 3.1.2, appendix A.2.1.
    "subscribe": {
        To.NONE: _Row(To.PENDING, True),
        To.PENDING: _Row(To.PENDING, True),
        To.SUBSCRIBED: _Row(To.SUBSCRIBED, True),
    },
    # Section 3.3.2, appendix A.2.2.
    "unsubscribe": {
        To.NONE: _Row(To.NONE, True),
        To.PENDING: _Row(To.NONE, True),
        To.SUBSCRIBED: _Row(To.NONE, True),
    },
    # Sections 3.1.5 and 3.4.2, appendix A.2.3.
    "subscribed": {
        From.NONE: _Row(From.APPROVED, False),
        From.APPROVED: _Row(From.APPROVED, False),
        From.PENDING: _Row(From.SUBSCRIBED, True),
        From.SUBSCRIBED: _Row(From.SUBSCRIBED, False),
    },
    # Sections 3.2.2 and 3.4.2, appendix A.2.4.
    "unsubscribed": {
        From.NONE: _Row(From.NONE, False),
        From.APPROVED: _Row(From.NONE, False),
        From.PENDING: _Row(From.NONE, True),
        From.SUBSCRIBED: _Row(From.NONE, True),
    },
}

_INBOUND: Final[_Table] = {
    # Section 3.1.3, appendix A.3.1.
    "subscribe": {
        From.NONE: _Row(From.PENDING, True),
        From.APPROVED: _Row(From.SUBSCRIBED, False, reply="subscribed"),
        From.PENDING: _Row(From.PENDING, False),
        From.SUBSCRIBED: _Row(From.SUBSCRIBED, False, reply="subscribed"),
    },
    # Section 3.3.3, appendix A.3.2.
    "unsubscribe": {
        From.NONE: _Row(From.NONE, False),
        From.APPROVED: _Row(From.APPROVED, False),
        From.PENDING: _Row(From.NONE, True),
        From.SUBSCRIBED: _Row(From.NONE, True),
    },
    # Section 3.1.6, appendix A.3.3.
    "subscribed": {
        To.NONE: _Row(To.NONE, False),
        To.PENDING: _Row(To.SUBSCRIBED, True),
        To.SUBSCRIBED: _Row(To.SUBSCRIBED, False),
    },
    # Section 3.2.3, appendix A.3.4.
    "unsubscribed": {
        To.NONE: _Row(To.NONE, False),
        To.PENDING: _Row(To.NONE, True),
        To.SUBSCRIBED: _Row(To.NONE, True),
    },
}

TYPES: Final = frozenset(_OUTBOUND)
"""Types of presence that are about subscriptions."""


def outbound(type: str, state: State) -> Outcome:
    """What the user's own stanza does. `type` is one of `TYPES`."""
    return _apply(_OUTBOUND[type], state)


def inbound(type: str, state: State) -> Outcome:
    """What the contact's stanza does. `type` is one of `TYPES`."""
    return _apply(_INBOUND[type], state)


def _apply(rows: dict[To | From, _Row], state: State) -> Outcome:
    row = rows.get(state.to) or rows[state.from_]
    new = row.new
    changed = state._replace(to=new) if isinstance(new, To) else state._replace(from_=new)
    return Outcome(changed, row.passed, row.reply)
