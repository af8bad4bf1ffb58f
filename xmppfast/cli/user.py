"""`xmppfast user`: the accounts of a server, whether it is running or not."""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .._extras import need
from . import passwords, settings
from .configuration import Configuration

if TYPE_CHECKING:
    from ..core.jid import JID
    from ..server.accounts import AccountStore

DESCRIPTION = """\
Add, remove and list accounts. It works on the server's data, whether the server is running or not.
"""

# Accounts that are stored together.
_BATCH = 500

Work = Callable[["AccountStore"], Awaitable[int]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands of this command."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="user_command")
    for name, help_text, what in (
        ("add", "make an account", add),
        ("passwd", "change a password", passwd),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("jid", metavar="JID")
        passwords.add_arguments(command)
        settings.add_arguments(command)
        command.set_defaults(work=what)
    command = commands.add_parser("remove", help="remove an account and all that is kept for it")
    command.add_argument("jid", metavar="JID")
    settings.add_arguments(command)
    command.set_defaults(work=remove)
    command = commands.add_parser("list", help="show all accounts")
    settings.add_arguments(command)
    command.set_defaults(work=list_)
    command = commands.add_parser(
        "import",
        help="make many accounts",
        description="Make the accounts of a CSV file with lines of address and password. Those that"
        " exist stay as they are. If anything is wrong with the file, nothing is done.",
    )
    command.add_argument("file", metavar="FILE", help="UTF-8; - for stdin")
    settings.add_arguments(command)
    command.set_defaults(work=import_)


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit code.

    Raises ExtraMissing, ConfigurationError, StorageError, OSError and ValueError.
    """
    need("xmppfast.server.service", "server")
    code: int = options.work(options, settings.read(options))
    return code


def add(options: argparse.Namespace, configuration: Configuration) -> int:
    """Make an account."""
    jid = _account(options.jid)
    password = passwords.read(options, str(jid), new=True)

    async def work(accounts: AccountStore) -> int:
        if await accounts.create(jid, password):
            return 0
        return _complain(f"{jid} exists already")

    return _with_accounts(configuration, jid.domain, work)


def passwd(options: argparse.Namespace, configuration: Configuration) -> int:
    """Change a password."""
    jid = _account(options.jid)
    password = passwords.read(options, str(jid), new=True)

    async def work(accounts: AccountStore) -> int:
        if await accounts.set_password(jid, password):
            return 0
        return _complain(f"there is no account {jid}")

    return _with_accounts(configuration, jid.domain, work)


def remove(options: argparse.Namespace, configuration: Configuration) -> int:
    """Remove an account."""
    jid = _account(options.jid)

    async def work(accounts: AccountStore) -> int:
        return 0 if await accounts.remove(jid) else _complain(f"there is no account {jid}")

    return _with_accounts(configuration, jid.domain, work)


def list_(options: argparse.Namespace, configuration: Configuration) -> int:
    """Show all accounts."""

    async def work(accounts: AccountStore) -> int:
        names = await accounts.names()
        while names:
            for jid in names:
                print(jid)
            names = await accounts.names(after=str(names[-1]))
        return 0

    return _with_accounts(configuration, configuration.domain, work)


def import_(options: argparse.Namespace, configuration: Configuration) -> int:
    """Make many accounts."""
    if options.file == "-":
        text, name = sys.stdin.buffer.read(), "stdin"
    else:
        text, name = Path(options.file).read_bytes(), options.file
    found = list(read_accounts(text, name))
    domains = {jid.domain for jid, _ in found}

    async def work(accounts: AccountStore) -> int:
        made = 0
        for begin in range(0, len(found), _BATCH):
            made += sum(await accounts.create_many(found[begin : begin + _BATCH]))
        print(f"{made} accounts made, {len(found) - made} existed already")
        return 0

    if len(domains) > 1:
        raise ValueError(f"{name}: accounts of several domains: {', '.join(sorted(domains))}")
    return _with_accounts(configuration, next(iter(domains), configuration.domain), work)


def read_accounts(data: bytes, name: str) -> Iterator[tuple[JID, str]]:
    """Lines of a file as addresses and passwords; ValueError names the line that is neither."""
    from ..protocol.sasl.password import prepare

    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}, line {line}: not UTF-8") from None
    reader = csv.reader(lines)
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != 2:
                raise ValueError(f"an address and a password, not {len(row)} fields")
            prepare(row[1])
            yield _account(row[0].strip()), row[1]
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{name}, line {reader.line_num}: {error}") from None


def _account(text: str) -> JID:
    from ..core.jid import JID

    jid = JID.parse(text)
    if jid.local is None or jid.resource is not None:
        raise ValueError(f"{text!r} is no address of an account, such as alice@example.org")
    return jid


def _with_accounts(configuration: Configuration, domain: str, work: Work) -> int:
    from ..core.jid import JID
    from ..server.accounts import open_accounts
    from ..storage.sql import SqlStorage

    async def main() -> int:
        configuration.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        storage = await SqlStorage.open(configuration.storage_url)
        try:
            return await work(await open_accounts(storage, JID.parse(domain)))
        finally:
            await storage.close()

    return asyncio.run(main())


def _complain(what: str) -> int:
    print(f"xmppfast: {what}", file=sys.stderr)
    return 1
