"""`xmppfast bench`: the measurements of the project, which lie in a checkout of it.

The measurements import lxml, matplotlib and other projects; the package depends on nothing. So only
the options are here, and what they mean is in the checkout's folder `bench`.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

DESCRIPTION = """\
Measure xmppfast beside other libraries on this machine, in turns, each in a process of its own, and
write a report: JSON, Markdown, a chart (SVG and PNG) and one HTML page.

  xmppfast bench                      everything; at most 15 minutes on two cores
  xmppfast bench --quick              small streams, few rounds: whether it all runs
  xmppfast bench --list               parts, subjects and streams there are
  xmppfast bench compare A.json B.json    which figures of B differ from those of A
"""

EPILOG = """\
Needs a checkout of the project, or its unpacked source distribution: the one xmppfast is installed
from in editable form, the one around the current folder, or --checkout.

Exit codes: 0 done; 1 subjects read the same bytes differently, or with CI=true, something could not
be measured; 2 wrong usage, or a file that can't be read; 130 interrupted.
"""

COMPARE = """\
Tell real change from noise between two results of `xmppfast bench`.

A figure is a median of rounds. Its standard error is estimated from the quartiles: 1.2533 / 1.349
times their distance, over the square root of the number of rounds. A change is real if it is both
larger than --tolerance, which stands for what differs between any two processes, and larger than
three standard errors of the two medians together. A change larger than the tolerance that the
spread may explain is unclear.

Exit codes: 0 nothing is worse; 1 at least one figure is worse; 2 wrong usage, or a file that can't
be read or has no figure in common with the other.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this command."""
    parser.add_argument("--quick", action="store_true", help="small streams, few rounds")
    parser.add_argument("--list", action="store_true", help="say what there is, and do nothing")
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="NAME", help="parts or subjects to keep to"
    )
    parser.add_argument(
        "--corpus",
        nargs="+",
        default=(),
        metavar="NAME|DIR",
        help="streams to keep to, or the folder with chat.xml, xep.xml ... to use instead",
    )
    parser.add_argument(
        "--baseline", metavar="SUBJECT", help="what ratios are to (default: XMLPullParser)"
    )
    parser.add_argument(
        "--install",
        action="store_true",
        help="install the libraries to compare with into an environment of their own",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write the report")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write this file only")
    parser.add_argument(
        "--backend", choices=("compiled", "expat"), help="default: the one xmppfast takes"
    )
    parser.add_argument("--checkout", type=Path, metavar="DIR", help="where the project lies")
    commands = parser.add_subparsers(dest="action", metavar="compare")
    compare = commands.add_parser(
        "compare",
        help="compare two results",
        description=COMPARE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("before", type=Path, metavar="A.json")
    compare.add_argument("after", type=Path, metavar="B.json")
    compare.add_argument(
        "--tolerance",
        type=_percent,
        default=10.0,
        metavar="PERCENT",
        help="changes up to this are none (default: %(default)g)",
    )
    compare.add_argument(
        "--json", dest="as_json", action="store_true", help="one JSON object on standard output"
    )


def run(options: argparse.Namespace) -> int:
    """Have the checkout's measurements do it; returns the exit code. Raises OSError."""
    checkout = find_checkout(options.checkout)
    if checkout is None:
        where = f"{options.checkout} is none" if options.checkout else "found none"
        print(
            "xmppfast: the measurements are not part of the installed package. They need a "
            f"checkout of the project, or its unpacked source distribution: {where}. "
            "Change to its folder, or name it with --checkout.",
            file=sys.stderr,
        )
        return 2
    sys.path.insert(0, str(checkout))
    code: int = import_module("bench.command").run(options)
    return code


def find_checkout(named: Path | None) -> Path | None:
    """The folder with the measurements: the one named, else the package's own or one around us."""
    here = Path.cwd()
    places = [named] if named else [Path(__file__).parents[2], here, *here.parents]
    return next((p.resolve() for p in places if (p / "bench" / "command.py").is_file()), None)


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1000:
        raise argparse.ArgumentTypeError(f"must be a percentage, not {text!r}")
    return value
