"""Opening a database: drivers, durability, migrations."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from ._commit import begin
from ._read import EngineReader, Reader, SqliteReader
from .interface import StorageError

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}

# Seconds that a process waits for another one that is writing, such as `xmppfast user add`.
_SQLITE_WAIT = 30.0

# Reads at a time; others wait for their turn, however long it takes.
_READERS = 5
_POOL: dict[str, Any] = {
    "poolclass": AsyncAdaptedQueuePool,
    "max_overflow": 0,
    "pool_timeout": None,
}

# A number of our own, so that no other program on the same PostgreSQL waits for it by chance.
_MIGRATION_LOCK = 0x786D7070

MIGRATIONS = Path(__file__).parent / "migrations"


class Engines(NamedTuple):
    """Connections to a database: several to read, and one to write that no reader holds up."""

    reading: Reader
    writing: AsyncEngine

    async def dispose(self) -> None:
        """Close them all."""
        await self.reading.close()
        await self.writing.dispose()


async def open_engines(url: str) -> Engines:
    """Connect to the database and bring its tables up to date.

    Raises StorageError if the URL is none, its driver is missing, or the database can't be used.
    """
    try:
        place = make_url(url)
    except ArgumentError as error:
        raise StorageError("not the URL of a database") from error
    backend = place.get_backend_name()
    if backend not in _DRIVERS:
        raise StorageError(f"no storage for {backend!r}: it is one of {', '.join(_DRIVERS)}")
    if backend == "sqlite" and place.database in (None, "", ":memory:"):
        raise StorageError("the URL names no file: sqlite:////path/to/file")
    place = place.set(drivername=_DRIVERS[backend])
    shown = place.render_as_string(hide_password=True)
    try:
        engines = (_sqlite if backend == "sqlite" else _postgresql)(place)
    except ModuleNotFoundError as error:
        extra = "server" if backend == "sqlite" else "postgresql"
        raise StorageError(f"{shown} needs {error.name}: install xmppfast[{extra}]") from error
    except OSError as error:
        raise StorageError(f"{shown}: {error.strerror}") from error
    try:
        async with engines.writing.connect() as connection:
            await begin(connection)
            if backend == "postgresql":
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                await connection.execute(lock, {"lock": _MIGRATION_LOCK})
            await connection.run_sync(_migrate)
            await connection.commit()
    except (SQLAlchemyError, CommandError, OSError) as error:
        await engines.dispose()
        raise StorageError(f"{shown}: {getattr(error, 'orig', None) or error}") from error
    return engines


def _postgresql(place: URL) -> Engines:
    def connect(size: int) -> AsyncEngine:
        # A server that was started anew has ended the connections: look whether they are there.
        return create_async_engine(place, pool_pre_ping=True, pool_size=size, **_POOL)

    reading = connect(_READERS).execution_options(isolation_level="AUTOCOMMIT")
    return Engines(EngineReader(reading), connect(1))


def _sqlite(place: URL) -> Engines:
    file = str(place.database)
    # It holds keys of accounts. SQLite gives its other files the mode of this one.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_async_engine(
        place, connect_args={"timeout": _SQLITE_WAIT}, pool_size=1, **_POOL
    )
    event.listen(engine.sync_engine, "connect", _configure_sqlite)

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            file, timeout=_SQLITE_WAIT, isolation_level=None, check_same_thread=False
        )

    return Engines(SqliteReader(connect), engine)


def _configure_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # Readers don't wait for the writer. FULL: a commit returns after the log is on disk, so that
    # not even a loss of power takes back what was acknowledged (https://sqlite.org/wal.html).
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
