"""`xmppfast roster`: the contacts of an account."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import account

if TYPE_CHECKING:
    from ..client import Client

DESCRIPTION = """\
Show the contacts of an account: address, subscription, name, groups.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this command."""
    account.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Show them; returns the exit code."""

    async def work(client: Client) -> int:
        for jid in sorted(client.roster, key=str):
            item = client.roster[jid]
            asked = " (asked)" if item.ask else ""
            fields = (str(jid), item.subscription + asked, item.name or "", ", ".join(item.groups))
            print("\t".join(fields).rstrip("\t"))
        return 0

    return account.run(options, work)
