"""The scripts themselves, checked: Prosody does what they say, too.

Where it does something else, `DIFFERENT` tells why the script says what it says.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import scenario
from others import PASSWORD
from player import Player
from prosody import prosody
from wires import StreamWire

FOLDER = Path(__file__).parents[1] / "scenarios"

SAME = (
    "directed-presence",
    "messages-to-accounts",
    "messages-to-full-addresses",
    "roster",
)

DIFFERENT = {
    "subscription": "a contact that was just approved is first told that the other is unavailable,"
    " then that its resource is available; RFC 6121 section 3.1.5 has the latter only",
    "conflict": "SASL is PLAIN with the password of our own accounts",
    "authentication": "as above",
    "login": "as above",
    "waiting-for-nothing": "needs virtual time",
}


def test_every_script_is_run_or_explained():
    assert {path.stem for path in FOLDER.glob("*.txt")} == {*SAME, *DIFFERENT}


@pytest.mark.parametrize("name", SAME)
def test_prosody(name, tmp_path):
    script = scenario.read(FOLDER / f"{name}.txt")

    async def work(port):
        player = Player(script, lambda: StreamWire.open(port), "localhost", PASSWORD)
        try:
            await player.play()
        finally:
            for wire in player.wires.values():
                wire.break_off()
            await asyncio.sleep(0)

    # It would add the hash of an avatar to presence.
    with prosody(tmp_path, without="vcard_legacy") as server:
        asyncio.run(work(server.port))
