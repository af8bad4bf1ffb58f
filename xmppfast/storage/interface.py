"""The three shapes that everything stored has, so that a new feature touches no backend.

Values     one value per owner                    an account's keys, its vCard
Maps       values by key, several per owner       a roster, private XML
Archive    a sequence of values, per owner        offline messages

A shape has a name, that of what is kept in it, which needs no declaration: the first write makes
it. An owner is text, usually a bare JID. Owners and keys are compared code point by code point, and
hold no U+0000. Values are bytes; what they mean is the feature's business.

Writes happen in the order of the calls, whenever they are awaited. One that was awaited is durable:
with the SQL backends it is on disk, and reads that begin later see it. One call is one step: after
a crash it has happened as a whole or not at all. A write whose caller is cancelled may still
happen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from typing import NamedTuple, Protocol


class StorageError(Exception):
    """The backend could not do what it was asked; the text says what was wrong."""


class Record(NamedTuple):
    """One entry of an archive."""

    id: int
    """Grows with each entry of an owner; never used twice."""
    at: int
    """When the value was made: microseconds since 1970-01-01 UTC."""
    value: bytes


class Values(Protocol):
    """One value per owner."""

    def get(self, owner: str) -> Awaitable[bytes | None]:
        """The owner's value; None if there is none."""

    async def get_many(self, owners: Collection[str]) -> dict[str, bytes]:
        """The values of those owners that have one."""

    def set(self, owner: str, value: bytes) -> Awaitable[None]:
        """Make this the owner's value."""

    def add(self, owner: str, value: bytes) -> Awaitable[bool]:
        """Make this the owner's value unless there is one; says whether it was done."""

    def delete(self, owner: str) -> Awaitable[None]:
        """Forget the owner's value, if there is one."""

    async def owners(self, after: str = "", limit: int = 1000) -> list[str]:
        """The next owners that have a value, in order of code points."""


class Maps(Protocol):
    """Values by key, several per owner."""

    def get(self, owner: str, key: str) -> Awaitable[bytes | None]:
        """One value; None if there is none."""

    def items(self, owner: str) -> Awaitable[dict[str, bytes]]:
        """All of the owner's values by key, in order of code points of the keys."""

    def update(self, owner: str, changes: Mapping[str, bytes | None]) -> Awaitable[None]:
        """Set these values and delete those that are None, in one step."""


class Archive(Protocol):
    """A sequence of values, per owner."""

    def append(self, owner: str, at: int, value: bytes) -> Awaitable[int]:
        """Add a value at the end; returns its id."""

    async def read(self, owner: str, after: int = 0, limit: int = 1000) -> list[Record]:
        """The first entries whose id is greater than `after`, in the order they were added."""

    async def count(self, owner: str) -> int:
        """How many entries the owner has."""

    def delete(self, owner: str, ids: Collection[int]) -> Awaitable[None]:
        """Forget the entries with these ids."""


class Storage(Protocol):
    """A backend: shapes by name."""

    def values(self, name: str) -> Values:
        """The values of that name."""

    def maps(self, name: str) -> Maps:
        """The maps of that name."""

    def archive(self, name: str) -> Archive:
        """The archive of that name."""

    def forget(self, owner: str) -> Awaitable[None]:
        """Delete all that is kept for the owner, in every shape, in one step."""

    async def close(self) -> None:
        """Finish the writes under way and let go of the backend."""
