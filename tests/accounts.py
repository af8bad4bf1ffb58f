"""Accounts for tests: kept in memory, cheap to log in to."""

from __future__ import annotations

from xmppfast.core.jid import JID
from xmppfast.protocol.sasl.keys import StoredKeys, derive

PASSWORD = "secret"


KEYS = derive(PASSWORD, salt=bytes(16), iterations=4096)


class TestAccounts:
    """Every account has the same password."""

    __test__ = False

    def __init__(self, *names: str) -> None:
        self.keys = KEYS
        self.names = set(names)

    async def exists(self, jid: JID) -> bool:
        return jid.local in self.names

    async def lookup(self, username: str) -> StoredKeys | None:
        return self.keys if username in self.names else None
