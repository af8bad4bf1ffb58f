"""The comparison of servers: the floor under them, ours as it is started there, the report."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys

import pytest
from implementations import CI

from bench.servers import bars, floor, report
from bench.servers.subjects import SERVERS, ServerMissingError, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="servers are kept to a processor")


def core():
    """A processor we may use."""
    return min(os.sched_getaffinity(0))


def test_the_floor_loses_nothing(tmp_path):
    if shutil.which("cc") is None:
        (pytest.fail if CI else pytest.skip)("no C compiler")
    with floor.relay(tmp_path, core()) as relay:
        found = json.loads(asyncio.run(floor.measure(relay.port, 3, 4, 0.3, relay.pid)))
    assert found["clean"]
    assert found["figures"]["messages"] > 0
    assert found["figures"]["server_cpu_us_per_message"] > 0


@pytest.mark.parametrize("name", SERVERS)
def test_each_server_starts_with_its_accounts(name, tmp_path, capsys):
    from xmppfast.cli import main

    accounts = [(f"user{number}", "pass") for number in range(2)]
    listed = tmp_path / "accounts.csv"
    listed.write_text("".join(f"{user}@localhost,{word}\n" for user, word in accounts))
    folder = tmp_path / "server"
    folder.mkdir()
    try:
        with running(SERVERS[name], folder, accounts, core()) as server:
            code = main(
                ["load", "throughput", "--accounts", str(listed), "--port", str(server.port),
                 "--allow-plaintext", "--mechanism", "PLAIN", "--seconds", "0.2", "--warmup", "0",
                 "--pid", str(server.pid), "--json"]
            )  # fmt: skip
    except ServerMissingError as missing:
        (pytest.fail if CI else pytest.skip)(str(missing))
    assert code == 0
    assert json.loads(capsys.readouterr().out)["figures"]["messages"] > 0


def test_a_report(tmp_path):
    pytest.importorskip("matplotlib")
    found = {
        ("messages", floor.NAME, "1x1"): [10.0, 20.0, 10.0],
        ("messages", "xmppfast", "1x1"): [15.0, 30.0, 16.0],
        ("rates", "xmppfast", "1x1"): [1000.0, 1000.0, 1000.0],
        ("memory", "xmppfast", "idle session"): [4.0],
    }
    facts = {"processor": "some", "command": "this"}
    result = report.result(facts, found, ["Prosody: not installed"])
    assert result.find("times", "xmppfast", "1x1").value == 1.5
    written = report.write(result, tmp_path / "servers")
    assert [path.suffix for path in written] == [".json", ".md", ".svg", ".png"]
    text = (tmp_path / "servers.md").read_text()
    assert "| xmppfast | 1.50 |" in text
    assert "not measured: Prosody: not installed" in text
    assert "CPU per message, 1x1: times the byte relay's | 1.50 | 1.60 | met |" in text
    block = report.put_block(
        "a <!-- servers:begin -->old<!-- servers:end --> b",
        report.readme_block(result, "servers.svg"),
    )
    assert "2 of 2 bars are met" in block
    assert "old" not in block
    assert block.startswith("a ")
    assert block.endswith(" b")
    with pytest.raises(ValueError, match="servers:begin"):
        report.put_block("no marks", "")


def test_a_bar_that_is_missed_is_named():
    found = {
        ("messages", "xmppfast", "1x1"): [15.0],
        ("messages", "ejabberd, lean", "1x1"): [30.0],
        ("latency", "xmppfast", "2,000/s"): [100.0],
        ("latency", "ejabberd, lean", "2,000/s"): [200.0],
    }
    result = report.result({"processor": "some", "command": "this"}, found, [])
    assert [(bar.value, bar.met) for bar in bars.bars(result)] == [(0.5, False), (0.5, True)]
    block = report.readme_block(result, "servers.svg")
    assert "missed: CPU per message, 1x1: times that of ejabberd, lean." in block
