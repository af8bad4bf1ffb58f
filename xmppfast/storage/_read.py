"""Reading: a connection of a pool for each read, or with SQLite a turn's reads at once in a thread.

A read of SQLite takes microseconds, its way to a thread and back ten times that. So what is asked
for in one turn of the event loop, and while the threads are busy, goes there together.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import ClauseElement, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.compiler import SQLCompiler

from .interface import StorageError

Rows = list[tuple[Any, ...]]
Parameters = Mapping[str, Any]

# One may be held up by much to read; more of them only wait for each other.
_THREADS: Final = 2

# Bounds how long the first read of a group waits for the last one.
_LARGEST_GROUP: Final = 100


class Reader(Protocol):
    """Reads from a database. One statement sees one state of it: there is no transaction."""

    def read(self, statement: Executable, parameters: Parameters) -> Awaitable[Rows]:
        """Give all rows of a statement. Awaiting it raises StorageError."""

    async def close(self) -> None:
        """Let go of the database."""


class EngineReader:
    """Reads with the connections of an engine, which commits by itself."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, statement: Executable, parameters: Parameters) -> Rows:
        """See `Reader`."""
        try:
            async with self._engine.connect() as connection:
                found = await connection.execute(statement, dict(parameters))
                return [tuple(row) for row in found]
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(str(getattr(error, "orig", None) or error)) from error

    async def close(self) -> None:
        """See `Reader`."""
        await self._engine.dispose()


class _Read(NamedTuple):
    sql: str
    parameters: Sequence[Any]
    done: asyncio.Future[Rows]


class SqliteReader:
    """Reads from an SQLite file; a read begins with the call.

    connect  opens a connection that any thread may use
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(_THREADS, "storage reader")
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._busy = 0
        self._waiting: list[_Read] = []

    def read(self, statement: Executable, parameters: Parameters) -> asyncio.Future[Rows]:
        """See `Reader`."""
        if not self._waiting and self._busy < _THREADS:
            self._loop.call_soon(self._start)
        done: asyncio.Future[Rows] = self._loop.create_future()
        self._waiting.append(_Read(*_written(statement, parameters), done))
        return done

    async def close(self) -> None:
        """See `Reader`."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._connections:
            connection.close()

    def _start(self) -> None:
        while self._waiting and self._busy < _THREADS:
            group = self._waiting[:_LARGEST_GROUP]
            del self._waiting[:_LARGEST_GROUP]
            self._busy += 1
            self._threads.submit(self._run, group)

    def _run(self, group: Sequence[_Read]) -> None:
        """In a thread."""
        results = [self._one(read) for read in group]
        self._loop.call_soon_threadsafe(self._finished, group, results)

    def _one(self, read: _Read) -> Rows | StorageError:
        try:
            connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
            if connection is None:
                connection = self._of_thread.connection = self._connect()
                self._connections.append(connection)
            return connection.execute(read.sql, read.parameters).fetchall()
        except Exception as error:  # numbers can be too large, files be gone: it is that read's
            failure = StorageError(str(error))
            failure.__cause__ = error
            return failure

    def _finished(self, group: Sequence[_Read], results: Sequence[Rows | StorageError]) -> None:
        self._busy -= 1
        for read, result in zip(group, results, strict=True):
            if read.done.done():
                continue  # nobody waits for it any more
            if isinstance(result, StorageError):
                read.done.set_exception(result)
            else:
                read.done.set_result(result)
        self._start()


class _Text(NamedTuple):
    """A statement as the driver takes it.

    known  parameters that the statement brings along
    list   the statement, if it has as many placeholders as there are values in a list
    """

    sql: str
    names: Sequence[str]
    known: Parameters
    list: SQLCompiler | None


def _written(statement: Executable, parameters: Parameters) -> tuple[str, Sequence[Any]]:
    text = _text(statement)
    if text.list is not None:
        expanded = text.list.construct_expanded_state(dict(parameters))
        return expanded.statement, expanded.positional_parameters
    known = text.known
    return text.sql, [
        parameters[name] if name in parameters else known[name] for name in text.names
    ]


@lru_cache(maxsize=64)
def _text(statement: Executable) -> _Text:
    assert isinstance(statement, ClauseElement)
    compiled = statement.compile(dialect=sqlite.dialect())
    assert isinstance(compiled, SQLCompiler)
    lists = compiled if compiled.post_compile_params else None
    return _Text(compiled.string, compiled.positiontup or (), compiled.params, lists)
