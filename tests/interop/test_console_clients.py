"""Console clients that others wrote, with our server; our client is the one they speak with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from accounts import PASSWORD
from others import program
from terminal import terminal

from xmppfast.client import Address, Client, Presence
from xmppfast.core.jid import JID
from xmppfast.xep.ping import send_ping

pytest.importorskip("pty")

ALICE, BOB = JID.parse("alice@localhost"), JID.parse("bob@localhost")


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a test, for three minutes at most."""

    async def limited() -> None:
        async with asyncio.timeout(180):
            await main

    asyncio.run(limited())


async def until(condition: Callable[[], object]) -> None:
    """Wait until that is so."""
    while not condition():
        await asyncio.sleep(0.02)


def is_available(server: Any) -> bool:
    """Whether Alice's client is ready: one that is only bound may still refuse what it is told."""
    account = server.service.server.registry.accounts.get(str(ALICE))
    return any(it.presence for it in account.resources.values()) if account else False


def our_client(server: Any) -> Client:
    """Bob, who agrees to everything and wants to see those who ask."""
    address = Address("127.0.0.1", server.tls_port, direct_tls=True, ca_file=server.ca_file)
    bob = Client(BOB, PASSWORD, address=address)
    bob.seen = []

    @bob.on_presence
    async def note(presence: Presence) -> None:
        bob.seen.append((presence.from_.bare, presence.type, presence.show))
        if presence.type == "subscribe":
            await bob.approve(presence.from_)
            await bob.subscribe(presence.from_)

    return bob


def test_go_sendxmpp(running, tmp_path: Path) -> None:
    command = [program("go-sendxmpp"), "-u", str(ALICE), "-p", PASSWORD]

    async def sendxmpp(*arguments: str, text: str = "", env: dict[str, str]) -> Any:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=env
        )
        if text:
            out, err = await process.communicate(text.encode())
            assert (process.returncode, out, err) == (0, b"", b"")
        return process

    async def main() -> None:
        async with running("alice", "bob") as server, our_client(server) as bob:
            env = {"HOME": str(tmp_path), "SSL_CERT_FILE": str(server.ca_file)}
            starttls, direct = f"localhost:{server.port}", f"localhost:{server.tls_port}"
            for where in (("-j", starttls), ("-t", "-j", direct)):
                await sendxmpp(*where, str(BOB), text="h\u00e4llo \u6f22", env=env)
                message = await anext(bob.messages())
                assert message.from_.bare == ALICE
                assert (message.body or "").strip() == "h\u00e4llo \u6f22"
            listening = await sendxmpp("-j", starttls, "-l", env=env)
            try:
                await until(lambda: is_available(server))
                await bob.send_message(ALICE, "\u00bfqu\u00e9?")
                assert (await listening.stdout.readline()).decode().endswith(": \u00bfqu\u00e9?\n")
            finally:
                listening.kill()
                await listening.communicate()

    run(main())


def test_go_sendxmpp_with_a_wrong_password(running, tmp_path: Path) -> None:
    command = [program("go-sendxmpp"), "-u", str(ALICE), "-p", "wrong"]

    async def main() -> None:
        async with running("alice", "bob") as server:
            pipe = asyncio.subprocess.PIPE
            env = {"HOME": str(tmp_path), "SSL_CERT_FILE": str(server.ca_file)}
            process = await asyncio.create_subprocess_exec(
                *command,
                *("-j", f"localhost:{server.port}", str(BOB)),
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=env,
            )
            out, err = await process.communicate(b"x")
            assert process.returncode != 0
            assert b"wrong name or password" in out + err

    run(main())


MCABBER = """
set jid = alice@localhost
set password = {password}
set server = 127.0.0.1
set port = {port}
set tls = 1
set ssl_ignore_checks = 1
set logging = 1
set logging_dir = {folder}/logs
module load fifo
set fifo_name = {folder}/fifo
set disable_random_resource = 1
set resource = mcabber
"""


def test_mcabber(running, tmp_path: Path) -> None:
    command = program("mcabber")
    folder = tmp_path / "home"
    (folder / "logs").mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    path, history = folder / "mcabberrc", folder / "logs" / str(BOB)

    def heard(text: str) -> bool:
        with suppress(FileNotFoundError):
            return text in history.read_text(encoding="utf-8")
        return False

    async def main() -> None:
        async with running("alice", "bob") as server, our_client(server) as bob:
            path.write_text(MCABBER.format(password=PASSWORD, port=server.port, folder=folder))
            path.chmod(0o600)
            async with terminal([command, "-f", str(path)], folder) as screen:
                await screen.until(lambda: (folder / "fifo").exists(), "mcabber")
                await screen.until(lambda: is_available(server), "the login")

                def say(line: str) -> None:
                    with (folder / "fifo").open("w", encoding="utf-8") as fifo:
                        fifo.write(line + "\n")

                say("add bob@localhost Bob")
                await until(
                    lambda: ALICE in bob.roster and bob.roster[ALICE].subscription == "from"
                )
                say("authorization allow bob@localhost")
                await until(lambda: bob.roster[ALICE].subscription == "both")
                say("status dnd busy")
                await until(lambda: (ALICE, "available", "dnd") in bob.seen)
                say("say_to bob@localhost h\u00e4llo \u6f22")
                message = await anext(bob.messages())
                assert (message.body, message.from_) == (
                    "h\u00e4llo \u6f22",
                    JID.parse("alice@localhost/mcabber"),
                )
                await bob.send_message(ALICE, "\u00bfqu\u00e9? \u6f22")
                await screen.until(lambda: heard("\u00bfqu\u00e9? \u6f22"), "the answer")
                await send_ping(bob.host, message.from_)
                say("quit")
                await until(lambda: (ALICE, "unavailable", None) in bob.seen)

    run(main())


PROFANITY = """
[alice@localhost]
enabled=true
jid=alice@localhost
server=127.0.0.1
port={port}
resource=profanity
password={password}
tls.policy=trust
presence.last=online
presence.login=online
"""


def test_profanity(running, tmp_path: Path) -> None:
    command = program("profanity")
    data = tmp_path / "data" / "profanity"
    data.mkdir(parents=True)

    async def main() -> None:
        async with running("alice", "bob") as server, our_client(server) as bob:
            (data / "accounts").write_text(PROFANITY.format(port=server.port, password=PASSWORD))
            folders = {
                "XDG_DATA_HOME": str(tmp_path / "data"),
                "XDG_CONFIG_HOME": str(tmp_path / "config"),
            }
            async with terminal([command, "-a", str(ALICE)], tmp_path, **folders) as screen:
                await screen.until(lambda: is_available(server), "the login")
                await screen.until_shown("alice@localhost")
                screen.type("/sub request bob@localhost")
                await until(
                    lambda: ALICE in bob.roster and bob.roster[ALICE].subscription == "from"
                )
                screen.type("/sub allow bob@localhost")
                await until(lambda: bob.roster[ALICE].subscription == "both")
                screen.type("/status set away")
                await until(lambda: (ALICE, "available", "away") in bob.seen)
                screen.type("/msg bob@localhost h\u00e4llo \u6f22")
                message = await anext(bob.messages())
                assert message.body == "h\u00e4llo \u6f22"
                assert message.from_.resource == "profanity"
                await bob.send_message(ALICE, "answer \u00bfqu\u00e9? \u6f22")
                await screen.until_shown("answer \u00bfqu\u00e9? \u6f22")
                await send_ping(bob.host, message.from_)
                screen.type("/quit")
                await until(lambda: (ALICE, "unavailable", None) in bob.seen)

    run(main())
