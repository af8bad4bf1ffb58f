"""One suite over every backend.

The fixture `storage` runs a test once with each: in memory, SQLite, and a real PostgreSQL. Where
PostgreSQL is not installed its tests are skipped by name; under CI=true they fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest
from cluster import cluster, programs
from implementations import CI
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from xmppfast.storage.interface import Storage
from xmppfast.storage.memory import MemoryStorage
from xmppfast.storage.sql import SqlStorage

_databases = count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a running PostgreSQL."""
    bin = programs()
    if bin is None:
        message = "PostgreSQL is not installed"
        if CI:
            pytest.fail(message)
        pytest.skip(message)
    with cluster(bin) as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql: str) -> str:
    """URL of a new, empty database."""
    name = f"test{next(_databases)}"
    asyncio.run(_create(postgresql, name))
    return make_url(postgresql).set(database=name).render_as_string()


async def _create(url: str, name: str) -> None:
    place = make_url(url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(place, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a database that is not there yet."""
    return f"sqlite:///{tmp_path}/storage.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database of each kind in turn."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
async def sql(url: str) -> AsyncIterator[SqlStorage]:
    """Each SQL backend in turn, empty."""
    opened = await SqlStorage.open(url)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> str | None:
    """Where each backend in turn keeps what it is given: a URL, or None for memory."""
    if request.param == "memory":
        return None
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def storage(place: str | None) -> AsyncIterator[Storage]:
    """Each backend in turn, empty."""
    opened: Storage = MemoryStorage() if place is None else await SqlStorage.open(place)
    yield opened
    await opened.close()
