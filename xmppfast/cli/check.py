"""`xmppfast config check`: what is wrong with a configuration file."""

from __future__ import annotations

import argparse
from pathlib import Path

from .._extras import need
from .configuration import load

DESCRIPTION = """\
Read a configuration file as `xmppfast serve` would, with the certificate it names.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands of this command."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="say what is wrong with it", description=DESCRIPTION)
    check.add_argument("file", type=Path, metavar="FILE")


def run(options: argparse.Namespace) -> int:
    """Check it; returns the exit code. Raises ConfigurationError, OSError, ValueError."""
    configuration = load(options.file)
    need("xmppfast.server.service", "server")
    from ..core.jid import JID
    from ..transport.certificates import load as load_certificate

    for address in (configuration.domain, *configuration.admins):
        JID.parse(address)
    if configuration.tls.certificate is not None:
        load_certificate(configuration.tls.certificate, configuration.tls.key)
    print(f"{options.file}: fine")
    return 0
