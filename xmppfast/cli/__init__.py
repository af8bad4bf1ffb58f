"""The command `xmppfast`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from .. import Limits, __version__, backend
from . import bench, parse

_UNREADABLE, _INTERRUPTED, _NO_READER = 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code. Wrong usage raises SystemExit, as argparse does."""
    parser = _argument_parser()
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
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


def _parse(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        limits = Limits(**{name: getattr(options, name) for name in Limits.__slots__})
    except ValueError as error:
        parser.error(str(error))
    return parse.run(options, limits)


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
    reading = commands.add_parser(
        "parse",
        help="show the events of a recorded stream",
        description=parse.DESCRIPTION,
        epilog=parse.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parse.add_arguments(reading)
    reading.set_defaults(run=partial(_parse, parser))
    measuring = commands.add_parser(
        "bench",
        help="measure beside other libraries; needs a checkout",
        description=bench.DESCRIPTION,
        epilog=bench.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bench.add_arguments(measuring)
    measuring.set_defaults(run=bench.run)
    return parser
