"""`xmppfast listen`: show messages as they come."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from . import account

if TYPE_CHECKING:
    from ..client import Client, Message

DESCRIPTION = """\
Show messages as they come, until you stop it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this command."""
    account.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object per message and line")
    parser.add_argument("--count", type=int, metavar="N", help="stop after so many messages")


def run(options: argparse.Namespace) -> int:
    """Show them; returns the exit code."""

    async def work(client: Client) -> int:
        print(f"connected as {client.jid}", file=sys.stderr, flush=True)
        left = options.count
        async for message in client.messages():
            print(_json(message) if options.json else _text(message), flush=True)
            if left is not None:
                left -= 1
                if left <= 0:
                    break
        return 0

    return account.run(options, work, available=True)


def _time(message: Message) -> datetime:
    return message.delay or datetime.now(UTC)


def _text(message: Message) -> str:
    body = message.body if message.body is not None else f"({message.type}, no text)"
    # What others send must not write on the terminal elsewhere than here.
    shown = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in body
    )
    indented = shown.replace("\n", "\n    ")
    return f"{_time(message).astimezone():%H:%M:%S} {message.from_}: {indented}"


def _json(message: Message) -> str:
    return json.dumps(
        {
            "time": _time(message).isoformat(),
            "from": str(message.from_),
            "type": message.type,
            "id": message.id,
            "subject": message.subject,
            "body": message.body,
        },
        ensure_ascii=False,
    )
