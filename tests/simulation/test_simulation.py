"""Random lives of clients; `world` tells the invariants.

A failing seed is replayed with XMPPFAST_SEED=... pytest tests/simulation; XMPPFAST_SEEDS is how
many are tried.
"""

from __future__ import annotations

import os

import pytest
from virtual import run
from world import World

ONE = os.environ.get("XMPPFAST_SEED")
SEEDS = [int(ONE)] if ONE else range(int(os.environ.get("XMPPFAST_SEEDS", "20")))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_world(seed, caplog):
    run(World(seed).run())
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
