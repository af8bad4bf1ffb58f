"""What log lines look like."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from xmppfast.cli import logs

log = logging.getLogger("xmppfast.test")


class Stream(io.StringIO):
    """Output, on a terminal or not."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture(autouse=True)
def _unchanged() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("xmppfast", "asyncio")]
    before = [(each.handlers[:], each.level, each.propagate) for each in loggers]
    yield
    for each, (handlers, level, propagate) in zip(loggers, before, strict=True):
        each.handlers[:], each.propagate = handlers, propagate
        each.setLevel(level)


@pytest.mark.parametrize(
    ("format", "terminal", "text"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("text", False, True),
        ("json", True, False),
    ],
)
def test_format(format: str, terminal: bool, text: bool) -> None:
    stream = Stream(terminal)
    logs.configure("info", format, stream)
    log.info("%s is here", "al\u00efce\n", extra={"session": "s1"})
    log.warning("nobody")
    log.debug("not shown")
    lines = stream.getvalue()
    if text:
        assert re.fullmatch(
            r"\d\d:\d\d:\d\d INFO    al\u00efce\n is here \[s1\]\n\d\d:\d\d:\d\d WARNING nobody\n",
            lines,
        )
        return
    first, second = (json.loads(line) for line in lines.splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info",
        "logger": "xmppfast.test",
        "message": "al\u00efce\n is here",
        "session": "s1",
    }
    assert second["message"] == "nobody"


def test_tracebacks_stay_on_their_line() -> None:
    stream = Stream(False)
    logs.configure("error", "auto", stream)
    try:
        raise RuntimeError("oh\nno")
    except RuntimeError as error:
        log.error("it failed", exc_info=error)
    line = json.loads(stream.getvalue())
    assert line["message"] == "it failed"
    assert "RuntimeError: oh\nno" in line["error"]


def test_configured_twice_logs_once() -> None:
    first, second = Stream(True), Stream(True)
    logs.configure("info", "text", first)
    logs.configure("debug", "text", second)
    log.debug("x")
    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1
