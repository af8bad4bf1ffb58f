"""An environment with the libraries to compare with, apart from the one at work."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from bench.subjects import TABLE


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
        command = [str(interpreter), "-m", "pip", "install", "--quiet", library]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            words = done.stderr.strip().splitlines() or ["pip failed"]
            failed.append(f"{library} could not be installed: {words[-1]}")
    if len(failed) == len(libraries()):
        raise InstallError("; ".join(failed))
    return str(interpreter), failed
