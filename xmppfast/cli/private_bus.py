"""A Redis or Valkey of a server's own, on a socket in its data folder."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("xmppfast.server")

PROGRAMS = ("valkey-server", "redis-server")

# Addresses of such sockets are 108 bytes at most on Linux, 104 elsewhere.
_LONGEST_PATH = 100
_PATIENCE = 10.0
_RETRY = 0.5


def program() -> str | None:
    """The one that is installed."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class PrivateBus:
    """Started by `start`; started again if it ends, until `stop`.

    url  where it is

    Nothing of it is on disk: whoever is connected says again what it has to know.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        path = folder.absolute() / "bus.sock"
        if len(bytes(path)) > _LONGEST_PATH:
            self._folder = tempfile.TemporaryDirectory(prefix="xmppfast-")
            path = Path(self._folder.name) / "bus.sock"
        self._path = path
        self.url = f"unix://{path}"
        self._process: Process | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers. Raises OSError."""
        await self._start()
        self._watching = asyncio.create_task(self._watch())

    async def _start(self) -> None:
        self._process = process = await asyncio.create_subprocess_exec(
            self._program,
            *("--port", "0", "--unixsocket", str(self._path), "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            *("--dir", str(self._path.parent), "--maxmemory-policy", "noeviction"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            # Ctrl-C is for the server, which still needs it to end in an orderly way.
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                while not await self._answers():
                    if process.returncode is not None:
                        raise OSError(f"{self._program} ended with {process.returncode}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise OSError(f"{self._program} does not answer") from None
        log.info("the bus is process %d, %s", process.pid, self._program)

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._path))
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return (await reader.readline()).startswith(b"+PONG")
        except OSError:
            return False
        finally:
            writer.close()

    async def _watch(self) -> None:
        while True:
            assert self._process is not None
            code = await self._process.wait()
            log.error("%s ended with %s: starting it again", self._program, code)
            while True:
                try:
                    await self._start()
                    break
                except OSError as error:
                    log.error("%s", error)
                    await asyncio.sleep(_RETRY)

    async def stop(self) -> None:
        """End it."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()
            self._path.unlink(missing_ok=True)
        if self._folder is not None:
            self._folder.cleanup()
