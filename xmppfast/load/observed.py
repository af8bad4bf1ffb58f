"""What processes of this machine use, from /proc: CPU time and memory, descendants included."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Use:
    """What was used until a moment.

    at       `time.perf_counter` then
    cpu      seconds of the observed processes; exact to the scheduler's clock
    own      seconds of this process
    machine  seconds of everything on this machine, in steps of 10 ms
    """

    at: float
    cpu: float
    own: float
    machine: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes: resident, and that with what is shared divided among those who share it."""

    resident: int
    proportional: int


class Observed:
    """Processes with all their descendants; without any, everything of them is 0.

    Raises ProcessLookupError for one that is gone, OSError where there is no /proc.
    """

    def __init__(self, pids: Sequence[int] = ()) -> None:
        self.pids = tuple(pids)
        self._known: tuple[int, ...] = ()
        self.look()

    def __bool__(self) -> bool:
        return bool(self.pids)

    def look(self) -> None:
        """Find the descendants there are now."""
        self._known = tuple(_with_descendants(self.pids)) if self.pids else ()

    def use(self) -> Use:
        """Read the clocks."""
        cpu = sum(self._cpu(pid) for pid in self._known)
        return Use(time.perf_counter(), cpu, time.process_time(), _machine() if self.pids else 0.0)

    def resident(self) -> int:
        """Resident bytes, roughly; cheap."""
        pages = 0
        for pid in self._known:
            try:
                pages += int((_PROC / str(pid) / "statm").read_text().split()[1])
            except OSError:
                self._gone(pid)
        return pages * _PAGE

    def memory(self) -> Memory:
        """Read the memory, which takes the kernel some milliseconds."""
        resident = proportional = 0
        for pid in self._known:
            try:
                text = (_PROC / str(pid) / "smaps_rollup").read_text()
            except OSError:
                self._gone(pid)
                continue
            for line in text.splitlines():
                name, _, rest = line.partition(":")
                if name == "Rss":
                    resident += 1024 * int(rest.split()[0])
                elif name == "Pss":
                    proportional += 1024 * int(rest.split()[0])
        return Memory(resident, proportional)

    def _cpu(self, pid: int) -> float:
        try:
            # Linux: the clock of a process by its id; see clock_getcpuclockid(3).
            return time.clock_gettime((~pid << 3) | 2)
        except OSError:
            self._gone(pid)
            return 0.0

    def _gone(self, pid: int) -> None:
        if pid in self.pids:
            raise ProcessLookupError(f"there is no process {pid}") from None


def _with_descendants(pids: Iterable[int]) -> Iterable[int]:
    children: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    waiting = list(dict.fromkeys(pids))
    seen: dict[int, None] = {}
    while waiting:
        pid = waiting.pop()
        if pid not in seen:
            seen[pid] = None
            waiting += children.get(pid, ())
    return seen


def _machine() -> float:
    """Seconds that all processors were busy: user, nice, system, interrupts."""
    fields = (_PROC / "stat").read_text().split("\n", 1)[0].split()
    return sum(int(fields[at]) for at in (1, 2, 3, 6, 7)) / _TICKS
