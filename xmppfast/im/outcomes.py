"""Waiting for several things at once."""

from __future__ import annotations

from collections.abc import Awaitable

from ..core.dispatch import Outcome


async def settle(*outcomes: Outcome) -> None:
    """Wait for all of them, in order; raise the first exception when all are done.

    What is written stays written: one that fails is no reason to leave others undone.
    """
    failure: Exception | None = None
    for outcome in outcomes:
        if outcome is not None:
            try:
                await outcome
            except Exception as error:
                failure = failure or error
    if failure is not None:
        raise failure


def dealt_with(*outcomes: Outcome) -> bool | Awaitable[bool]:
    """What a handler returns that has done all, once the outcomes are awaited."""
    left = [outcome for outcome in outcomes if outcome is not None]
    return _dealt_with(left) if left else True


async def _dealt_with(outcomes: list[Awaitable[None]]) -> bool:
    await settle(*outcomes)
    return True
