"""`xmppfast ping`: how long an answer takes (XEP-0199)."""

from __future__ import annotations

import argparse
import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from . import account

if TYPE_CHECKING:
    from ..client import Client

DESCRIPTION = """\
Ask somebody for a sign of life, and show how long it takes.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this command."""
    account.add_arguments(parser)
    parser.add_argument("to", metavar="TO", nargs="?", help="default: the account's own server")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="times (default: 1)")


def run(options: argparse.Namespace) -> int:
    """Ask; returns the exit code."""

    async def work(client: Client) -> int:
        from ..core.jid import JID
        from ..xep.ping import send_ping

        to = JID.parse(options.to) if options.to else JID(None, client.jid.domain)
        for number in range(options.count):
            if number:
                await asyncio.sleep(1)
            begin = perf_counter()
            await send_ping(client.host, to)
            print(f"{to}: {1000 * (perf_counter() - begin):.1f} ms", flush=True)
        return 0

    return account.run(options, work)
