"""Compare servers on this machine: `python -m bench.servers`; see README.md beside this file."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xmppfast
from bench import machine
from bench.corpus import OUT
from bench.servers import cases, floor, report
from bench.servers.bars import OURS
from bench.servers.cases import Found
from bench.servers.subjects import ASYNCIO, SERVERS, Running, ServerMissingError, running

_NAMES = [floor.NAME, *SERVERS]
_PASSWORD = "password"


def main() -> int:
    """Run from the command line; returns the exit code."""
    options = _options()
    chosen = [name for name in _NAMES if not options.only or name in options.only]
    found: Found = {}
    skipped: dict[str, str] = {}
    # However it ends, servers are stopped, and what was found is written.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
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
    finally:
        if found:
            _write(options, found, skipped)
    return 0


def _write(options: argparse.Namespace, found: Found, skipped: dict[str, str]) -> None:
    facts = {
        **machine.facts(sys.modules["xmppfast.xml"], xmppfast.backend, options.server_core),
        "command": f"python -m bench.servers {shlex.join(sys.argv[1:])}".rstrip(),
    }
    result = report.result(facts, found, [f"{name}: {why}" for name, why in skipped.items()])
    for path in report.write(result, options.out / "servers"):
        print(f"wrote {path}")
    print(report.markdown(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.servers", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=_NAMES)
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run (default: 5)")
    parser.add_argument("--idle", type=int, default=1000, help="idle sessions (default: 1000)")
    parser.add_argument("--contacts", type=int, default=1000, help="of presence (default: 1000)")
    parser.add_argument(
        "--sustained", type=float, default=60.0, metavar="S",
        help="seconds of 20,000 messages per second (default: 60)",
    )  # fmt: skip
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
    count = max(400, options.idle, options.contacts + 1)
    accounts = [(f"user{number}", _PASSWORD) for number in range(count)]
    lines = "".join(f"{user}@localhost,{password}\n" for user, password in accounts)
    (folder / "accounts.csv").write_text(lines)
    with running(SERVERS[name], folder, accounts, options.server_core) as server:
        yield server


def _server(name: str, options: argparse.Namespace, found: Found) -> None:
    """Start one server, measure it, stop it; once more for what needs a fresh one."""
    with _started(name, options) as (server, folder):
        if name == floor.NAME:
            cases.of_floor(server, options, found)
        elif name == ASYNCIO:
            cases.of_another_loop(name, server, folder, options, found)
        else:
            cases.of_server(name, server, folder, options, found)
            if name == OURS:
                cases.of_ours(name, server, folder, options, found)
    if name not in (floor.NAME, ASYNCIO):
        with _started(name, options) as (server, folder):
            cases.of_secured_sessions(name, server, folder, options, found)


@contextmanager
def _started(name: str, options: argparse.Namespace) -> Iterator[tuple[Running, Path]]:
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        with _running(name, folder, options) as server:
            yield server, folder


if __name__ == "__main__":
    sys.exit(main())
