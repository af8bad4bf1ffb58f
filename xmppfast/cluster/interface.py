"""What the processes of a server need of a bus between them.

A *worker* is a process that serves clients. An account whose state anybody keeps in memory is
*claimed* by one worker, its owner; the bus sees to it that there is only one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol


class BusLost(Exception):
    """The bus can't be reached; whether it has done what it was asked for is unknown."""


class Member(Protocol):
    """A worker, as a bus sees it. It is told everything in the order in which it happened."""

    def received(self, sender: str, data: bytes) -> None:
        """What another worker published for this one."""

    def claimed(self, account: str, worker: str) -> None:
        """Another worker has an account now."""

    def released(self, account: str, worker: str) -> None:
        """That worker has it no more."""

    def taken(self, account: str, worker: str) -> None:
        """An account of this worker was claimed by another one while the bus was away."""

    def gone(self, worker: str) -> None:
        """A worker has left, or died; whatever it had is free."""

    def joined(self, worker: str) -> None:
        """A worker is there."""

    def restored(self, owners: Mapping[str, str], workers: Collection[str]) -> None:
        """The bus is there, for the first time or again.

        owners   of all accounts that are claimed, by bare address
        workers  all that are there, with all they have; others who were may yet come back
        """

    def lost(self) -> None:
        """The bus is away: what is published from now on goes nowhere, until `restored`."""


class Bus(Protocol):
    """The way to the other workers. What is published can get lost; its order stays.

    While the bus is away, nothing is gathered.

    name  of this worker; no other one ever has it
    """

    name: str

    async def start(self, member: Member) -> None:
        """Join; `restored` is called before this returns. Raises BusLost."""

    def publish(self, to: str, gather: Callable[[], bytes | None]) -> None:
        """Send to a worker, behind everything that was published or asked for before.

        gather  gives the bytes when the bus can take them, in a later turn of the loop; None if
                there are none after all
        """

    async def claim(self, account: str) -> str:
        """Have an account if nobody has it; returns its owner. Raises BusLost."""

    def release(self, account: str) -> None:
        """Have it no more."""

    async def close(self) -> None:
        """Leave; everything that was published before is out."""
