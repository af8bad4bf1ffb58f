"""Options of the commands that log in to an account."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .._extras import need
from . import passwords

if TYPE_CHECKING:
    from ..client import Client

Work = Callable[["Client"], Awaitable[int]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that all of these commands have."""
    parser.add_argument(
        "-a", "--account", required=True, metavar="JID", help="the account to log in to"
    )
    passwords.add_arguments(parser)
    where = parser.add_argument_group("where the server is, if not where its DNS says")
    where.add_argument("--host", help="address or name to connect to")
    where.add_argument("--port", type=int, metavar="N", help="with --host (default: 5222)")
    where.add_argument(
        "--direct-tls", action="store_true", help="with --host: the port begins with TLS"
    )
    trust = parser.add_argument_group("trust")
    trust.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="PEM file with the authorities to trust"
    )
    trust.add_argument(
        "--no-verify", action="store_true", help="accept any certificate: anybody may be in between"
    )
    trust.add_argument(
        "--allow-plaintext", action="store_true", help="go on where a server offers no TLS"
    )


def run(
    options: argparse.Namespace,
    work: Work,
    *,
    available: bool = False,
    prepare: Callable[[Client], None] | None = None,
) -> int:
    """Log in, do the work, log out; returns the exit code.

    available  whether to send available presence
    prepare    is called before logging in

    Raises ExtraMissing, OSError, ValueError, and the client's and the server's errors.
    """
    need("xmppfast.client", "client")
    from ..client import Address, Client

    logging.getLogger("xmppfast").setLevel(logging.CRITICAL)
    address = Address(
        host=options.host,
        port=options.port,
        direct_tls=options.direct_tls,
        verify=not options.no_verify,
        ca_file=options.ca_file,
        plaintext=options.allow_plaintext,
    )
    client = Client(
        options.account,
        passwords.read(options, options.account),
        address=address,
        available=available,
        reconnect=available,
    )
    if prepare is not None:
        prepare(client)

    async def main() -> int:
        async with client:
            return await work(client)

    return asyncio.run(main())
