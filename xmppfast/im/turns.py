"""Doing things in the order they were begun, though they are ready in another."""

from __future__ import annotations

from collections.abc import Callable


class Turn:
    """A place in a queue."""

    __slots__ = ("_turns", "action", "ready")

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.ready = False
        self.action: Callable[[], None] | None = None

    def end(self, action: Callable[[], None] | None = None) -> None:
        """Do this when everybody in front is done; nothing, if there is nothing to do."""
        self.ready = True
        self.action = action
        self._turns.go_on()


class Turns:
    """A queue. Every turn that is taken has to be ended, or nothing goes on."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Turn] | None = None  # there are many queues, and few have any

    def take(self) -> Turn:
        """A place at the end."""
        turn = Turn(self)
        if self._waiting is None:
            self._waiting = []
        self._waiting.append(turn)
        return turn

    def go_on(self) -> None:
        """Do what can be done."""
        while self._waiting and self._waiting[0].ready:
            turn = self._waiting.pop(0)
            if turn.action is not None:
                turn.action()
        if not self._waiting:
            self._waiting = None
