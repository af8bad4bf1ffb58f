"""The line that tells how far a long reading has come."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from xmppfast.cli import progress
from xmppfast.cli.progress import Progress


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Makes seconds pass on the clock that the line goes by."""
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])

    def passing(seconds: float) -> None:
        now[0] += seconds

    return passing


def test_short_readings_have_none(pass_time: Callable[[float], None]) -> None:
    out = io.StringIO()
    line = Progress(out, total=100, enabled=True)
    pass_time(0.9)
    line.update(50)
    line.clear()
    assert out.getvalue() == ""


def test_long_readings(pass_time: Callable[[float], None]) -> None:
    out = io.StringIO()
    line = Progress(out, total=20_000_000, enabled=True)
    pass_time(1.1)
    line.update(5_000_000)
    line.update(5_100_000)
    pass_time(0.25)
    line.update(10_000_000)
    line.clear()
    first, second = "5.0 MB of 20.0 MB (25 %)", "10.0 MB of 20.0 MB (50 %)"
    assert out.getvalue().split("\r") == ["", first, second, " " * len(second), ""]


def test_a_size_that_is_not_known(pass_time: Callable[[float], None]) -> None:
    out = io.StringIO()
    line = Progress(out, total=None, enabled=True)
    pass_time(2)
    line.update(5_000_000)
    assert out.getvalue() == "\r5.0 MB"


def test_nothing_is_written_where_nobody_looks(pass_time: Callable[[float], None]) -> None:
    out = io.StringIO()
    line = Progress(out, total=None, enabled=False)
    pass_time(9)
    line.update(1)
    line.clear()
    assert out.getvalue() == ""
