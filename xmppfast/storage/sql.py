"""Storage in a database: SQLite in one file, or PostgreSQL, by the URL.

Reads are `_read`'s; writes go through one task, see `_commit`. Nothing of this takes the event
loop's time: SQLite works in threads, PostgreSQL answers over a socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from typing import Any, Final

from sqlalchemy import Executable

from . import _schema as schema
from ._commit import Step, Writer
from ._open import Engines, open_engines
from ._read import Rows
from .interface import Record

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

    def read(self, statement: Executable, **parameters: Any) -> Awaitable[Rows]:
        """All rows of a statement; each parameter stands for one with `_` before its name."""
        named = {f"_{name}": value for name, value in parameters.items()}
        return self._engines.reading.read(statement, named)


class _Shape:
    def __init__(self, storage: SqlStorage, name: str) -> None:
        self._storage = storage
        self._name = name

    def _read(self, statement: Executable, **parameters: Any) -> Awaitable[Rows]:
        return self._storage.read(statement, shape=self._name, **parameters)


async def _first(rows: Awaitable[Rows]) -> Any:
    found = await rows
    return found[0][0] if found else None


class _Values(_Shape):
    def get(self, owner: str) -> Awaitable[bytes | None]:
        return _first(self._read(schema.GET_VALUE, owner=owner))

    async def get_many(self, owners: Collection[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        asked = list(owners)
        for start in range(0, len(asked), _MOST_OWNERS):
            some = asked[start : start + _MOST_OWNERS]
            found.update(await self._read(schema.GET_VALUES, owners=some))
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
        rows = await self._read(schema.GET_OWNERS, after=after, limit=limit)
        return [owner for (owner,) in rows]


class _Maps(_Shape):
    def get(self, owner: str, key: str) -> Awaitable[bytes | None]:
        return _first(self._read(schema.GET_ENTRY, owner=owner, key=key))

    def items(self, owner: str) -> Awaitable[dict[str, bytes]]:
        return _by_key(self._read(schema.GET_ENTRIES, owner=owner))

    def update(self, owner: str, changes: Mapping[str, bytes | None]) -> Awaitable[None]:
        steps = [self._step(owner, key, value) for key, value in changes.items()]
        return self._storage.writer.write(*steps)

    def _step(self, owner: str, key: str, value: bytes | None) -> Step:
        if value is None:
            deleted = {"_shape": self._name, "_owner": owner, "_key": key}
            return Step(schema.DELETE_ENTRY, deleted)
        entry = {"shape": self._name, "owner": owner, "key": key, "value": value}
        return Step(self._storage.upserts.set_entry, entry)


async def _by_key(rows: Awaitable[Rows]) -> dict[str, bytes]:
    return dict(await rows)


class _Archive(_Shape):
    def append(self, owner: str, at: int, value: bytes) -> Awaitable[int]:
        record = {"shape": self._name, "owner": owner, "at": at, "value": value}
        return self._storage.writer.write(Step(schema.ADD_RECORD, record))

    async def read(self, owner: str, after: int = 0, limit: int = 1000) -> list[Record]:
        rows = await self._read(schema.GET_RECORDS, owner=owner, after=after, limit=limit)
        return [Record(*row) for row in rows]

    async def count(self, owner: str) -> int:
        number: int = await _first(self._read(schema.COUNT_RECORDS, owner=owner))
        return number

    def delete(self, owner: str, ids: Collection[int]) -> Awaitable[None]:
        place = {"_shape": self._name, "_owner": owner}
        steps = [Step(schema.DELETE_RECORD, {**place, "_id": id}) for id in ids]
        return self._storage.writer.write(*steps)
