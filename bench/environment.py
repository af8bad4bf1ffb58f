"""An environment with the libraries to compare with, apart from the one at work."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from bench.subjects import TABLE

# What a library imports and doesn't ask for.
_UNDECLARED = {"aioxmpp": ("pytz",)}


class InstallError(RuntimeError):
    """The environment could not be made; says why."""


def libraries() -> list[str]:
    """Distributions that subjects need."""
    return sorted({entry.library for entry in TABLE.values() if entry.library})


def install(folder: Path) -> tuple[str, list[str]]:
    """Make the environment; returns its Python, and a line for each library that failed.

    xmppfast isn't installed there: the subjects' processes are told where the one at work is. One
    library may rule out another's newest version, or need what this machine hasn't, so each is
    installed by itself.
    """
    try:
        venv.EnvBuilder(with_pip=True, clear=False).create(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstallError(f"no environment in {folder}: {error}") from None
    interpreter = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    failed = []
    for library in libraries():
        command = [
            str(interpreter),
            "-m",
            "pip",
            "install",
            "--quiet",
            library,
            *_UNDECLARED.get(library, ()),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
            why = lines[0] if lines else "pip failed"
            failed.append(f"{library} could not be installed: {why}")
    if len(failed) == len(libraries()):
        raise InstallError("; ".join(failed))
    return str(interpreter), failed
