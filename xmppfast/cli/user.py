"""`xmppfast user`: the accounts of a server, whether it is running or not."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .._extras import need
from . import account_file, passwords, settings
from .configuration import Configuration
from .progress import Progress

if TYPE_CHECKING:
    from ..server.accounts import AccountStore

DESCRIPTION = """\
Add, remove and list accounts. It works on the server's data, whether the server is running or not.
"""

# Accounts that are stored together; in between, it is told how far it has come.
_BATCH = 100

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
        description="Make the accounts of a CSV file with lines of address and password; the first"
        " line may be headings. Accounts that exist stay as they are. If anything is wrong with the"
        " file, nothing is done.",
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
    jid = account_file.address(options.jid)
    password = passwords.read(options, str(jid), new=True)

    async def work(accounts: AccountStore) -> int:
        if await accounts.create(jid, password):
            return 0
        return _complain(f"{jid} exists already")

    return _with_accounts(configuration, jid.domain, work)


def passwd(options: argparse.Namespace, configuration: Configuration) -> int:
    """Change a password."""
    jid = account_file.address(options.jid)
    password = passwords.read(options, str(jid), new=True)

    async def work(accounts: AccountStore) -> int:
        if await accounts.set_password(jid, password):
            return 0
        return _complain(f"there is no account {jid}")

    return _with_accounts(configuration, jid.domain, work)


def remove(options: argparse.Namespace, configuration: Configuration) -> int:
    """Remove an account: its sessions and subscriptions end."""
    from ..server.control import ControlFailed, ask

    jid = account_file.address(options.jid)
    try:
        done = asyncio.run(ask(configuration.data, "remove", jid))
    except ControlFailed as error:
        return _complain(str(error))
    if done is not None:
        return 0 if done else _complain(f"there is no account {jid}")

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
    found = account_file.read(options.file)

    async def work(accounts: AccountStore) -> int:
        progress = Progress(
            sys.stderr, total=len(found), enabled=sys.stderr.isatty(), describe=_accounts_of
        )
        made = 0
        try:
            for begin in range(0, len(found), _BATCH):
                made += sum(await accounts.create_many(found[begin : begin + _BATCH]))
                progress.update(begin + _BATCH)
        finally:
            progress.clear()
        print(f"{made} accounts made, {len(found) - made} existed already")
        return 0

    domain = found[0][0].domain if found else configuration.domain
    return _with_accounts(configuration, domain, work)


def _accounts_of(done: int, total: int | None) -> str:
    assert total is not None
    return f"{min(done, total)} of {total} accounts"


def _with_accounts(configuration: Configuration, domain: str, work: Work) -> int:
    from ..core.jid import JID
    from ..server.accounts import open_accounts
    from ..server.defaults import features
    from ..server.server import Server, Settings
    from ..storage.sql import SqlStorage

    async def main() -> int:
        configuration.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        storage = await SqlStorage.open(configuration.storage_url)
        try:
            accounts = await open_accounts(storage, JID.parse(domain))
            # A server without connections: who has an account in the roster learns of its end.
            server = Server(Settings(JID.parse(domain)), accounts, features(storage))
            try:
                return await work(accounts)
            finally:
                await server.close()
        finally:
            await storage.close()

    return asyncio.run(main())


def _complain(what: str) -> int:
    print(f"xmppfast: {what}", file=sys.stderr)
    return 1
