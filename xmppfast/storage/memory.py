"""Storage in dictionaries: for tests, and for servers that need to remember nothing."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from itertools import count, islice
from typing import Any, Generic, TypeVar

from .interface import Record

_T = TypeVar("_T")


class _Done(Generic[_T]):
    """Something to await that has happened already."""

    def __init__(self, result: _T) -> None:
        self._result = result

    def __await__(self) -> Generator[Any, Any, _T]:
        return self._result
        yield  # what makes a generator of this


class _Values:
    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    async def get(self, owner: str) -> bytes | None:
        return self.content.get(owner)

    async def get_many(self, owners: Collection[str]) -> dict[str, bytes]:
        return {owner: self.content[owner] for owner in owners if owner in self.content}

    def set(self, owner: str, value: bytes) -> _Done[None]:
        self.content[owner] = value
        return _Done(None)

    def add(self, owner: str, value: bytes) -> _Done[bool]:
        if owner in self.content:
            return _Done(False)
        self.content[owner] = value
        return _Done(True)

    def delete(self, owner: str) -> _Done[None]:
        self.content.pop(owner, None)
        return _Done(None)

    async def owners(self, after: str = "", limit: int = 1000) -> list[str]:
        return sorted(owner for owner in self.content if owner > after)[:limit]


class _Maps:
    def __init__(self) -> None:
        self.content: dict[str, dict[str, bytes]] = {}

    async def get(self, owner: str, key: str) -> bytes | None:
        return self.content.get(owner, {}).get(key)

    async def items(self, owner: str) -> dict[str, bytes]:
        return dict(sorted(self.content.get(owner, {}).items()))

    def update(self, owner: str, changes: Mapping[str, bytes | None]) -> _Done[None]:
        entries = self.content.setdefault(owner, {})
        for key, value in changes.items():
            if value is None:
                entries.pop(key, None)
            else:
                entries[key] = value
        if not entries:
            del self.content[owner]
        return _Done(None)


class _Archive:
    def __init__(self) -> None:
        self.content: dict[str, dict[int, Record]] = {}
        self.ids = count(1)

    def append(self, owner: str, at: int, value: bytes) -> _Done[int]:
        record = Record(next(self.ids), at, value)
        self.content.setdefault(owner, {})[record.id] = record
        return _Done(record.id)

    async def read(self, owner: str, after: int = 0, limit: int = 1000) -> list[Record]:
        records = self.content.get(owner, {}).values()
        return list(islice((record for record in records if record.id > after), limit))

    async def count(self, owner: str) -> int:
        return len(self.content.get(owner, ()))

    def delete(self, owner: str, ids: Collection[int]) -> _Done[None]:
        records = self.content.get(owner, {})
        for id in ids:
            records.pop(id, None)
        if not records:
            self.content.pop(owner, None)
        return _Done(None)


class MemoryStorage:
    """See `Storage`. What is written is gone with the object."""

    def __init__(self) -> None:
        self._values: dict[str, _Values] = {}
        self._maps: dict[str, _Maps] = {}
        self._archives: dict[str, _Archive] = {}

    def values(self, name: str) -> _Values:
        """See `Storage`."""
        return self._values.setdefault(name, _Values())

    def maps(self, name: str) -> _Maps:
        """See `Storage`."""
        return self._maps.setdefault(name, _Maps())

    def archive(self, name: str) -> _Archive:
        """See `Storage`."""
        return self._archives.setdefault(name, _Archive())

    def forget(self, owner: str) -> _Done[None]:
        """See `Storage`."""
        for values in self._values.values():
            values.content.pop(owner, None)
        for maps in self._maps.values():
            maps.content.pop(owner, None)
        for archive in self._archives.values():
            archive.content.pop(owner, None)
        return _Done(None)

    async def close(self) -> None:
        """See `Storage`."""
