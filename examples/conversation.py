"""A server, two accounts and their clients: they become friends, chat, and leave a message.

With --stay the server goes on until Ctrl-C, so that another client can log in, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from xmppfast import Client
from xmppfast.client import Address, Message, Presence
from xmppfast.xep.ping import send_ping

COMMAND = (sys.executable, "-m", "xmppfast")


async def command(*arguments: str, stdin: str = "") -> None:
    """Run a command of xmppfast."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdin=pipe)
    await process.communicate(stdin.encode())
    assert process.returncode == 0


@asynccontextmanager
async def server(data: str) -> AsyncIterator[dict[str, int]]:
    """Run a server on free ports; gives the ports, "starttls" and "direct"."""
    pipe = asyncio.subprocess.PIPE
    arguments = ("serve", "--data", data, "--port", "0", "--tls-port", "0")
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stderr=pipe)
    assert process.stderr is not None
    ports: dict[str, int] = {}
    try:
        while len(ports) < 2:
            message = json.loads(await process.stderr.readline())["message"]
            if message.startswith("listening on "):
                kind = "direct" if message.endswith("(TLS)") else "starttls"
                ports[kind] = int(message.split(" port ")[1].split()[0])
        rest = asyncio.create_task(process.stderr.read())
        yield ports
    finally:
        process.terminate()
        code = await process.wait()
    await rest
    print(f"server: ended with code {code}")


async def until(condition: Callable[[], bool]) -> None:
    """Wait until that is so."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


heard: list[str | None] = []


def show(name: str) -> Callable[[Presence | Message], None]:
    """A handler that prints what that client receives."""

    def handler(event: Presence | Message) -> None:
        if isinstance(event, Message):
            heard.append(event.body)
            stored = ", stored on the way" if event.delay is not None else ""
            print(f"{name} <- {event.from_.bare}: {event.body}{stored}")
        else:
            status = f" ({event.status})" if event.status else ""
            print(f"{name} <- {event.from_.bare} is {event.type}{status}")

    return handler


async def conversation(new_client: Callable[[str], Client]) -> None:
    """What the two do."""
    juliet, romeo = new_client("juliet"), new_client("romeo")
    juliet.on_presence(show("juliet"))
    juliet.on_message(show("juliet"))
    romeo.on_message(show("romeo "))

    @romeo.on_presence
    async def answer(presence: Presence) -> None:
        show("romeo ")(presence)
        if presence.type == "subscribe":
            await romeo.approve(presence.from_)
            await romeo.subscribe(presence.from_)

    async with romeo, juliet:
        print(f"connected: {romeo.jid.bare}, {juliet.jid.bare}")
        await juliet.roster.set(romeo.jid, "Romeo", ["Verona"])
        await juliet.subscribe(romeo.jid)
        await until(lambda: romeo.jid.bare in juliet.roster)
        await until(lambda: juliet.roster[romeo.jid.bare].subscription == "to")
        await juliet.approve(romeo.jid)
        await until(lambda: juliet.roster[romeo.jid.bare].subscription == "both")
        print(f"juliet's roster: {juliet.roster[romeo.jid.bare].name}, subscription both")
        await romeo.send_presence(show="chat", status="im Garten ☾")
        await romeo.send_message(juliet.jid.bare, "Schläfst du? 眠っているの? 🌹")
        await until(lambda: len(heard) == 1)
        await juliet.send_message(romeo.jid.bare, "Ô Roméo… <&>")
        await until(lambda: len(heard) == 2)
        await romeo.close()
        await juliet.send_message(romeo.jid.bare, "¿Dónde estás?")
        # An answer means that the server has handled what was sent before.
        await send_ping(juliet.host, juliet.host.domain)
    async with new_client("romeo") as romeo:
        async for message in romeo.messages():
            show("romeo ")(message)
            break


async def main(stay: bool) -> None:
    """Run the server, make the accounts, have them talk."""
    with tempfile.TemporaryDirectory(prefix="xmppfast-") as data:
        async with server(data) as ports:
            passwords = {name: secrets.token_urlsafe(9) for name in ("juliet", "romeo")}
            for name, password in passwords.items():
                account = (f"{name}@localhost", "--password-stdin", "--data", data)
                await command("user", "add", *account, stdin=password + "\n")
            trusted = Path(data) / "self-signed.pem"
            address = Address("127.0.0.1", ports["direct"], direct_tls=True, ca_file=trusted)

            def new_client(name: str) -> Client:
                return Client(f"{name}@localhost", passwords[name], address=address)

            await conversation(new_client)
            if stay:
                print("\nThe server goes on until Ctrl-C. Log in with any client:")
                print(f"  server 127.0.0.1, port {ports['starttls']} (STARTTLS)", end="")
                print(f" or {ports['direct']} (direct TLS)")
                for name, password in passwords.items():
                    print(f"  {name}@localhost, password {password}")
                print(f"  its certificate: {trusted}", flush=True)
                await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stay", action="store_true", help="go on until Ctrl-C")
    try:
        asyncio.run(main(parser.parse_args().stay))
    except KeyboardInterrupt:
        print()
