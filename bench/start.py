"""How long `import xmppfast` takes in a fresh process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from bench.figures import Figure
from bench.timing import Spread

_CHILD = (
    "import time; start = time.perf_counter(); import xmppfast; print(time.perf_counter() - start)"
)


def measure(backend: str, rounds: int) -> Iterator[Figure]:
    """Wall time of the import statement, the interpreter's own start left out."""
    environment = {**os.environ, "XMPPFAST_BACKEND": backend}
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", _CHILD]
    took = [
        float(subprocess.check_output(command, env=environment, text=True)) * 1000
        for _ in range(rounds + 1)
    ][1:]  # the first one may compile bytecode
    spread = Spread.of(took)
    yield Figure(
        "start", "import", "xmppfast", spread.median, spread.low, spread.high, "ms", "",
        f"{rounds} processes", rounds,
    )  # fmt: skip
