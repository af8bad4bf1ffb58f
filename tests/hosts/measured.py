"""Runs splits.py and strictness.py in the hosts' environments, for the tests and the pages."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from environments import FOLDER, python_of
from projects import HERE, environments
from receivers import ENVIRONMENTS


def interpreter(receiver: str) -> Path:
    """Of the environment in which the receiver's host is."""
    return python_of(environments()[ENVIRONMENTS[receiver]], FOLDER)


def measure(script: str, receiver: str, *arguments: object, timeout: float = 300) -> Any:
    """What the script prints about a receiver. RuntimeError with what it said if it fails."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run(
        [str(interpreter(receiver)), str(HERE / script), receiver, *map(str, arguments)],
        cwd=HERE,
        env={**clean, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{script} {receiver}: {done.stderr[-3000:]}")
    return json.loads(done.stdout)
