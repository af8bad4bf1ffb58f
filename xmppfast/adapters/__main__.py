"""Run a script with adapters in place: python -m xmppfast.adapters run --for slixmpp script.py."""

from __future__ import annotations

import argparse
import importlib
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

# Hosts, and the adapters that have an `install()` for them.
HOSTS = {
    "domish": "xmppfast.adapters.domish",
    "etree": "xmppfast.adapters.etree",
    "expat": "xmppfast.adapters.expat",
    "nbxmpp": "xmppfast.adapters.nbxmpp",
    "sax": "xmppfast.adapters.sax",
    "slixmpp": "xmppfast.adapters.slixmpp",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Install the adapters that are asked for, then be the script."""
    parser = argparse.ArgumentParser(prog="python -m xmppfast.adapters")
    run = parser.add_subparsers(required=True, metavar="run").add_parser(
        "run", help="run a Python script or module with adapters in place"
    )
    run.add_argument(
        "--for",
        dest="hosts",
        action="append",
        required=True,
        choices=sorted(HOSTS),
        help="what to stand in for; can be given several times",
    )
    run.add_argument("-m", dest="is_module", action="store_true", help="it is a module's name")
    run.add_argument("script", help="path of the script")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    chosen = parser.parse_args(arguments)
    for host in chosen.hosts:
        importlib.import_module(HOSTS[host]).install()
    sys.argv = [chosen.script, *chosen.arguments]
    if chosen.is_module:
        sys.path.insert(0, "")
        runpy.run_module(chosen.script, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(chosen.script).resolve().parent))
        runpy.run_path(chosen.script, run_name="__main__")


if __name__ == "__main__":
    main()
