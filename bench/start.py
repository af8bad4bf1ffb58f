"""How long `import xmppfast` takes in a fresh process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from bench.figures import Figure
from bench.timing import Spread

_CHILD = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def milliseconds(modules: str, rounds: int, interpreter: str, **environment: str) -> list[float]:
    """Wall time of an import statement in new processes, the interpreter's own start left out."""
    command = [interpreter, "-c", _CHILD.format(modules)]
    return [
        float(
            subprocess.check_output(
                command, env={**os.environ, **environment}, text=True, stderr=subprocess.DEVNULL
            )
        )
        * 1000
        for _ in range(rounds + 1)
    ][1:]  # the first one may compile bytecode


def measure(backend: str, rounds: int) -> Iterator[Figure]:
    """What `import xmppfast` takes."""
    places = os.pathsep.join(filter(None, sys.path))
    took = milliseconds(
        "xmppfast", rounds, sys.executable, XMPPFAST_BACKEND=backend, PYTHONPATH=places
    )
    spread = Spread.of(took)
    yield Figure(
        "start", "import", "xmppfast", spread.median, spread.low, spread.high, "ms", "",
        f"{rounds} processes", rounds,
    )  # fmt: skip
