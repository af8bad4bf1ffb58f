"""What only databases do: migrations, group commit, errors, and surviving a kill."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, make_url, text

from xmppfast.storage import _schema
from xmppfast.storage._open import open_engines
from xmppfast.storage.interface import StorageError
from xmppfast.storage.sql import SqlStorage

pytestmark = pytest.mark.anyio


async def test_what_was_written_is_there_after_opening_again(url: str) -> None:
    for round in range(3):
        storage = await SqlStorage.open(url)
        assert await storage.archive("a").count("romeo") == round
        await storage.archive("a").append("romeo", round, b"")
        await storage.close()


async def test_migrations_make_the_tables_of_the_schema(url: str) -> None:
    engines = await open_engines(url)

    def differences(connection: Any) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, _schema.METADATA))

    async with engines.writing.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engines.dispose()


async def test_opened_at_the_same_time(url: str) -> None:
    opened = await asyncio.gather(*(SqlStorage.open(url) for _ in range(4)))
    await asyncio.gather(
        *(storage.archive("a").append("romeo", n, b"") for n, storage in enumerate(opened))
    )
    assert await opened[0].archive("a").count("romeo") == 4
    for storage in opened:
        await storage.close()


async def test_tables_of_a_later_version_are_refused(url: str) -> None:
    engines = await open_engines(url)
    async with engines.writing.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engines.dispose()
    with pytest.raises(StorageError, match="9999"):
        await SqlStorage.open(url)


async def test_writes_at_the_same_time_share_a_transaction(sql: SqlStorage) -> None:
    commits = 0

    def committed(_: Any) -> None:
        nonlocal commits
        commits += 1

    archive = sql.archive("a")
    event.listen(sql._engines.writing.sync_engine, "commit", committed)
    await asyncio.gather(*(archive.append("romeo", n, b"") for n in range(500)))
    assert commits <= 2
    assert await archive.count("romeo") == 500


async def test_a_bad_write_fails_alone(sql: SqlStorage) -> None:
    archive, bad = sql.archive("a"), 2**70
    times = [1, bad, 3]
    results = await asyncio.gather(
        *(archive.append("romeo", at, b"") for at in times), return_exceptions=True
    )
    assert [isinstance(result, StorageError) for result in results] == [False, True, False]
    assert [record.at for record in await archive.read("romeo")] == [1, 3]
    await archive.append("romeo", 4, b"")


async def test_a_write_whose_caller_went_away_leaves_the_others(sql: SqlStorage) -> None:
    archive = sql.archive("a")

    async def append(number: int) -> int:
        return await archive.append("romeo", number, b"")

    tasks = [asyncio.create_task(append(number)) for number in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(result, int) for result in results] == [n != 3 for n in range(10)]
    assert await archive.append("romeo", 11, b"") > 0


async def test_close_finishes_what_was_asked(url: str) -> None:
    storage = await SqlStorage.open(url)
    writes = [storage.values("v").set(f"{n}", b"") for n in range(50)]
    await storage.close()
    await asyncio.gather(*writes)
    with pytest.raises(StorageError, match="closed"):
        await storage.values("v").set("late", b"")
    again = await SqlStorage.open(url)
    assert len(await again.values("v").owners()) == 50
    await again.close()


async def test_sqlite_is_durable_and_private(sqlite_url: str) -> None:
    storage = await SqlStorage.open(sqlite_url)
    assert await storage.read(text("PRAGMA journal_mode")) == [("wal",)]
    assert await storage.read(text("PRAGMA synchronous")) == [(2,)]
    await storage.values("v").set("romeo", b"")
    path = Path(str(make_url(sqlite_url).database))
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == [path.name, f"{path.name}-shm", f"{path.name}-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    await storage.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "not the URL of a database"),
        ("mysql://host/name", "no storage for 'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:////nowhere/at/all.db", "No such file or directory"),
        ("postgresql://romeo:secret@127.0.0.1:1/name", r"romeo:\*\*\*@127.0.0.1:1"),
    ],
)
async def test_what_cannot_be_opened(url: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as raised:
        await SqlStorage.open(url)
    assert "secret" not in str(raised.value)


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear Romeo, " * 100)
    with pytest.raises(StorageError, match="not a database"):
        await SqlStorage.open(f"sqlite:///{tmp_path}/letter")


async def test_more_readers_than_connections(sql: SqlStorage) -> None:
    await sql.values("v").set("romeo", b"1")
    found = await asyncio.gather(*(sql.values("v").get("romeo") for _ in range(100)))
    assert found == [b"1"] * 100


async def test_connections_that_the_database_has_ended(postgresql_url: str) -> None:
    storage = await SqlStorage.open(postgresql_url)
    await storage.values("v").set("romeo", b"1")
    await asyncio.gather(*(storage.values("v").get("romeo") for _ in range(20)))
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    await storage.read(text(f"{end} AND datname = current_database()"))
    await asyncio.gather(*(storage.values("v").get("romeo") for _ in range(20)))
    await storage.values("v").set("romeo", b"2")
    assert await storage.values("v").get("romeo") == b"2"
    await storage.close()


# Appends for several owners at once, and says of each what was acknowledged.
WRITING = """
import asyncio, sys
from xmppfast.storage.sql import SqlStorage

async def write(storage, owner):
    for number in range(10**6):
        id = await storage.archive("a").append(owner, number, b"x" * 100)
        await storage.maps("m").update(owner, {"last": b"%d" % number, "again": b"%d" % number})
        sys.stdout.write(f"{owner} {number} {id}\\n")
        sys.stdout.flush()

async def main():
    storage = await SqlStorage.open(sys.argv[1])
    await asyncio.gather(*(write(storage, f"{n}") for n in range(8)))

asyncio.run(main())
"""


async def test_kill_9_loses_nothing_acknowledged(url: str) -> None:
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITING, url], stdout=subprocess.PIPE, encoding="ascii"
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(random.randrange(1, 200))]
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
        writer.stdout.close()
        writer.wait()
        assert lines[0].endswith("\n")
        acknowledged = [line.split() for line in lines if line.endswith("\n")]
        storage = await SqlStorage.open(url)
        for owner in {owner for owner, _, _ in acknowledged}:
            own = [(int(number), int(id)) for name, number, id in acknowledged if name == owner]
            kept = {(record.at, record.id) for record in await storage.archive("a").read(owner)}
            assert set(own) <= kept
            entries = await storage.maps("m").items(owner)
            assert entries["last"] == entries["again"], "a step happens as a whole"
            assert int(entries["last"]) >= own[-1][0]
            await storage.forget(owner)
        await storage.close()
