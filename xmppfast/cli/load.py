"""`xmppfast load`: load on a server, and what it takes."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import Stanza, StreamError, StreamParser
from .._extras import need
from . import account_file
from .load_progress import showing
from .recording import Recording

if TYPE_CHECKING:
    from ..load.crowd import Crowd, Progress
    from ..load.observed import Observed
    from ..load.report import Report
    from ..load.runs import Accounts

    Run = Callable[["_Under"], Awaitable[Report]]

DESCRIPTION = """\
Put load on an XMPP server with many sessions in one process, and measure what comes of it.

  xmppfast load accounts 400 --domain localhost > accounts.csv
  xmppfast user import accounts.csv                 (or as other servers have it)
  xmppfast load throughput --accounts accounts.csv --pairs 200 --window 1 --pid PID --cpu 1

With the server pinned to another processor, `server cpu us per message` is the figure to compare.
"""

EPILOG = """\
Exit codes: 0 clean; 1 something was lost, duplicated, disordered or refused, or a session ended;
2 it could not be run.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the kinds of load."""
    parser.epilog = EPILOG
    kinds = parser.add_subparsers(required=True, metavar="KIND", dest="kind")
    accounts = kinds.add_parser("accounts", help="write lines of address and random password")
    accounts.add_argument("count", type=_count, metavar="N")
    accounts.add_argument("--domain", default="localhost", help="(default: %(default)s)")
    accounts.set_defaults(run=write_accounts)

    kind = _kind(kinds, "logins", "log in and out", _logins)
    kind.add_argument("--sessions", type=_count, metavar="N", help="(default: all accounts)")

    kind = _kind(kinds, "throughput", "messages in a closed loop", _throughput)
    kind.add_argument(
        "--window", type=_count, default=1, metavar="N", help="messages of a pair on the way"
    )
    _messages(kind)

    kind = _kind(kinds, "rate", "messages in an open loop", _rate)
    kind.add_argument(
        "--rate", type=_positive, default=1000.0, metavar="N", help="messages per second"
    )
    _messages(kind)

    kind = _kind(kinds, "idle", "sessions that do nothing", _idle)
    kind.add_argument("--sessions", type=_count, metavar="N", help="(default: all accounts)")
    _seconds(kind)

    kind = _kind(kinds, "presence", "presence of one account to many contacts", _presence)
    kind.add_argument(
        "--contacts", type=_count, metavar="N", help="(default: all accounts but the first)"
    )
    _seconds(kind)

    kind = _kind(kinds, "replay", "mixed traffic from a recorded stream", _replay)
    kind.add_argument("capture", type=Path, metavar="FILE", help="what a client sent, as recorded")
    kind.add_argument(
        "--rate", type=_positive, default=1000.0, metavar="N", help="stanzas per second"
    )
    kind.add_argument("--pairs", type=_count, metavar="N", help="(default: half the accounts)")
    _seconds(kind)


def _kind(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str, make: Run
) -> argparse.ArgumentParser:
    """Declare a kind of load, with the options that all of them have."""
    kind = kinds.add_parser(name, help=what, epilog=EPILOG)
    kind.set_defaults(run=run, make=make)
    kind.add_argument(
        "--accounts", required=True, metavar="FILE", help="lines of address and password; - stdin"
    )
    where = kind.add_argument_group("the server")
    where.add_argument("--host", default="127.0.0.1", help="(default: %(default)s)")
    where.add_argument("--port", type=int, metavar="N", help="(default: 5222; direct TLS: 5223)")
    where.add_argument("--direct-tls", action="store_true", help="the port begins with TLS")
    where.add_argument(
        "--allow-plaintext", action="store_true", help="log in without TLS, whatever is offered"
    )
    where.add_argument("--ca-file", type=Path, metavar="FILE", help="authorities to trust")
    where.add_argument("--no-verify", action="store_true", help="accept any certificate")
    where.add_argument("--mechanism", metavar="NAME", help="of SASL (default: the best offered)")
    where.add_argument("--roster", action="store_true", help="ask for the roster at login")
    where.add_argument(
        "--at-once", type=_count, default=16, metavar="N", help="logins under way (default: 16)"
    )
    watch = kind.add_argument_group("what is watched, and shown")
    watch.add_argument(
        "--pid",
        type=int,
        action="append",
        default=[],
        metavar="N",
        help="process of the server on this machine; its descendants count too",
    )
    watch.add_argument("--cpu", type=int, metavar="N", help="keep to this processor")
    watch.add_argument("--json", action="store_true", help="one JSON object on standard output")
    watch.add_argument(
        "--plot", type=Path, metavar="FILE", help="write a plot; .svg or .png (extra bench)"
    )
    watch.add_argument(
        "--loop", choices=("uvloop", "asyncio"), help="event loop (default: uvloop if installed)"
    )
    return kind


def _seconds(kind: argparse.ArgumentParser) -> None:
    kind.add_argument(
        "--seconds", type=_positive, default=10.0, metavar="S", help="to measure (default: 10)"
    )


def _messages(kind: argparse.ArgumentParser) -> None:
    kind.add_argument("--pairs", type=_count, metavar="N", help="(default: half the accounts)")
    kind.add_argument(
        "--body", type=int, default=100, metavar="N", help="characters of text (default: 100)"
    )
    kind.add_argument(
        "--warmup", type=float, default=2.0, metavar="S", help="seconds before (default: 2)"
    )
    kind.add_argument(
        "--together",
        action="store_true",
        help="one write for all messages of a turn, instead of one for each: kinder to the server",
    )
    _seconds(kind)


def write_accounts(options: argparse.Namespace) -> int:
    """Write addresses and passwords."""
    for number in range(options.count):
        print(f"user{number}@{options.domain},{secrets.token_urlsafe(9)}")
    return 0


def run(options: argparse.Namespace) -> int:
    """Make the run; returns the exit code.

    Raises ExtraMissing, OSError and ValueError.
    """
    need("xmppfast.client", "client")
    if options.plot is not None and util.find_spec("matplotlib") is None:
        raise ValueError("a plot needs matplotlib: pip install 'xmppfast[bench]'")
    from ..load.report import text

    accounts = _read(options.accounts)
    if options.cpu is not None:
        _pin(options.cpu)
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if options.loop == "uvloop" or (options.loop is None and util.find_spec("uvloop")):
        factory = import_module("uvloop").new_event_loop
    with (
        showing(sys.stderr) as progress,
        asyncio.Runner(loop_factory=factory) as runner,
    ):
        report = runner.run(_run(options, accounts, progress))
    print(report.dump() if options.json else text(report))
    if options.plot is not None:
        from ..load.plot import draw

        draw(report, options.plot)
    return 0 if report.clean else 1


async def _run(options: argparse.Namespace, accounts: Accounts, progress: Progress) -> Report:
    from ..load.crowd import Crowd, Target
    from ..load.observed import Observed
    from ..protocol.connecting import Tls

    target = Target(
        options.host,
        options.port or (5223 if options.direct_tls else 5222),
        Tls.NEVER if options.allow_plaintext else Tls.REQUIRED,
        options.direct_tls,
        not options.no_verify,
        options.ca_file,
        options.mechanism,
        options.roster,
    )
    crowd = Crowd(target)
    under = _Under(options, crowd, Observed(options.pid), accounts, progress)
    report: Report = await options.make(under)
    return report


def _recorded(file: Path) -> Iterator[Stanza]:
    """The stanzas of a recording; ValueError where it is wrong."""
    recording = Recording(StreamParser(), chunk_size=4096, restarts=True)
    try:
        for placed in recording.read(file.read_bytes()):
            if isinstance(placed.event, Stanza):
                yield placed.event
    except StreamError as error:
        raise ValueError(f"{file}, byte {recording.offset}: {error}") from None


def _read(file: str) -> Accounts:
    accounts = account_file.read(file)
    if not accounts:
        raise ValueError(f"{file}: no accounts")
    return accounts


def _first(accounts: Accounts, count: int | None) -> Accounts:
    """So many of the accounts; ValueError if there are less."""
    if count is None:
        return accounts
    if count > len(accounts):
        raise ValueError(f"{count} accounts are needed, {len(accounts)} are given")
    return accounts[:count]


def _of_pairs(accounts: Accounts, pairs: int | None) -> Accounts:
    count = 2 * (pairs or len(accounts) // 2)
    return _first(accounts, max(count, 2))


@dataclass(frozen=True)
class _Under:
    """What every run is given: `crowd`, `server`, and how to log in and say how far it is."""

    options: argparse.Namespace
    crowd: Crowd
    server: Observed
    accounts: Accounts
    progress: Progress

    def run(
        self, kind: Callable[..., Awaitable[Report]], accounts: Accounts, *more: object, **own: Any
    ) -> Awaitable[Report]:
        """Begin a run of some kind with the accounts it needs, and what only it has."""
        return kind(
            self.crowd,
            self.server,
            accounts,
            *more,
            at_once=self.options.at_once,
            progress=self.progress,
            **own,
        )

    def chosen(self, *names: str) -> dict[str, Any]:
        """Options that a run has under the same names."""
        return {name: getattr(self.options, name) for name in names}


_OF_MESSAGES = ("seconds", "warmup", "body", "together")


def _logins(under: _Under) -> Awaitable[Report]:
    from ..load.runs import logins

    return under.run(logins, _first(under.accounts, under.options.sessions))


def _idle(under: _Under) -> Awaitable[Report]:
    from ..load.runs import idle

    accounts = _first(under.accounts, under.options.sessions)
    return under.run(idle, accounts, **under.chosen("seconds"))


def _throughput(under: _Under) -> Awaitable[Report]:
    from ..load.runs import throughput

    accounts = _of_pairs(under.accounts, under.options.pairs)
    return under.run(throughput, accounts, **under.chosen("window", *_OF_MESSAGES))


def _rate(under: _Under) -> Awaitable[Report]:
    from ..load.runs import rate

    accounts = _of_pairs(under.accounts, under.options.pairs)
    return under.run(
        rate, accounts, per_second=under.options.rate, **under.chosen(*_OF_MESSAGES)
    )  # fmt: skip


def _presence(under: _Under) -> Awaitable[Report]:
    from ..load.presence import presence

    contacts = under.options.contacts
    accounts = _first(under.accounts, None if contacts is None else contacts + 1)
    return under.run(presence, accounts, **under.chosen("seconds"))


def _replay(under: _Under) -> Awaitable[Report]:
    from ..load.replay import replay, replayable

    return under.run(
        replay,
        _of_pairs(under.accounts, under.options.pairs),
        replayable(_recorded(under.options.capture)),
        per_second=under.options.rate,
        **under.chosen("seconds"),
    )


def _pin(core: int) -> None:
    import os

    if not hasattr(os, "sched_setaffinity"):
        raise ValueError("this system can't keep a process to one processor")
    os.sched_setaffinity(0, {core})


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return value
