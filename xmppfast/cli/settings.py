"""Options of the commands that deal with a server's data, over its configuration file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from .configuration import Configuration, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that all of these commands have."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML configuration file")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of everything that is stored"
    )


def read(options: argparse.Namespace) -> Configuration:
    """Read the file, if there is one, and put the options over it.

    Raises ConfigurationError and OSError.
    """
    configuration = load(options.config) if options.config is not None else Configuration()
    if options.data is not None:
        configuration = replace(configuration, data=options.data)
    return configuration
