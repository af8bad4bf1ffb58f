"""The command `xmppfast`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import Limits, __version__, backend
from . import parse

_UNREADABLE, _INTERRUPTED, _NO_READER = 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code. Wrong usage raises SystemExit, as argparse does."""
    parser = _argument_parser()
    options = parser.parse_args(arguments)
    try:
        limits = Limits(**{name: getattr(options, name) for name in Limits.__slots__})
    except ValueError as error:
        parser.error(str(error))
    try:
        code = parse.run(options, limits)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return _NO_READER
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        print(f"xmppfast: {place}{error.strerror or error}", file=sys.stderr)
        return _UNREADABLE
    return code


def _forget_output() -> None:
    """Have what is still buffered for the reader that went away go nowhere, without a complaint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _version() -> str:
    implementation = f"{platform.python_implementation()} {platform.python_version()}"
    if backend == "compiled":
        kernel = import_module("xmppfast.xml._tokenizer").kernel()
        return f"xmppfast {__version__} (compiled backend, kernel {kernel}; {implementation})"
    return f"xmppfast {__version__} ({backend} backend; {implementation})"


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xmppfast", description="Read recorded XMPP streams.")
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    parse.add_arguments(
        commands.add_parser(
            "parse",
            help="show the events of a recorded stream",
            description=parse.DESCRIPTION,
            epilog=parse.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    return parser
