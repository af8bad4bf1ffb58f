"""Accounts for tests: kept in memory, cheap to log in to."""

from __future__ import annotations

from xmppfast.core.jid import JID
from xmppfast.protocol.sasl.keys import derive
from xmppfast.server.accounts import AccountStore
from xmppfast.storage.interface import Storage

PASSWORD = "secret"
_KEYS = str(derive(PASSWORD, salt=bytes(16), iterations=4096)).encode()


async def cheap_accounts(storage: Storage, domain: str, *names: str) -> AccountStore:
    """Accounts with the password `PASSWORD`, which was hashed once."""
    for name in names:
        await storage.values("account").set(f"{name}@{domain}", _KEYS)
    return AccountStore(storage, JID.parse(domain), bytes(32))
