"""The command `xmppfast`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module

from .. import Limits, __version__, backend
from .._extras import ExtraMissing
from . import bench, check, listen, load, parse, ping, roster, send, serve, user
from .configuration import ConfigurationError

_FAILED, _UNREADABLE, _INTERRUPTED, _NO_READER = 1, 2, 130, 141

# Where errors are defined that have a text for people. Nothing of these is imported before it is
# needed: the commands for recorded streams do without any other package.
_OURS = ("xmppfast.client", "xmppfast.cluster", "xmppfast.core", "xmppfast.storage")

# Those for sessions, with what they are for.
_SESSIONS = {
    "serve": (serve, "run a server"),
    "user": (user, "add, remove and list accounts of a server"),
    "config": (check, "check a server's configuration file"),
    "send": (send, "send a message"),
    "listen": (listen, "show messages as they come"),
    "ping": (ping, "ask somebody for a sign of life"),
    "roster": (roster, "show the contacts of an account"),
    "load": (load, "put load on a server, and measure what it takes"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code. Wrong usage raises SystemExit, as argparse does."""
    parser = _argument_parser()
    options = parser.parse_args(arguments)
    return complete(lambda: options.run(options))


def complete(run: Callable[[], int]) -> int:
    """Run something; returns its exit code, that of what is wrong if it has said so on stderr."""
    try:
        code = run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return _NO_READER
    except (ConfigurationError, ExtraMissing, ValueError) as error:
        return _complain(str(error), _UNREADABLE)
    except TimeoutError as error:
        return _complain(str(error) or "no answer in time", _FAILED)
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        return _complain(f"{place}{error.strerror or error}", _UNREADABLE)
    except Exception as error:
        if type(error).__module__.startswith(_OURS):
            return _complain(str(error), _FAILED)
        raise
    return code


def _complain(text: str, code: int) -> int:
    print(f"xmppfast: {text}", file=sys.stderr)
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
    parser = argparse.ArgumentParser(
        prog="xmppfast", description="An XMPP server, a client, and a reader of recorded streams."
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, help_text) in _SESSIONS.items():
        command = commands.add_parser(
            name,
            help=help_text,
            description=module.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
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
