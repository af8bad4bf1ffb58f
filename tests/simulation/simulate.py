"""Simulates a server and its clients, seed after seed.

    simulate.py [--seed SEED] [--seconds SECONDS] [--runs RUNS] [--log]
                [--workers WORKERS]

Begins with that seed, goes on with the next, and stops at the first in which something is wrong:
then it prints the seed, as few operations as still make it happen, and what happened meanwhile. The
same seed is the same run, on every machine and in every process. How many workers the server has
follows from the seed, too, unless it is said.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import logging
import random
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from operations import Plan, plan  # noqa: E402
from simulated_network import NetworkLoop  # noqa: E402
from simulated_world import World  # noqa: E402

# How often a failing plan is run again to make it shorter.
ATTEMPTS = 150


@dataclass(frozen=True, slots=True)
class Run:
    """What a plan led to.

    log     what happened
    wrong   what did not hold; None if all is well
    digest  of the log, and of every byte that was sent
    """

    plan: Plan
    log: tuple[str, ...]
    wrong: str | None
    digest: str


class _Errors(logging.Handler):
    """Takes what is logged: exceptions that nobody expected, and any error of the server's."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None or record.name == "xmppfast.server":
            self._world.complain(f"logged: {record.getMessage()} {error!r}")


@contextmanager
def _logging_to(world: World) -> Iterator[None]:
    log, handler = logging.getLogger("xmppfast"), _Errors(world)
    propagate, log.propagate = log.propagate, False  # others would keep what they are given
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = propagate


@contextmanager
def _predictable(seed: str) -> Iterator[None]:
    """No chance but the seed's: not in ids, not in delays, not in when memory is freed."""
    chance, state = random.Random(f"{seed} ids"), random.getstate()
    token_urlsafe = secrets.token_urlsafe

    def predictable(size: int | None = None) -> str:
        return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=4 * (size or 32) // 3))

    random.seed(seed)
    secrets.token_urlsafe = predictable
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
        secrets.token_urlsafe = token_urlsafe
        random.setstate(state)


def run(plan: Plan) -> Run:
    """Run a plan."""
    digest = hashlib.sha256()
    loops: list[NetworkLoop] = []
    worlds: list[World] = []

    def new_loop() -> NetworkLoop:
        loops.append(NetworkLoop(plan.seed))
        return loops[0]

    async def work() -> None:
        world = World(plan, loops[0])
        worlds.append(world)
        loops[0].set_exception_handler(
            lambda loop, context: world.complain(
                f"{context['message']}: {context.get('exception')!r}"
            )
        )
        enter = world.network.written

        def written(wire, end, data):  # type: ignore[no-untyped-def]
            digest.update(f"{loops[0].time():.6f} {wire.name} {end is wire.server} ".encode())
            digest.update(data)
            enter(wire, end, data)

        world.network.written = written
        with _logging_to(world):
            await world.run()

    wrong: str | None = None
    with _predictable(plan.seed):
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(work())
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
    if wrong is None and worlds[0].complaints:
        wrong = worlds[0].complaints[0]
    log = tuple(worlds[0].log)
    digest.update("\n".join(log).encode())
    return Run(plan, log, wrong, digest.hexdigest())


def _kind(wrong: str | None) -> str:
    """What is wrong, whoever it concerns."""
    return re.sub(r"\S*[\d@]\S*", "", wrong or "")


def shortened(failed: Run) -> Run:
    """A run with fewer operations in which the same is wrong."""
    best, attempts = failed, 0
    size = len(best.plan.operations) // 2
    while size and attempts < ATTEMPTS:
        at, shorter = 0, False
        while at < len(best.plan.operations) and attempts < ATTEMPTS:
            operations = best.plan.operations
            left = operations[:at] + operations[at + size :]
            attempts += 1
            tried = run(replace(best.plan, operations=left))
            if _kind(tried.wrong) != _kind(failed.wrong):
                at += size
            else:
                best, shorter = tried, True
        if not shorter or size > 1:
            size //= 2
    return best


def report(failed: Run) -> str:
    """What to know about a run that failed."""
    short = shortened(failed)
    return (
        f"seed {failed.plan.seed}: {failed.wrong}\n\n"
        f"with {len(short.plan.operations)} operations left of {len(failed.plan.operations)}: "
        f"{short.wrong}\n{short.plan}\n\nwhat happens then:\n" + "\n".join(short.log)
    )


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="to go on for")
    parser.add_argument("--runs", type=int, help="seeds to run")
    parser.add_argument("--workers", type=int, help="that the server has")
    parser.add_argument("--log", action="store_true", help="print what happens")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    seed = options.seed
    while time.monotonic() < end and (options.runs is None or seed < options.seed + options.runs):
        done = run(plan(seed, workers=options.workers))
        if options.log:
            print("\n".join(done.log))
        if done.wrong is not None:
            print(report(done))
            return 1
        seed += 1
    print(f"seeds {options.seed} to {seed - 1}: all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
