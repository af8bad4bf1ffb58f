"""Storage in a database: SQLite in one file, or PostgreSQL, by the URL.

Reads take a connection from a pool; writes go through one task, see `_commit`. Nothing of this
takes the event loop's time: SQLite works in threads, PostgreSQL answers over a socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from typing import Any, Final

from sqlalchemy import Executable
from sqlalchemy.exc import SQLAlchemyError

from . import _schema as schema
from ._commit import Step, Writer
from ._open import Engines, open_engines
from .interface import Record, StorageError

# Owners in one statement: databases limit the number of its parameters.
_MOST_OWNERS: Final = 500


class SqlStorage:
    """See `Storage`. Made by `open`."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self.writer = Writer(engines.writing)
        self.upserts = schema.Upserts(engines.writing.dialect.name)

    @classmethod
    async def open(cls, url: str) -> SqlStorage:
        """Open the database, `sqlite:////path/to/file` or `postgresql://user:password@host/name`.

        A file is made if there is none, in a folder that exists; tables are made, and brought up
        to date. Raises StorageError.
        """
        return cls(await open_engines(url))

    def values(self, name: str) -> _Values:
        """See `Storage`."""
        return _Values(self, name)

    def maps(self, name: str) -> _Maps:
        """See `Storage`."""
        return _Maps(self, name)

    def archive(self, name: str) -> _Archive:
        """See `Storage`."""
        return _Archive(self, name)

    def forget(self, owner: str) -> Awaitable[None]:
        """See `Storage`."""
        return self.writer.write(
            *(Step(statement, {"_owner": owner}) for statement in schema.FORGET)
        )

    async def close(self) -> None:
        """See `Storage`."""
        await self.writer.close()
        await self._engines.dispose()

    async def read(self, statement: Executable, **parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a statement; each parameter stands for one with `_` before its name."""
        named = {f"_{name}": value for name, value in parameters.items()}
        try:
            async with self._engines.reading.connect() as connection:
                return [tuple(row) for row in await connection.execute(statement, named)]
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(str(getattr(error, "orig", None) or error)) from error


class _Shape:
    def __init__(self, storage: SqlStorage, name: str) -> None:
        self._storage = storage
        self._name = name

    async def _one(self, statement: Executable, **parameters: Any) -> Any:
        rows = await self._storage.read(statement, shape=self._name, **parameters)
        return rows[0][0] if rows else None


class _Values(_Shape):
    async def get(self, owner: str) -> bytes | None:
        value: bytes | None = await self._one(schema.GET_VALUE, owner=owner)
        return value

    async def get_many(self, owners: Collection[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        asked = list(owners)
        for start in range(0, len(asked), _MOST_OWNERS):
            some = asked[start : start + _MOST_OWNERS]
            found.update(await self._storage.read(schema.GET_VALUES, shape=self._name, owners=some))
        return found

    def set(self, owner: str, value: bytes) -> Awaitable[None]:
        parameters = {"shape": self._name, "owner": owner, "value": value}
        return self._storage.writer.write(Step(self._storage.upserts.set_value, parameters))

    def add(self, owner: str, value: bytes) -> Awaitable[bool]:
        parameters = {"shape": self._name, "owner": owner, "value": value}
        step = Step(self._storage.upserts.add_value, parameters)
        return self._storage.writer.write(step)

    def delete(self, owner: str) -> Awaitable[None]:
        parameters = {"_shape": self._name, "_owner": owner}
        return self._storage.writer.write(Step(schema.DELETE_VALUE, parameters))

    async def owners(self, after: str = "", limit: int = 1000) -> list[str]:
        rows = await self._storage.read(
            schema.GET_OWNERS, shape=self._name, after=after, limit=limit
        )
        return [owner for (owner,) in rows]


class _Maps(_Shape):
    async def get(self, owner: str, key: str) -> bytes | None:
        value: bytes | None = await self._one(schema.GET_ENTRY, owner=owner, key=key)
        return value

    async def items(self, owner: str) -> dict[str, bytes]:
        rows = await self._storage.read(schema.GET_ENTRIES, shape=self._name, owner=owner)
        return dict(rows)

    def update(self, owner: str, changes: Mapping[str, bytes | None]) -> Awaitable[None]:
        steps = [self._step(owner, key, value) for key, value in changes.items()]
        return self._storage.writer.write(*steps)

    def _step(self, owner: str, key: str, value: bytes | None) -> Step:
        if value is None:
            deleted = {"_shape": self._name, "_owner": owner, "_key": key}
            return Step(schema.DELETE_ENTRY, deleted)
        entry = {"shape": self._name, "owner": owner, "key": key, "value": value}
        return Step(self._storage.upserts.set_entry, entry)


class _Archive(_Shape):
    def append(self, owner: str, at: int, value: bytes) -> Awaitable[int]:
        record = {"shape": self._name, "owner": owner, "at": at, "value": value}
        return self._storage.writer.write(Step(schema.ADD_RECORD, record))

    async def read(self, owner: str, after: int = 0, limit: int = 1000) -> list[Record]:
        rows = await self._storage.read(
            schema.GET_RECORDS, shape=self._name, owner=owner, after=after, limit=limit
        )
        return [Record(*row) for row in rows]

    async def count(self, owner: str) -> int:
        number: int = await self._one(schema.COUNT_RECORDS, owner=owner)
        return number

    def delete(self, owner: str, ids: Collection[int]) -> Awaitable[None]:
        place = {"_shape": self._name, "_owner": owner}
        steps = [Step(schema.DELETE_RECORD, {**place, "_id": id}) for id in ids]
        return self._storage.writer.write(*steps)
