"""Turns of connections that have much to say."""

from __future__ import annotations

import asyncio

from xmppfast.server.turns import STANZAS, Turns

SHORT = 5


class Endless:
    """A connection that always has more; `had` is how long its turns were."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.had: list[int] = []

    def go_on(self) -> None:
        self.had.append(self._turns.stanzas)
        self._turns.wait(self)


def test_once_some_had_a_full_turn_the_others_have_a_short_one() -> None:
    async def main() -> None:
        turns = Turns()
        connections = [Endless(turns) for _ in range(10)]
        for connection in connections:
            connection.go_on()
        assert [it.had for it in connections] == [[STANZAS]] * 4 + [[SHORT]] * 6
        # In each turn of the loop, four go on, and whoever is heard besides has a short turn.
        for first in (0, 4, 8):
            await asyncio.sleep(0)
            heard = [it for it in connections if len(it.had) > 1]
            assert len(heard) == min(first + 4, 10)
            assert turns.stanzas == SHORT
        assert [it.had[1] for it in connections] == [STANZAS] * 10
        assert [len(it.had) for it in connections] == [3, 3, *[2] * 8]

    asyncio.run(main())


def test_turns_are_full_when_nobody_else_sends_without_end() -> None:
    async def main() -> None:
        turns = Turns()
        connections = [Endless(turns) for _ in range(3)]
        for connection in connections:
            connection.go_on()
        for _ in range(3):
            assert turns.stanzas == STANZAS
            await asyncio.sleep(0)
        assert [it.had for it in connections] == [[STANZAS] * 4] * 3

    asyncio.run(main())
