"""The accounts of a server, and what is stored of their passwords."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from ..core.jid import JID
from ..protocol.sasl.interface import Offload
from ..protocol.sasl.keys import StoredKeys, derive, pretended
from ..storage.interface import Storage

_SALT_BYTES = 16
_SECRET_BYTES = 32

_NOBODYS = str(pretended("", b"")).encode()


async def open_accounts(
    storage: Storage, domain: JID, offload: Offload[StoredKeys] = asyncio.to_thread
) -> AccountStore:
    """The accounts of a domain. Raises StorageError."""
    values = storage.values("secret")
    await values.add(str(domain), secrets.token_bytes(_SECRET_BYTES))
    secret = await values.get(str(domain))
    assert secret is not None
    return AccountStore(storage, domain, secret, offload)


class AccountStore:
    """Accounts as `core.dispatch.Accounts`, and `Credentials` for SASL.

    secret    32 bytes that stay the same, see `protocol.sasl.mechanisms.Server`
    offload   runs what hashes a password, which takes milliseconds
    removing  is called before an account is removed
    """

    def __init__(
        self,
        storage: Storage,
        domain: JID,
        secret: bytes,
        offload: Offload[StoredKeys] = asyncio.to_thread,
    ) -> None:
        self.secret = secret
        self.removing: Callable[[JID], Awaitable[None]] | None = None
        self._storage = storage
        self._offload = offload
        self._domain = domain
        self._keys = storage.values("account")

    def exists(self, account: JID) -> Awaitable[bool]:
        """`Accounts.exists`."""
        return _some(self._keys.get(str(account)))

    async def lookup(self, username: str) -> StoredKeys | None:
        """`Credentials.lookup`."""
        stored = await self._keys.get(f"{username}@{self._domain}")
        # Something is read in any case, so that both take the same time.
        keys = StoredKeys.read((stored or _NOBODYS).decode())
        return None if stored is None else keys

    async def create(self, account: JID, password: str) -> bool:
        """`Accounts.create`."""
        return await self._keys.add(str(account), await self._hashed(password))

    async def create_many(self, accounts: Iterable[tuple[JID, str]]) -> list[bool]:
        """`create` for many accounts, as many at a time as there are threads."""
        asked = list(accounts)
        # Looking first spares hashing the passwords of those that exist.
        known = await self._keys.get_many([str(jid) for jid, _ in asked])
        return await asyncio.gather(
            *(self._create_unless(str(jid) in known, jid, password) for jid, password in asked)
        )

    async def _create_unless(self, exists: bool, jid: JID, password: str) -> bool:
        return not exists and await self.create(jid, password)

    async def set_password(self, account: JID, password: str) -> bool:
        """`Accounts.set_password`."""
        keys = await self._hashed(password)
        if not await self.exists(account):
            return False
        await self._keys.set(str(account), keys)
        return True

    async def remove(self, account: JID) -> bool:
        """`Accounts.remove`."""
        if not await self.exists(account):
            return False
        # First nobody can log in any more, then nobody is.
        await self._keys.delete(str(account))
        if self.removing is not None:
            await self.removing(account)
        await self._storage.forget(str(account))
        return True

    async def names(self, after: str = "", limit: int = 1000) -> list[JID]:
        """`Accounts.names`."""
        return [JID.parse(owner) for owner in await self._keys.owners(after, limit)]

    async def _hashed(self, password: str) -> bytes:
        salt = secrets.token_bytes(_SALT_BYTES)
        return str(await self._offload(partial(derive, password, salt=salt))).encode()


async def _some(value: Awaitable[bytes | None]) -> bool:
    return await value is not None
