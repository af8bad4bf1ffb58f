"""Programs for terminals, run in one."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path


class Terminal:
    """A terminal with a program in it; `shown` is all that it wrote, with escape sequences."""

    def __init__(self, ours: int) -> None:
        self._ours = ours
        self.shown = b""

    def read(self) -> None:
        """Take what the program writes."""
        try:
            self.shown += os.read(self._ours, 65536)
        except OSError:  # the program has ended
            asyncio.get_running_loop().remove_reader(self._ours)

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._ours, line.encode() + b"\r")

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until that is so."""
        for _ in range(2400):
            if condition():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{what} did not come: {self.shown[-3000:]!r}")

    async def until_shown(self, text: str) -> None:
        """Wait for text on the screen."""
        await self.until(lambda: text.encode() in self.shown, text)


@asynccontextmanager
async def terminal(command: list[str], home: Path, **env: str) -> AsyncIterator[Terminal]:
    """Run a program in a terminal of 120 columns, with a home of its own."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=home,
        env={
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            **env,
        },
        start_new_session=True,
    )
    os.close(theirs)
    screen = Terminal(ours)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, screen.read)
    try:
        yield screen
    finally:
        loop.remove_reader(ours)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, 5)
        process.kill()
        process.wait()
        os.close(ours)
