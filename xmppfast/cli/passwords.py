"""Passwords from a prompt, a file or stdin; never from the command line, which others can see."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where a password can come from."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--password-stdin", action="store_true", help="read the password from stdin, one line"
    )
    source.add_argument(
        "--password-file", type=Path, metavar="FILE", help="read the password from a file, one line"
    )


def read(options: argparse.Namespace, jid: str, *, new: bool = False) -> str:
    """Get the password; a `new` one is asked for twice.

    Raises OSError for a file that can't be read, and ValueError if nothing or no text was given.
    """
    if options.password_file is not None:
        return _line(options.password_file.read_bytes(), str(options.password_file))
    if options.password_stdin:
        return _line(sys.stdin.buffer.readline(), "stdin")
    if not sys.stdin.isatty():
        raise ValueError("no terminal to ask for a password: use --password-stdin or a file")
    password = getpass.getpass(f"Password of {jid}: ")
    if new and getpass.getpass("Again: ") != password:
        raise ValueError("the passwords differ")
    return password


def _line(data: bytes, source: str) -> str:
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{source}: the password is not UTF-8") from None
    if not lines or not lines[0]:
        raise ValueError(f"{source}: no password")
    return lines[0]
