"""Group commit: writes that wait at the same time share one transaction.

A commit waits for the disk, which takes about as long for one write as for a thousand. So one task
writes: it takes all writes that have gathered while the last transaction was committed, makes one
transaction of them, and acknowledges each when that is on disk. Nobody waits for company: a lone
write is committed at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ._schema import Rows, Statement
from .interface import StorageError

# Bounds what is lost at once when a transaction fails, and what one holds in memory.
LARGEST_GROUP = 1000


class Step(NamedTuple):
    """A statement with its parameters; neighbours with the same statement are sent together."""

    statement: Statement
    parameters: Mapping[str, Any]


class _Write(NamedTuple):
    steps: Sequence[Step]
    done: asyncio.Future[Any]


class Writer:
    """The one task that writes to a database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: deque[_Write] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="storage writer")

    def write(self, *steps: Step) -> asyncio.Future[Any]:
        """Have the steps done in one transaction; await it for that to be on disk.

        The result is what the last step says, see `Rows`. StorageError if it could not be done:
        then none of the steps is.
        """
        if self._closing:
            raise StorageError("the storage is closed")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(steps, done))
        self._wake.set()
        return done

    async def close(self) -> None:
        """Finish what was given to `write`, then end."""
        self._closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                size = min(len(self._waiting), LARGEST_GROUP)
                await self._commit([self._waiting.popleft() for _ in range(size)])
            if self._closing:
                return

    async def _commit(self, group: Sequence[_Write]) -> None:
        # Not committed is not acknowledged: whatever goes wrong is every writer's to know.
        committing = False
        try:
            async with self._engine.connect() as connection:
                await begin(connection)
                results = await self._execute(connection, group)
                committing = True
                await connection.commit()
        except Exception as error:  # drivers raise whatever they like; the task must live on
            # One bad write must not fail its neighbours. A failed commit isn't tried again: it
            # might have happened.
            if len(group) > 1 and not committing:
                for write in group:
                    await self._commit([write])
                return
            reason = StorageError(str(getattr(error, "orig", None) or error))
            reason.__cause__ = error
            for write in group:
                if not write.done.done():
                    write.done.set_exception(reason)
        else:
            for write, result in zip(group, results, strict=True):
                if not write.done.done():
                    write.done.set_result(result)

    async def _execute(self, connection: AsyncConnection, group: Sequence[_Write]) -> list[Any]:
        results: list[Any] = [None] * len(group)
        steps = ((index, step) for index, write in enumerate(group) for step in write.steps)
        for statement, run in groupby(steps, key=lambda entry: entry[1].statement):
            together = list(run)
            if statement.rows is Rows.MAYBE:
                for index, step in together:
                    row = await connection.execute(statement.sql, step.parameters)
                    results[index] = row.scalar_one_or_none() is not None
                continue
            rows = await connection.execute(
                statement.sql, [step.parameters for _, step in together]
            )
            if statement.rows is Rows.ONE_EACH:
                for (index, _), value in zip(together, rows.scalars(), strict=True):
                    results[index] = value
        return results


async def begin(connection: AsyncConnection) -> None:
    """Begin a transaction that writes.

    SQLite would otherwise begin by reading, and fail if another process wrote before it does.
    """
    if connection.dialect.name == "sqlite":
        await connection.execute(text("BEGIN IMMEDIATE"))
