"""Scenarios in tests: what clients send to a server in memory, and what they must receive."""

from __future__ import annotations

import asyncio
import re
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
import scenario
from player import DOMAIN, play_in_memory

from xmppfast.core.jid import JID
from xmppfast.im.outcomes import settle
from xmppfast.im.rosters import Item, Rosters
from xmppfast.im.subscription import From, State, To
from xmppfast.storage.interface import Storage
from xmppfast.storage.memory import MemoryStorage

STATES = {
    "none": State(),
    "to": State(To.SUBSCRIBED),
    "from": State(To.NONE, From.SUBSCRIBED),
    "both": State(To.SUBSCRIBED, From.SUBSCRIBED),
}
MIRRORED = {"none": "none", "to": "from", "from": "to", "both": "both"}

Play = Callable[..., None]


async def exists(account: JID) -> bool:
    """Every account does."""
    return True


async def subscribe(storage: Storage, *relations: str) -> None:
    """Have contacts in the rosters of both sides: "alice both bob", "alice to carol"."""
    rosters = Rosters(storage, exists)
    for relation in relations:
        one, subscription, other = relation.split()
        for owner, value, contact in (
            (one, subscription, other),
            (other, MIRRORED[subscription], one),
        ):
            roster = await rosters.load(JID.parse(f"{owner}@{DOMAIN}"))
            assert roster is not None
            jid = JID.parse(f"{contact}@{DOMAIN}")
            await settle(roster.put(Item(jid, state=STATES[value], listed=True)).saved)


# What these scenarios have on every other line.
SHORT = (
    (r"<roster (.*?)/>", r"<iq type='get' \1><query xmlns='jabber:iq:roster'/></iq>"),
    (
        r"<set (.*?)>(.*?)</set>",
        r"<iq type='set' \1><query xmlns='jabber:iq:roster'>\2</query></iq>",
    ),
    (r"<push>(.*?)</push>", r"<iq type='set'><query xmlns='jabber:iq:roster'>\1</query></iq>"),
    (
        r"<contents( id='\w+')?(.*?)>(.*?)</contents>",
        r"<iq type='result'\1><query xmlns='jabber:iq:roster'\2>\3</query></iq>",
    ),
    (
        r"<(message|presence|iq) refused='([a-z-]+)'([^>]*?)/>",
        r"<\1 type='error'\3><error>"
        r"<\2 xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></\1>",
    ),
)


def written_out(text: str) -> str:
    """The scenario with `SHORT` forms in full."""
    for short, long in SHORT:
        text = re.sub(short, long, text, flags=re.DOTALL)
    return text


@pytest.fixture
def storage() -> MemoryStorage:
    """What the server of `play` keeps."""
    return MemoryStorage()


@pytest.fixture(params=[1, 3], ids=["one-worker", "three-workers"])
def play(request: pytest.FixtureRequest, storage: MemoryStorage) -> Play:
    """Play a scenario, with these relations to begin with; again with the same storage.

    Options are those of `play_in_memory` and of `xmppfast.server.defaults.features`.
    """
    return _play(request, storage, request.param)


@pytest.fixture
def play_alone(request: pytest.FixtureRequest, storage: MemoryStorage) -> Play:
    """`play` with one worker: several tell some things twice, see docs/cluster.md."""
    return _play(request, storage, 1)


def _play(request: pytest.FixtureRequest, storage: MemoryStorage, workers: int) -> Play:
    def play(text: str, *relations: str, **options: Any) -> None:
        asyncio.run(subscribe(storage, *relations))
        script = scenario.read_text(written_out(textwrap.dedent(text)), request.node.name)
        play_in_memory(script, storage, workers=workers, **options)

    return play
