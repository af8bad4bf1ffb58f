"""Compare servers on this machine: `python -m bench.servers`; see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xmppfast
from bench import machine
from bench.corpus import OUT
from bench.servers import floor, report
from bench.servers.subjects import SERVERS, Running, ServerMissingError, running

# Pairs and messages of each on the way.
TRAFFIC = {"1x1": (1, 1), "10x10": (10, 10), "200x1": (200, 1), "200x10": (200, 10)}
_PASSWORD = "password"

Found = dict[tuple[str, str, str], list[float]]
"""Values by what was measured, of which server, in which case."""


def main() -> int:
    """Run from the command line; returns the exit code."""
    options = _options()
    names = [floor.NAME, *SERVERS]
    chosen = [name for name in names if not options.only or name in options.only]
    found: Found = {}
    skipped: dict[str, str] = {}
    for turn in range(options.rounds):
        for name in chosen:
            if name in skipped:
                continue
            print(f"[{turn + 1}/{options.rounds}] {name}", file=sys.stderr, flush=True)
            try:
                _server(name, options, found)
            except ServerMissingError as missing:
                if os.environ.get("CI") == "true":
                    raise
                skipped[name] = str(missing)
    facts = {
        **machine.facts(sys.modules["xmppfast.xml"], xmppfast.backend, options.server_core),
        "command": "python -m bench.servers",
    }
    result = report.result(facts, found, [f"{name}: {why}" for name, why in skipped.items()])
    for path in report.write(result, options.out / "servers"):
        print(f"wrote {path}")
    print(report.markdown(result))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.servers", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[floor.NAME, *SERVERS])
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run (default: 5)")
    parser.add_argument("--idle", type=int, default=1000, help="idle sessions (default: 1000)")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT / "servers", metavar="DIR")
    return parser.parse_args()


@contextmanager
def _running(name: str, folder: Path, options: argparse.Namespace) -> Iterator[Running]:
    if name == floor.NAME:
        with floor.relay(folder, options.server_core) as server:
            yield server
        return
    count = max(400, options.idle)
    accounts = [(f"user{number}", _PASSWORD) for number in range(count)]
    lines = "".join(f"{user}@localhost,{password}\n" for user, password in accounts)
    (folder / "accounts.csv").write_text(lines)
    with running(SERVERS[name], folder, accounts, options.server_core) as server:
        yield server


def _server(name: str, options: argparse.Namespace, found: Found) -> None:
    """Start one server, measure it, stop it."""
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        with _running(name, folder, options) as server:
            if name == floor.NAME:
                _floor(server, options, found)
            else:
                _cases(name, server, folder, options, found)


def _floor(server: Running, options: argparse.Namespace, found: Found) -> None:
    for case, (pairs, window) in TRAFFIC.items():
        words = (server.port, pairs, window, options.seconds, server.pid, options.load_core)
        command = [sys.executable, "-m", "bench.servers.floor", *map(str, words)]
        _traffic(found, floor.NAME, case, _json(command))


def _cases(
    name: str, server: Running, folder: Path, options: argparse.Namespace, found: Found
) -> None:
    def load(kind: str, *words: object) -> dict[str, Any]:
        common = (
            "--accounts", folder / "accounts.csv", "--port", server.port, "--allow-plaintext",
            "--mechanism", "PLAIN", "--pid", server.pid, "--cpu", options.load_core, "--json",
        )  # fmt: skip
        command = [sys.executable, "-m", "xmppfast", "load", kind, *map(str, (*common, *words))]
        return _json(command)

    # First, since memory is compared with that of a server that had no session yet.
    idle = load("idle", "--sessions", options.idle, "--seconds", 1)
    _add(found, "memory", name, "idle session", idle["server_bytes_per_session"] / 1024)
    for case, (pairs, window) in TRAFFIC.items():
        words = ("--pairs", pairs, "--window", window, "--seconds", options.seconds)
        _traffic(found, name, case, load("throughput", *words))
    login = load("logins", "--sessions", 200, "--roster")
    _add(found, "logins", name, "PLAIN", login["server_cpu_us_per_login"])


def _traffic(found: Found, name: str, case: str, figures: dict[str, Any]) -> None:
    _add(found, "messages", name, case, figures["server_cpu_us_per_message"])
    _add(found, "rates", name, case, figures["messages_per_second"])


def _add(found: Found, what: str, name: str, case: str, value: float) -> None:
    found.setdefault((what, name, case), []).append(value)


def _json(command: list[str]) -> dict[str, Any]:
    """Run a load; its figures. RuntimeError if anything was lost or went wrong."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    figures: dict[str, Any] = json.loads(done.stdout)["figures"]
    return figures


if __name__ == "__main__":
    sys.exit(main())
