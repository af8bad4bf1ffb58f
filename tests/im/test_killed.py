"""`kill -9` of a whole server: what it has taken is there afterwards, once and in order."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from contextlib import asynccontextmanager

from accounts import PASSWORD, cheap_accounts

from xmppfast import Client
from xmppfast.client import Address
from xmppfast.storage.sql import SqlStorage
from xmppfast.xep.ping import send_ping


@asynccontextmanager
async def serving(data):
    """A server in a process of its own, killed at the end."""
    pipe = asyncio.subprocess.PIPE
    arguments = ("serve", "--data", str(data), "--port", "0", "--tls-port", "0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "xmppfast", *arguments, stderr=pipe
    )
    try:
        port = None
        while port is None:
            message = json.loads(await process.stderr.readline())["message"]
            if message.startswith("listening on ") and message.endswith("(TLS)"):
                port = int(message.split(" port ")[1].split()[0])
        rest = asyncio.create_task(process.stderr.read())
        trusted = data / "self-signed.pem"
        yield process, Address("127.0.0.1", port, direct_tls=True, ca_file=trusted)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    await rest


def client(name, address):
    return Client(f"{name}@localhost", PASSWORD, address=address, reconnect=False)


def test_nothing_that_was_taken_is_lost(tmp_path):
    async def work():
        database = f"sqlite:///{tmp_path}/xmppfast.sqlite"
        storage = await SqlStorage.open(database)
        await cheap_accounts(storage, "localhost", "alice", "bob")
        await storage.close()
        taken = sent = 0
        async with serving(tmp_path) as (process, address), client("alice", address) as alice:
            for _ in range(random.randrange(1, 30)):
                for _ in range(random.randrange(1, 5)):
                    await alice.send_message("bob@localhost", str(sent))
                    sent += 1
                # Its answer says that the server is done with what was sent before.
                await send_ping(alice.host, alice.host.domain)
                taken = sent
            for _ in range(20):
                await alice.send_message("bob@localhost", str(sent))
                sent += 1
            await asyncio.sleep(random.random() / 20)
            process.kill()
            await process.wait()
        storage = await SqlStorage.open(database)
        kept = await storage.archive("offline").count("bob@localhost")
        await storage.close()
        assert taken <= kept <= sent
        found: list[int] = []
        async with serving(tmp_path) as (_, address), client("bob", address) as bob:
            async for message in bob.messages():
                assert message.delay is not None
                found.append(int(message.body))
                if len(found) == kept:
                    break
        assert found == list(range(kept)), "in order, each once"

    async def limited():
        async with asyncio.timeout(120):
            await work()

    asyncio.run(limited())
