"""What is ready out of order is done in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xmppfast.im.turns import Turns


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)))
def test_in_the_order_they_were_taken(ready, nothing):
    turns, done = Turns(), []
    taken = [turns.take() for _ in range(6)]
    for position, number in enumerate(ready):
        taken[number].end(None if number in nothing else lambda number=number: done.append(number))
        ended = set(ready[: position + 1])
        first = next((number for number in range(6) if number not in ended), 6)
        assert done == [number for number in range(first) if number not in nothing]
