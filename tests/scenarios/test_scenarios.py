"""The scripts of this folder, in memory and over the network; see `tests/scenario.py`.

In memory, time is virtual and TLS is only claimed. Over the network, each script runs over TCP with
STARTTLS, and over direct TLS.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import scenario
from player import play_in_memory

SCRIPTS = [scenario.read(path) for path in sorted(Path(__file__).parent.glob("*.txt"))]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_in_memory(script):
    play_in_memory(script)


def test_there_are_scripts():
    assert SCRIPTS
