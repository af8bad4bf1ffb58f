"""Extensions from a client's side, and one of our own on the server's."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from xmppfast import Client
from xmppfast.client import Address
from xmppfast.core.dispatch import Disco, Feature, Host, OnIq, Request, Target
from xmppfast.core.errors import StanzaError
from xmppfast.core.jid import JID
from xmppfast.core.stanza import element
from xmppfast.server.defaults import features
from xmppfast.server.server import Settings
from xmppfast.server.service import Certificate, Ports, Service
from xmppfast.storage.interface import Storage
from xmppfast.storage.sql import SqlStorage
from xmppfast.xep.blocking import block, get_blocked, unblock
from xmppfast.xep.disco import get_info, get_items
from xmppfast.xep.last_activity import get_last_activity
from xmppfast.xep.ping import send_ping
from xmppfast.xep.private_xml import get_private, set_private
from xmppfast.xep.vcard import get_vcard, set_vcard
from xmppfast.xep.version import get_version

VISITS = "urn:example:visits"


def visits(host: Host, storage: Storage) -> Feature:
    """A feature of our own: how often did somebody ask?"""
    counts = storage.values("visits")

    async def get(request: Request) -> ET.Element:
        asker = str(request.sender.bare)
        count = int(await counts.get(asker) or b"0") + 1
        await counts.set(asker, b"%d" % count)
        return element(f"{{{VISITS}}}visits", {"count": str(count)})

    return Feature(
        "visits",
        (
            OnIq(f"{{{VISITS}}}visits", Target.SERVER, get=get),
            Disco(Target.SERVER, features=(VISITS,)),
        ),
    )


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[Address]:
    """Run a server with that feature, and with an account; gives its address."""
    storage = await SqlStorage.open(f"sqlite:///{folder}/server.sqlite")
    usual = features(storage)
    service = Service(
        Settings(JID.parse("localhost")),
        Ports(port=None, tls_port=0),
        Certificate(folder=folder),
        storage,
        lambda host: [*usual(host), visits(host, storage)],
    )
    await service.start()
    await service.accounts.create(JID.parse("juliet@localhost"), "secret")
    try:
        ((host, port),) = service.addresses
        yield Address(host, port, direct_tls=True, ca_file=folder / "self-signed.pem")
    finally:
        await service.stop()


async def look_around(client: Client) -> None:
    """What a client can ask."""
    host, own, domain = client.host, client.jid.bare, client.host.domain
    await send_ping(host, domain)
    print("software:", (await get_version(host, domain)).name)
    info = await get_info(host, domain)
    print("server:", info.identities, VISITS in info.features, await get_items(host, domain))
    print("up for an hour:", (await get_last_activity(host, domain)).seconds > 3600)

    card = element("{vcard-temp}vCard", None, element("{vcard-temp}FN", None, "Juliet Capulet"))
    await set_vcard(host, own, card)
    found = await get_vcard(host, own)
    print("card:", found.findtext("{vcard-temp}FN") if found is not None else None)

    note = element("{urn:example:note}note", None, "balcony, at night")
    await set_private(host, own, note)
    print("note:", (await get_private(host, own, "{urn:example:note}note")).text)

    paris = JID.parse("paris@example.com")
    await block(host, own, paris)
    print("blocked:", *await get_blocked(host, own))
    try:
        await host.request(paris, "get", element("{urn:xmpp:ping}ping"))
    except StanzaError as error:
        print("to one that is blocked:", error.condition.value)
    await unblock(host, own)

    for _ in range(2):
        answer = await host.request(domain, "get", element(f"{{{VISITS}}}visits"))
        print("visits:", answer[0].get("count"))


async def main() -> None:
    """Run it all."""
    with tempfile.TemporaryDirectory(prefix="xmppfast-") as folder:
        async with (
            server(Path(folder)) as address,
            Client("juliet@localhost", "secret", address=address) as client,
        ):
            await look_around(client)


# The certificate is self-signed here, which the server would warn of.
logging.getLogger("xmppfast").setLevel(logging.ERROR)
asyncio.run(main())
