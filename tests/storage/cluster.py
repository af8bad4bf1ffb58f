"""A private PostgreSQL cluster on a free loopback port, removed with the tests that use it."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Whoever may run a server: it refuses to run as root.
_UNPRIVILEGED = ("postgres", "nobody")


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, the newest there is; None if it isn't installed."""
    found = shutil.which("initdb")
    if found and (Path(found).resolve().parent / "postgres").exists():
        return Path(found).resolve().parent
    # Debian keeps them out of the path.
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    versions = sorted(installed, key=lambda path: int(re.sub(r"\D", "", path.parts[4]) or 0))
    return versions[-1].parent if versions else None


def _user() -> str | None:
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in names)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(command: list[str | Path], user: str | None) -> bool:
    done = subprocess.run(
        command,
        user=user,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    return done.returncode == 0


@contextmanager
def cluster(bin: Path) -> Iterator[str]:
    """Run a cluster; yields the URL of its maintenance database."""
    user = _user()
    with tempfile.TemporaryDirectory(prefix="xmppfast-postgresql-") as scratch:
        folder = Path(scratch)
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        initdb = [bin / "initdb", "--auth=trust", "--username=tester", "--encoding=UTF8"]
        assert _run([*initdb, "--locale=C.UTF-8", "--no-sync", "-D", data], user), "initdb failed"
        control: list[str | Path] = [bin / "pg_ctl", "-D", data, "-w", "-s", "-t", "60"]
        control += ["-l", folder / "log"]
        # Another program can take the port between the look and the start.
        for _ in range(5):
            port = _free_port()
            options = f"-h 127.0.0.1 -p {port} -k {folder}"
            if _run([*control, "-o", options, "start"], user):
                break
        else:
            raise AssertionError((folder / "log").read_text())
        try:
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"], user)
