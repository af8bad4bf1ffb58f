"""Who is connected: accounts and their resources (RFC 6120 section 7)."""

from __future__ import annotations

from collections import Counter

from ..core.dispatch import Account
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID
from .session import Session


class Registry:
    """The connected resources, by address.

    sessions  by the text of the full address
    accounts  by the text of the bare address
    most      resources that one account may have
    """

    def __init__(self, most: int = 20) -> None:
        self.sessions: dict[str, Session] = {}
        self.accounts: dict[str, Account] = {}
        self._most = most
        self._reserved: set[JID] = set()
        self._users: Counter[str] = Counter()

    def reserve(self, jid: JID) -> Account:
        """Begin to bind a resource. StanzaError if it can't be had; then `add` or `release`."""
        bare = str(jid.bare)
        if jid in self._reserved:
            raise StanzaError(StanzaCondition.CONFLICT, "this resource is just being bound")
        if self._users[bare] >= self._most:
            raise StanzaError(
                StanzaCondition.RESOURCE_CONSTRAINT, f"{self._most} resources are connected"
            )
        self._reserved.add(jid)
        self._users[bare] += 1
        account = self.accounts.get(bare)
        if account is None:
            account = self.accounts[bare] = Account(jid.bare)
        return account

    def add(self, session: Session) -> None:
        """The resource that was reserved is connected: stanzas can be delivered to it."""
        jid = session.jid
        assert jid.resource is not None
        self._reserved.discard(jid)
        self.sessions[session.address] = session
        session.account.resources[jid.resource] = session

    def remove(self, session: Session) -> None:
        """The resource is to get nothing more; `release` when all is said about it."""
        jid = session.jid
        assert jid.resource is not None
        if self.sessions.get(session.address) is session:
            del self.sessions[session.address]
            del session.account.resources[jid.resource]

    def release(self, jid: JID) -> None:
        """Forget a resource, and its account with the last one."""
        bare = str(jid.bare)
        self._reserved.discard(jid)
        self._users[bare] -= 1
        if not self._users[bare]:
            del self._users[bare]
            del self.accounts[bare]
