"""`xmppfast load` as a command, with a server in another process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from xmppfast.cli import main

_COUNT = 4


@pytest.fixture(scope="module")
def accounts(tmp_path_factory) -> Path:
    """A file with accounts."""
    path = tmp_path_factory.mktemp("load") / "accounts.csv"
    written = subprocess.run(
        [sys.executable, "-m", "xmppfast", "load", "accounts", str(_COUNT)],
        capture_output=True,
        check=True,
        timeout=180,
    )
    path.write_bytes(written.stdout)
    return path


@pytest.fixture(scope="module")
def server(accounts: Path) -> Iterator[tuple[str, str]]:
    """A server that has them: its process id and its port."""
    data = accounts.parent / "data"
    command = [sys.executable, "-m", "xmppfast"]
    subprocess.run(
        [*command, "user", "import", str(accounts), "--data", str(data)], check=True, timeout=180
    )
    serve = [*command, "serve", "--port", "0", "--tls-port", "0", "--allow-plaintext"]
    with subprocess.Popen([*serve, "--data", str(data)], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        port = next(
            found[1].decode()
            for line in process.stderr
            if (found := re.search(rb"listening on 127\.0\.0\.1 port (\d+)", line))
        )
        yield str(process.pid), port
        process.terminate()
        process.stderr.read()


def test_accounts_have_passwords_of_their_own(accounts):
    lines = [line.split(",") for line in accounts.read_text().splitlines()]
    assert [jid for jid, _ in lines] == [f"user{number}@localhost" for number in range(_COUNT)]
    assert len({password for _, password in lines}) == _COUNT


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_throughput_over_plain_tcp(server, accounts, capsys, loop):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    pid, port = server
    code = main(
        ["load", "throughput", "--accounts", str(accounts), "--port", port, "--allow-plaintext",
         "--pairs", "2", "--window", "3", "--seconds", "0.3", "--warmup", "0", "--pid", pid,
         "--loop", loop, "--json"]
    )  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert found["clean"]
    assert found["figures"]["server_cpu_us_per_message"] > 0


def test_messages_over_tls_with_scram_and_roster(server, accounts, capsys):
    pid, port = server
    code = main(
        ["load", "rate", "--accounts", str(accounts), "--port", port, "--no-verify", "--rate",
         "100", "--seconds", "0.3", "--warmup", "0", "--pid", pid, "--mechanism", "SCRAM-SHA-256",
         "--roster"]
    )  # fmt: skip
    assert code == 0
    assert "latency us: p50" in capsys.readouterr().out


def test_a_plot(server, accounts, tmp_path):
    pytest.importorskip("matplotlib")
    plot = tmp_path / "plot.svg"
    code = main(
        ["load", "throughput", "--accounts", str(accounts), "--port", server[1], "--seconds", "1.5",
         "--allow-plaintext", "--warmup", "0", "--plot", str(plot)]
    )  # fmt: skip
    assert code == 0
    assert "delivered per second" in plot.read_text()


def test_a_server_that_is_not_there(accounts, unused_port, capsys):
    code = main(["load", "throughput", "--accounts", str(accounts), "--port", str(unused_port)])
    assert code == 2
    assert "logins failed" in capsys.readouterr().err


@pytest.fixture
def unused_port() -> int:
    """A port where nobody listens."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pairs", "9"], "18 accounts are needed, 4 are given"),
        (["--plot", "x.svg"], "xmppfast[bench]"),
    ],
)
def test_what_can_not_be_run(accounts, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr("xmppfast.cli.load.util.find_spec", lambda name: None)
    assert main(["load", "throughput", "--accounts", str(accounts), *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_numbers_must_be_numbers(accounts, value, capsys):
    with pytest.raises(SystemExit):
        main(["load", "rate", "--accounts", str(accounts), "--rate", value])
    assert "must be a number above 0" in capsys.readouterr().err
