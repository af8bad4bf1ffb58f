"""Commands to a running server, over the socket in its data folder."""

from __future__ import annotations

import asyncio
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from xmppfast.core.jid import JID
from xmppfast.server import control
from xmppfast.server.control import Control, ControlFailed, ask

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such sockets")

ALICE, NOBODY, BROKEN = (JID.parse(f"{name}@x") for name in ("alice", "nobody", "broken"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="x") as name:
        yield Path(name)


async def remove(account: JID) -> bool:
    if account == BROKEN:
        raise OSError("the disk\nis full")
    return account == ALICE


def test_answers(folder: Path) -> None:
    async def main() -> None:
        assert await ask(folder, "remove", ALICE) is None
        served = Control(folder, {"remove": remove})
        await served.open()
        try:
            assert stat.S_IMODE((folder / "control.sock").stat().st_mode) == 0o600
            assert await ask(folder, "remove", ALICE) is True
            assert await ask(folder, "remove", NOBODY) is False
            with pytest.raises(ControlFailed, match="the disk is full"):
                await ask(folder, "remove", BROKEN)
            with pytest.raises(ControlFailed, match="no command 'sing'"):
                await ask(folder, "sing", ALICE)
        finally:
            served.close()
        assert list(folder.iterdir()) == []
        assert await ask(folder, "remove", ALICE) is None

    asyncio.run(main())


def test_what_a_crash_left_is_replaced_and_another_server_is_not(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(folder / "control.sock"))
        assert (folder / "control.sock").is_socket()
        first, second = (Control(folder, {"remove": remove}) for _ in range(2))
        await first.open()
        await second.open()
        second.close()
        assert await ask(folder, "remove", ALICE) is True
        first.close()

    asyncio.run(main())
    assert "another server uses" in caplog.text


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_path_that_is_too_long_for_a_socket(tmp_path: Path, loop: str) -> None:
    """There is a short one by way of the folder's descriptor, on Linux."""
    factory = None if loop == "asyncio" else pytest.importorskip("uvloop").new_event_loop
    folder = tmp_path / ("x" * 100)
    folder.mkdir()

    async def main() -> None:
        served = Control(folder, {"remove": remove})
        await served.open()
        expected = True if sys.platform == "linux" else None
        assert await ask(folder, "remove", ALICE) is expected
        served.close()
        assert list(folder.iterdir()) == []

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


def test_no_socket_at_all(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is worth having without it."""
    monkeypatch.setattr(control, "_MOST_PATH_BYTES", 1)
    monkeypatch.setattr(Path, "is_dir", lambda self: False)

    async def main() -> None:
        served = Control(folder, {"remove": remove})
        await served.open()
        assert await ask(folder, "remove", ALICE) is None
        served.close()

    asyncio.run(main())
    assert "no commands to the running server" in caplog.text


def test_who_says_nothing_and_who_says_nonsense(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control, "_PATIENCE", 0.01)

    async def main() -> None:
        served = Control(folder, {"remove": remove})
        await served.open()
        try:
            for sent in (b"", b"x" * 10_000, b"\xff\n", b"remove @\n"):
                reader, writer = await asyncio.open_unix_connection(folder / "control.sock")
                writer.write(sent)
                answer = await reader.read()
                assert answer == b"" or answer.startswith(b"failed ")
                writer.close()
            monkeypatch.undo()  # it would have to be fast
            assert await ask(folder, "remove", ALICE) is True
        finally:
            served.close()

    asyncio.run(main())


def test_a_server_that_goes_or_is_silent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        held = []

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.append(writer)
            if len(held) == 1:
                writer.close()

        server = await asyncio.start_unix_server(accept, folder / "control.sock")
        with pytest.raises(ControlFailed, match="gone"):
            await ask(folder, "remove", ALICE)
        monkeypatch.setattr(control, "_ANSWER", 0.01)
        with pytest.raises(ControlFailed, match="does not answer"):
            await ask(folder, "remove", ALICE)
        for writer in held:
            writer.close()
        server.close()

    asyncio.run(main())
