"""Runs targets of the Makefile, some at a time, and says in the end what came of each.

    parts.py LANES TARGET... [-- MAKE-ARGUMENT...]

Each target's output is shown in one piece when it has ended, and once a minute which ones are at
work. The end is a table with the time that each took, and the last lines of those that failed; so
it is if this is told to end before. The exit status is 1 unless all of them passed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LIMIT = 2400  # seconds, for one target: it hangs
LAST_LINES = 60


@dataclass
class Part:
    """A target: since when and how long it runs, what it says, and what came of it."""

    target: str
    log: Path
    outcome: str = "not begun"
    began: float = 0.0
    seconds: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def begin(self, arguments: list[str]) -> None:
        """Run it, in a group of processes of its own."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["make", "--no-print-directory", self.target, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.began = time.monotonic()
        self.outcome = "running"

    def ended(self) -> bool:
        """Whether it has ended; after too long a time it is made to."""
        assert self.process is not None
        self.seconds = time.monotonic() - self.began
        status = self.process.poll()
        if status is None and self.seconds < LIMIT:
            return False
        if status is None:
            self.end(f"not done after {LIMIT} s")
        else:
            self.outcome = "passed" if status == 0 else f"FAILED with status {status}"
        return True

    def end(self, why: str) -> None:
        """End it with everything it has started."""
        assert self.process is not None
        self.outcome = why
        with suppress(ProcessLookupError):  # it was faster
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def output(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def say(text: str) -> None:
    """Print a line at once, whatever standard output can write."""
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def run(parts: list[Part], lanes: int, arguments: list[str]) -> None:
    """Run all of them, in this order, so many at a time."""
    waiting, running = deque(parts), list[Part]()
    try:
        told = time.monotonic()
        while waiting or running:
            while waiting and len(running) < lanes:
                running.append(waiting.popleft())
                running[-1].begin(arguments)
            for part in [part for part in running if part.ended()]:
                running.remove(part)
                say(f"\n== {part.target}\n{part.output()}== {part.target}: {result(part)}")
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                say("running: " + ", ".join(f"{p.target} ({p.seconds:.0f} s)" for p in running))
            time.sleep(0.1)
    finally:
        for part in running:
            part.end("FAILED: ended before it was done")


def result(part: Part) -> str:
    """What came of it, and when."""
    return f"{part.outcome}, {part.seconds:.0f} s"


def report(parts: list[Part], seconds: float) -> bool:
    """Print how every part ended; whether all is well."""
    failed = [part for part in parts if part.outcome != "passed"]
    for part in failed:
        if part.outcome != "not begun":
            last = part.output().splitlines()[-LAST_LINES:]
            say("\n".join([f"\n== the last lines of {part.target}", *last]))
    width = max(len(part.target) for part in parts)
    say("")
    for part in parts:
        say(f"{part.target:{width}}  {part.seconds:5.0f} s  {part.outcome}")
    say(f"{'all of it':{width}}  {seconds:5.0f} s  {'FAILED' if failed else 'passed'}")
    return not failed


def main() -> None:
    """Run what the command line says."""
    words = sys.argv[1:]
    separator = words.index("--") if "--" in words else len(words)
    lanes, *targets = words[:separator]
    began = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    # A shell that runs this in the background ignores it, and so would all programs started here,
    # of which some are to be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as scratch:
        parts = [Part(target, Path(scratch) / target) for target in targets]
        try:
            run(parts, int(lanes), words[separator + 1 :])
        finally:
            fine = report(parts, time.monotonic() - began)
    sys.exit(not fine)


if __name__ == "__main__":
    main()
