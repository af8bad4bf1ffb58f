"""How commands on the same machine reach a running server: a socket in its data folder.

A request is one line, `COMMAND ADDRESS`, and its answer another: `yes`, `no`, or `failed TEXT`. Who
may write to the folder may do everything the commands do, so nobody is asked who they are.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ..core.jid import JID

log = logging.getLogger("xmppfast.server")

Command = Callable[[JID], Awaitable[bool]]

_NAME = "control.sock"
_LINE = 8192

# What every system takes as the path of a socket; libuv would cut a longer one.
_MOST_PATH_BYTES = 103

# Seconds for a request to come, and for an answer.
_PATIENCE = 5.0
_ANSWER = 60.0


class ControlFailed(Exception):
    """The server could not do what it was asked; the text says why."""


class Control:
    """A running server's side: `open`, then `close`.

    folder    of the server's data
    commands  what can be asked for, by name
    """

    def __init__(self, folder: Path, commands: Mapping[str, Command]) -> None:
        self._path = folder / _NAME
        self._commands = commands
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Take requests, unless another server does for this folder, or the system has no way."""
        if not hasattr(socket, "AF_UNIX"):
            return
        connection = await _connect(self._path)
        if connection is not None:
            log.warning("another server uses %s", self._path.parent)
            await _end(connection[1])
            return
        try:
            _remove(self._path)
            with _short(self._path) as path:
                mask = os.umask(0o177)
                try:
                    self._server = await asyncio.start_unix_server(self._serve, path, limit=_LINE)
                finally:
                    os.umask(mask)
        except OSError as error:
            # The server is worth having without this.
            log.warning("no commands to the running server: %s", error)

    def close(self) -> None:
        """Take no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
            _remove(self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                line = await reader.readline()
            if line:
                writer.write(f"{await self._answer(line)}\n".encode())
                await writer.drain()
        except (OSError, ValueError, TimeoutError) as error:
            log.info("a command to the running server is lost: %s", error)
        finally:
            await _end(writer)

    async def _answer(self, line: bytes) -> str:
        try:
            name, _, address = line.decode().strip().partition(" ")
            if name not in self._commands:
                raise ValueError(f"there is no command {name!r}")
            done = await self._commands[name](JID.parse(address))
        except Exception as error:
            log.error("a command to the running server failed", exc_info=error)
            return f"failed {' '.join(str(error).split())}"
        return "yes" if done else "no"


async def ask(folder: Path, command: str, account: JID) -> bool | None:
    """Ask the server that uses a folder; None if none does. Raises ControlFailed."""
    connection = await _connect(folder / _NAME)
    if connection is None:
        return None
    reader, writer = connection
    try:
        async with asyncio.timeout(_ANSWER):
            writer.write(f"{command} {account}\n".encode())
            answer = (await reader.readline()).decode().strip()
    except TimeoutError:
        raise ControlFailed("the running server does not answer") from None
    except OSError as error:
        raise ControlFailed(f"the running server has gone: {error}") from None
    finally:
        await _end(writer)
    if answer not in ("yes", "no"):
        reason = answer.removeprefix("failed ") or "the running server has gone"
        raise ControlFailed(reason)
    return answer == "yes"


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    if not hasattr(socket, "AF_UNIX"):
        return None
    try:
        with _short(path) as short:
            return await asyncio.open_unix_connection(short, limit=_LINE)
    except OSError:
        return None  # there is no such file, or nobody listens


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A path of the same file that is short enough for a socket. Raises OSError."""
    if len(os.fsencode(path)) <= _MOST_PATH_BYTES:
        yield str(path)
        return
    if not Path("/proc/self/fd").is_dir():
        raise OSError(f"{path} is too long for a socket")
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
