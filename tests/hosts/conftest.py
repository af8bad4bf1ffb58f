"""Where the hosts are: environments that `make test-hosts` makes."""

from __future__ import annotations

import os

import pytest
from measured import interpreter
from receivers import RECEIVERS


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest) -> str:
    """Each host in turn, where its environment is."""
    name: str = request.param
    if not interpreter(name).exists():
        message = f"{name}: no environment; `make test-hosts` makes it"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return name
