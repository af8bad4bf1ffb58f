"""Accounts and what is stored of them."""

from __future__ import annotations

import asyncio

import pytest
from conversation import DOMAIN, Client, new_server
from virtual import run

from xmppfast.core.dispatch import Feature, OnAccount
from xmppfast.core.jid import JID
from xmppfast.protocol.sasl.keys import matches
from xmppfast.server.accounts import open_accounts
from xmppfast.storage.memory import MemoryStorage

ALICE = JID.parse(f"alice@{DOMAIN}")
BOB = JID.parse(f"bob@{DOMAIN}")


def test_accounts():
    async def work():
        storage = MemoryStorage()
        accounts = await open_accounts(storage, JID.parse(DOMAIN))
        assert len(accounts.secret) == 32
        assert (await open_accounts(storage, JID.parse(DOMAIN))).secret == accounts.secret
        assert await accounts.lookup("alice") is None
        assert await accounts.create(ALICE, "one")
        assert not await accounts.create(ALICE, "two")
        assert matches(b"one", await accounts.lookup("alice"))
        assert await accounts.set_password(ALICE, "two")
        assert matches(b"two", await accounts.lookup("alice"))
        assert not await accounts.set_password(BOB, "x")
        assert not await accounts.exists(BOB)
        with pytest.raises(ValueError, match="password"):
            await accounts.create(BOB, "")
        assert await accounts.create_many([(BOB, "x"), (ALICE, "x")]) == [True, False]
        assert await accounts.names() == [ALICE, BOB]
        assert await accounts.names(str(ALICE)) == [BOB]
        await storage.values("other").set(str(BOB), b"kept for bob")
        assert await accounts.remove(BOB)
        assert not await accounts.remove(BOB)
        assert await storage.values("other").get(str(BOB)) is None

    asyncio.run(work())


def test_sessions_of_a_removed_account_end():
    seen = []

    async def work():
        server = await new_server(lambda host: [Feature("x", (OnAccount(seen.append),))])
        alice = await Client(server).bound()
        await server.accounts.remove(ALICE)
        assert seen == [ALICE]
        assert not server.registry.accounts
        assert await alice.stream_error() == "not-authorized"

    run(work())
