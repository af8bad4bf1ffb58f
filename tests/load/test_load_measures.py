"""Times in buckets, and what processes use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppfast.load.histogram import Histogram
from xmppfast.load.observed import Observed

TIMES = st.lists(st.floats(0, 1000), min_size=1, max_size=200)


@given(TIMES, st.floats(0.1, 100))
def test_percentiles_are_those_of_the_sorted_times(times, percent):
    histogram = Histogram()
    for seconds in times:
        histogram.add(seconds)
    found = histogram.percentiles([percent])[percent]
    exact = next(
        time for rank, time in enumerate(sorted(times), 1) if rank >= percent / 100 * len(times)
    )
    assert found == pytest.approx(exact, rel=0.016, abs=2e-9)


def test_no_times_have_no_percentiles():
    assert Histogram().percentiles() == {}
    assert Histogram().microseconds() == {}


def test_a_negative_time_counts_as_none():
    histogram = Histogram()
    histogram.add(-1.0)
    assert (histogram.count, histogram.percentiles([50])) == (1, {50: 0.0})


_PARENT = """
import subprocess, sys
work = "sum(range(10**7)); print('done', flush=True); input()"
child = subprocess.Popen([sys.executable, "-c", work],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(child.stdout.readline(), flush=True)
input()
child.stdin.close()
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_descendants_count():
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        both, alone = Observed([parent.pid]), Observed([os.getpid()])
        # The child's work is most of it.
        assert both.use().cpu > 0.05
        assert both.memory().proportional > 1_000_000
        assert both.resident() > both.memory().proportional / 2
        assert alone.use().cpu > 0
        parent.communicate(b"\n")
    with pytest.raises(ProcessLookupError, match=str(parent.pid)):
        both.use()


def test_nothing_observed_is_nothing():
    nothing = Observed()
    assert not nothing
    assert nothing.use().cpu == nothing.resident() == nothing.memory().resident == 0
