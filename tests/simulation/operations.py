"""What happens in a simulation, as a list of operations that follows from a seed.

The list is made before anything is run. So it can be printed, and made shorter.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

DOMAIN: Final = "example.org"
NAMES: Final = ("alice", "bob", "carol", "dave")


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that is done.

    after      seconds after the one before
    who        the user, "alice/0"; empty if it concerns everybody
    what       the name of a method of `simulated_world.World`
    arguments  what that method is given after the user
    """

    after: float
    who: str
    what: str
    arguments: tuple[str | int | float, ...] = ()

    def __str__(self) -> str:
        words = (self.who, self.what, *map(str, self.arguments))
        return f"+{self.after:.3f} {' '.join(word for word in words if word)}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A simulation.

    seed        of what is chosen while it runs: how bytes are cut, and how long all takes
    users       resources, "alice/0"
    operations  what is done
    workers     processes that the server consists of
    """

    seed: str
    users: tuple[str, ...]
    operations: tuple[Operation, ...]
    workers: int = 1

    def __str__(self) -> str:
        return "\n".join((f"workers: {self.workers}", *map(str, self.operations)))


def plan(seed: int, length: int = 150, workers: int | None = None) -> Plan:
    """The simulation of a seed; how many workers there are also follows from it if not given."""
    chance = random.Random(seed)
    if workers is None:
        # Its own chance: with one worker and with several, users do the same.
        workers = random.Random(f"{seed} workers").choice((1, 1, 2, 3))
    names = NAMES[: chance.randint(2, len(NAMES))]
    users = tuple(f"{name}/{number}" for name in names for number in range(chance.randint(1, 2)))
    # Some are about one thing more than about others.
    weights = [weight * chance.choice((0, 1, 1, 3)) for weight, _ in _KINDS]
    weights[0] = max(weights[0], 1)
    hurry = chance.choice((0.05, 0.5, 3.0))
    operations = [Operation(0.0, user, "log_in") for user in users]
    for _ in range(length):
        (_, make), *_ = chance.choices(_KINDS, weights)
        who, what, *arguments = make(chance, users, chance.choice(users))
        after = 0.0 if chance.random() < 0.4 else chance.random() * hurry
        operations.append(Operation(round(after, 3), who, what, tuple(arguments)))
        if what == "rest":
            operations.append(_meanwhile(chance, users, who))
    if workers > 1:
        operations = _with_workers(seed, workers, operations)
    return Plan(str(seed), users, tuple(operations), workers)


def _with_workers(seed: int, workers: int, operations: list[Operation]) -> list[Operation]:
    """Most of the time one worker is restarted, and the others go on."""
    chance = random.Random(f"{seed} restarts")
    one = [(number,) for number in range(workers)]
    return [
        replace(it, arguments=chance.choice(((), *one))) if it.what == "restart" else it
        for it in operations
    ]


Made = tuple[str | int | float, ...]
_Make = Callable[[random.Random, tuple[str, ...], str], Made]


def _contact(chance: random.Random, users: tuple[str, ...], who: str) -> str:
    others = sorted({name.partition("/")[0] for name in users} - {who.partition("/")[0]})
    return f"{chance.choice(others)}@{DOMAIN}"


def _address(chance: random.Random, users: tuple[str, ...], who: str) -> str:
    other = chance.choice(users)
    account, _, resource = other.partition("/")
    if chance.random() < 0.1:
        resource = "elsewhere"
    return f"{account}@{DOMAIN}" + (f"/{resource}" if chance.random() < 0.5 else "")


def _message(chance: random.Random, users: tuple[str, ...], who: str) -> Made:
    type = chance.choice(("chat", "chat", "chat", "normal", "headline"))
    count, size = chance.choice(((1, 1), (1, 300), (1, 5000), (5, 300), (30, 5000), (120, 20)))
    # A conversation takes longer than the server does to handle a message.
    pause = chance.choice((0.0, 0.0, 0.05))
    return who, "message", _address(chance, users, who), type, count, size, pause


def _meanwhile(chance: random.Random, users: tuple[str, ...], who: str) -> Operation:
    """Somebody begins a conversation with who is away, and goes on when they come back."""
    account = who.partition("/")[0]
    other = chance.choice([user for user in users if not user.startswith(account)])
    count, size = chance.choice(((30, 300), (120, 20)))
    return Operation(0.0, other, "message", (f"{account}@{DOMAIN}", "chat", count, size, 0.05))


def _request(chance: random.Random, users: tuple[str, ...], who: str) -> Made:
    to = chance.choice(("", DOMAIN, _contact(chance, users, who), _address(chance, users, who)))
    return who, "request", to, chance.choice(("ping", "ping", "unknown", "disco", "roster"))


def _subscription(chance: random.Random, users: tuple[str, ...], who: str) -> Made:
    what = chance.choice(("subscribe", "subscribe", "approve", "approve", "unsubscribe", "refuse"))
    return who, "subscription", what, _contact(chance, users, who)


def _presence(chance: random.Random, users: tuple[str, ...], who: str) -> Made:
    return who, "presence", chance.choice((-128, -1, 0, 0, 1, 1, 127))


# How often each happens, and how it is made up.
_KINDS: Final[tuple[tuple[float, _Make], ...]] = (
    (30, _message),
    (15, _subscription),
    (10, _request),
    (8, _presence),
    (4, lambda chance, users, who: (who, "unavailable")),
    (5, lambda chance, users, who: (who, "rest", round(chance.random() * 3, 3))),
    (
        3,
        lambda chance, users, who: (who, "directed_presence", _address(chance, users, who)),
    ),
    (
        6,
        lambda chance, users, who: (
            who,
            "set_item",
            _contact(chance, users, who),
            chance.choice("XYZ"),
        ),
    ),
    (3, lambda chance, users, who: (who, "remove_item", _contact(chance, users, who))),
    (4, lambda chance, users, who: (who, "log_out")),
    (8, lambda chance, users, who: (who, "log_in")),
    (2, lambda chance, users, who: (who, "take_over")),
    (6, lambda chance, users, who: (who, "break_off", round(chance.random() * 20, 3))),
    (4, lambda chance, users, who: (who, "partition", round(chance.random() * 40, 3))),
    (4, lambda chance, users, who: (who, "slow_down", round(chance.random() * 60, 3))),
    (0.5, lambda chance, users, who: ("", "restart")),
    (1, lambda chance, users, who: ("", "settle")),
)
