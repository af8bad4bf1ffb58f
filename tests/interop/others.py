"""Servers that others wrote, each with a private configuration on free loopback ports.

One that isn't installed has its tests skipped by name; under CI=true they fail.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pytest
from implementations import CI

PASSWORD = "Geheim\u00e9\u6f22"
ACCOUNTS = ("alice", "bob")


@dataclass(frozen=True)
class Other:
    """A server of somebody else's, with the accounts `ACCOUNTS` at localhost."""

    name: str
    port: int
    tls_port: int
    ca_file: Path


def program(name: str) -> str:
    """Where that program is; without it, the test is skipped, in CI it fails."""
    # Debian keeps servers in folders that are not in everybody's PATH.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        message = f"{name} is not installed"
        if CI:
            pytest.fail(message)
        pytest.skip(message)
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def running(
    command: list[str],
    port: int,
    log: Path,
    env: dict[str, str] | None = None,
    ready: Path | None = None,
) -> Iterator[None]:
    """Run a server in the foreground; it listens, and `ready` exists. End it afterwards."""
    with log.open("w") as output:
        process = _start(command, output, env)
        try:
            _wait(process, port, log, ready)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(
    command: list[str], output: TextIO, env: dict[str, str] | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=Path(output.name).parent,
        env=env,
    )


def _wait(process: subprocess.Popen[bytes], port: int, log: Path, ready: Path | None) -> None:
    for _ in range(3600):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            if ready is None or ready.exists():
                return
            time.sleep(0.05)
    pytest.fail(f"{process.args} does not listen: {log.read_text()}")
