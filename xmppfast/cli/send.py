"""`xmppfast send`: one message."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from . import account

if TYPE_CHECKING:
    from ..client import Client

DESCRIPTION = """\
Send a message. Without TEXT it is what comes on stdin.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this command."""
    account.add_arguments(parser)
    parser.add_argument("to", metavar="TO", help="who gets it")
    parser.add_argument("text", metavar="TEXT", nargs="?", help="default: stdin")
    parser.add_argument("--subject", help="what it is about")


def run(options: argparse.Namespace) -> int:
    """Send it; returns the exit code when the server has it."""
    text = options.text
    if text is None:
        if options.password_stdin:
            raise ValueError("stdin can't be both the password and the text")
        text = sys.stdin.read()

    async def work(client: Client) -> int:
        await client.send_message(options.to, text, subject=options.subject)
        return 0

    return account.run(options, work)
