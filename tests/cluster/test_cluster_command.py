"""What `xmppfast serve` says of several workers that can't be."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from implementations import CI

from xmppfast.cli import main, private_bus

pytestmark = pytest.mark.skipif(
    find_spec("redis") is None and not CI, reason="the package redis is not installed"
)

PORTS = ("--port", "0", "--tls-port", "0")


def test_several_workers_need_a_bus(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(private_bus, "program", lambda: None)
    assert main(["serve", "--workers", "2", "--data", str(tmp_path), *PORTS]) == 2
    assert (
        "install valkey-server or redis-server, or name one with --bus" in capsys.readouterr().err
    )


def test_a_bus_that_is_not_there(tmp_path, capsys):
    url = f"unix://{tmp_path}/nothing"
    assert main(["serve", "--bus", url, "--data", str(tmp_path), *PORTS]) == 1
    assert "xmppfast: the bus can't be reached" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "1025", "two"])
def test_a_number_of_workers(number, capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--workers", number])
    assert "must be 1 to 1024" in capsys.readouterr().err
