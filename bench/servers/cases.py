"""What is measured of each server, with `xmppfast load`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.servers import floor
from bench.servers.subjects import Running

Found = dict[tuple[str, str, str], list[float]]
"""Values by what was measured, of which server, in which case."""

# Pairs and messages of each on the way.
TRAFFIC = {"1x1": (1, 1), "10x10": (10, 10), "200x1": (200, 1), "200x10": (200, 10)}
# How to log in. With PLAIN the server hashes the password, with SCRAM the client does.
MECHANISMS = ("PLAIN", "SCRAM-SHA-256")
_WARMUP = 1.0
_PATIENCE = 600

_Load = Callable[..., dict[str, Any]]


def of_floor(server: Running, options: argparse.Namespace, found: Found) -> None:
    """Messages through the byte relay."""
    for case, (pairs, window) in TRAFFIC.items():
        words = (server.port, pairs, window, options.seconds, server.pid, options.load_core)
        command = [sys.executable, "-m", "bench.servers.floor", *map(str, words)]
        _traffic(found, floor.NAME, case, _json(command)["figures"])


def of_server(
    name: str, server: Running, folder: Path, options: argparse.Namespace, found: Found
) -> None:
    """What is measured of every server."""
    load = partial(_load, server, folder, options)
    # First, since memory is compared with that of a server that had no session yet.
    _idle(load, name, "idle session", options, found)
    for case, (pairs, window) in TRAFFIC.items():
        _traffic(found, name, case, _throughput(load, options, pairs, window))
    _open_loop(load, name, 2_000, options.seconds, found)
    for mechanism in MECHANISMS:
        login = load("logins", "--sessions", 400, "--roster", mechanism=mechanism)["figures"]
        _add(found, "logins", name, mechanism, login["server_cpu_us_per_login"])


def of_secured_sessions(
    name: str, server: Running, folder: Path, options: argparse.Namespace, found: Found
) -> None:
    """Memory with TLS, of a server that had no session yet."""
    load = partial(_load, server, folder, options, secure=True)
    _idle(load, name, "with TLS", options, found)


def of_another_loop(
    name: str, server: Running, folder: Path, options: argparse.Namespace, found: Found
) -> None:
    """Messages, to compare event loops."""
    load = partial(_load, server, folder, options)
    for case, (pairs, window) in TRAFFIC.items():
        _traffic(found, name, case, _throughput(load, options, pairs, window))


def of_ours(
    name: str, server: Running, folder: Path, options: argparse.Namespace, found: Found
) -> None:
    """What the project asks only of itself."""
    load = partial(_load, server, folder, options)
    pairs, window = TRAFFIC["10x10"]
    # Over TLS, the load gathers what it writes in a turn: so it does without, to compare.
    for case, secure in (("plain, gathered", False), ("TLS 1.3, gathered", True)):
        figures = _throughput(load, options, pairs, window, "--together", secure=secure)
        _add(found, "security", name, case, figures["server_cpu_us_per_message"])
    copies = load(
        "presence", "--contacts", options.contacts, "--seconds", options.seconds
    )["figures"]  # fmt: skip
    case = f"presence to {options.contacts:,}"
    _add(found, "copies", name, case, copies["server_cpu_us_per_copy"])
    _open_loop(load, name, 20_000, options.sustained, found)


def _idle(load: _Load, name: str, case: str, options: argparse.Namespace, found: Found) -> None:
    figures = load("idle", "--sessions", options.idle, "--seconds", 1)["figures"]
    _add(found, "memory", name, case, figures["server_bytes_per_session"] / 1024)


def _open_loop(load: _Load, name: str, rate: int, seconds: float, found: Found) -> None:
    report = load(
        "rate", "--pairs", 50, "--rate", rate, "--seconds", seconds, "--warmup", _WARMUP
    )
    case = f"{rate:,}/s"
    _add(found, "latency", name, case, report["figures"]["latency_us"]["p99"])
    _add(found, "own delay", name, case, report["figures"]["own_delay_us"]["p99"])
    resident = [bytes for *_, bytes in report["series"]]
    _add(found, "growth", name, case, (resident[-1] - resident[0]) / 2**20)


def _throughput(
    load: _Load, options: argparse.Namespace, pairs: int, window: int, *words: str, **how: bool
) -> dict[str, Any]:
    numbers = ("--pairs", pairs, "--window", window, "--seconds", options.seconds)
    figures: dict[str, Any] = load("throughput", *numbers, "--warmup", _WARMUP, *words, **how)[
        "figures"
    ]
    return figures


def _load(
    server: Running,
    folder: Path,
    options: argparse.Namespace,
    kind: str,
    *words: object,
    secure: bool = False,
    mechanism: str = "PLAIN",
) -> dict[str, Any]:
    common = (
        "--accounts", folder / "accounts.csv", "--port", server.port, "--pid", server.pid,
        "--cpu", options.load_core, "--mechanism", mechanism, "--json",
        "--no-verify" if secure else "--allow-plaintext",
    )  # fmt: skip
    command = [sys.executable, "-m", "xmppfast", "load", kind, *map(str, (*common, *words))]
    return _json(command)


def _traffic(found: Found, name: str, case: str, figures: dict[str, Any]) -> None:
    _add(found, "messages", name, case, figures["server_cpu_us_per_message"])
    _add(found, "rates", name, case, figures["messages_per_second"])
    _add(found, "others", name, case, 100 * figures["other_cpu_s"] / figures["seconds"])


def _add(found: Found, what: str, name: str, case: str, value: float) -> None:
    found.setdefault((what, name, case), []).append(value)


def _json(command: list[str]) -> dict[str, Any]:
    """Run a load; its report. RuntimeError if anything was lost or went wrong."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report
