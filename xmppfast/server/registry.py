"""Who is connected: accounts and their resources (RFC 6120 section 7)."""

from __future__ import annotations

import asyncio

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
        self.most = most
        self._binding: dict[str, set[JID]] = {}  # by bare address, as `accounts`
        self._freed: dict[JID, asyncio.Event] = {}

    async def free(self, jid: JID) -> None:
        """Wait until all is said about a session that has left.

        Raises StanzaError if the resource is being bound by somebody else.
        """
        while self._is_used(jid):
            if jid in self._binding.get(str(jid.bare), ()):
                raise StanzaError(StanzaCondition.CONFLICT, "this resource is just being bound")
            await self._freed.setdefault(jid, asyncio.Event()).wait()

    def reserve(self, jid: JID) -> Account:
        """Begin to bind a free resource; then `add` or `release`. StanzaError if it is not."""
        bare = str(jid.bare)
        if self._is_used(jid):
            raise StanzaError(StanzaCondition.CONFLICT, "somebody was faster")
        if self._count(bare) >= self.most:
            raise StanzaError(
                StanzaCondition.RESOURCE_CONSTRAINT, f"{self.most} resources are connected"
            )
        self._binding.setdefault(bare, set()).add(jid)
        account = self.accounts.get(bare)
        if account is None:
            account = self.accounts[bare] = Account(jid.bare)
        return account

    def _is_used(self, jid: JID) -> bool:
        bare = str(jid.bare)
        account = self.accounts.get(bare)
        return account is not None and (
            jid.resource in account.resources
            or jid in self._binding.get(bare, ())
            or any(resource.jid == jid for resource in account.leaving)
        )

    def _count(self, bare: str) -> int:
        """Resources that are being bound, connected, or leaving."""
        account = self.accounts.get(bare)
        if account is None:
            return 0
        binding = self._binding.get(bare, ())
        return len(account.resources) + len(account.leaving) + len(binding)

    def _bound(self, jid: JID) -> None:
        """It is not being bound any more."""
        bare = str(jid.bare)
        binding = self._binding.get(bare)
        if binding is not None:
            binding.discard(jid)
            if not binding:
                del self._binding[bare]

    def add(self, session: Session) -> None:
        """The resource that was reserved is connected: stanzas can be delivered to it."""
        jid = session.jid
        assert jid.resource is not None
        self._bound(jid)
        self.sessions[session.address] = session
        session.account.resources[jid.resource] = session

    def remove(self, session: Session) -> None:
        """The resource is to get nothing more; `release` when all is said about it."""
        jid = session.jid
        assert jid.resource is not None
        if self.sessions.get(session.address) is session:
            del self.sessions[session.address]
            account = session.account
            del account.resources[jid.resource]
            account.leaving = (*account.leaving, session)

    def release(self, jid: JID) -> None:
        """Forget a resource, and its account with the last one."""
        bare = str(jid.bare)
        account = self.accounts[bare]
        account.leaving = tuple(resource for resource in account.leaving if resource.jid != jid)
        self._bound(jid)
        freed = self._freed.pop(jid, None)
        if freed is not None:
            freed.set()
        if not self._count(bare):
            del self.accounts[bare]
