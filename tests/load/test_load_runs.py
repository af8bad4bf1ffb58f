"""Each kind of load, and that what goes wrong is found."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Any

import pytest
from implementations import CI
from under_load import accounts, loaded, quiet, sending

from xmppfast import StreamParser
from xmppfast.load import pairs
from xmppfast.load.presence import presence
from xmppfast.load.replay import replay, replayable
from xmppfast.load.report import text
from xmppfast.load.runs import idle, logins, rate, throughput

_COMMON = {"at_once": 4, "progress": quiet}
_TRAFFIC = {"seconds": 0.3, "warmup": 0.05, "body": 20, "together": False, **_COMMON}
_CLEAN = {
    "lost": 0, "duplicated": 0, "disordered": 0, "refused": 0, "failed_logins": 0, "disconnected": 0
}  # fmt: skip


def test_logins():
    report = loaded(lambda crowd, server: logins(crowd, server, accounts(5), **_COMMON), 5)
    assert report.clean
    assert report.figures["logins"] == 5
    assert report.figures["server_cpu_us_per_login"] > 0
    assert report.figures["login_us"]["p50"] <= report.figures["login_us"]["max"]


def test_logins_that_fail_are_counted():
    report = loaded(lambda crowd, server: logins(crowd, server, accounts(5), **_COMMON), 3)
    assert (report.figures["logins"], report.checks["failed_logins"]) == (3, 2)
    assert not report.clean
    assert "user" in report.problems[0]


@pytest.fixture(params=["compiled", "plain"])
def pair(request, monkeypatch):
    """Each kind of pair in turn."""
    if request.param == "plain":
        monkeypatch.setattr(pairs, "Pair", pairs.PlainPair)
    elif pairs.Pair is pairs.PlainPair:
        if CI and sys.platform == "linux":
            pytest.fail("xmppfast.load._pair is not there")
        pytest.skip("xmppfast.load._pair is not there")


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("window", [1, 5])
def test_closed_loop(pair, window, together):
    options = {**_TRAFFIC, "together": together}
    report = loaded(
        lambda crowd, server: throughput(crowd, server, accounts(6), window=window, **options), 6
    )
    assert report.checks == _CLEAN
    assert report.figures["messages"] > 0
    assert report.figures["latency_us"]["p50"] > 0
    assert report.series[-1][1] == report.figures["messages"]


def test_open_loop_keeps_its_rate(pair):
    report = loaded(
        lambda crowd, server: rate(crowd, server, accounts(4), per_second=200, **_TRAFFIC), 4
    )
    assert report.checks == {**_CLEAN, "overrun": 0}
    # Sent when due, whatever came back: no more than the rate, but for what was late at the begin.
    assert 0 < report.figures["messages"] <= 200 * (report.figures["seconds"] + 1)
    assert report.figures["own_delay_us"]["p50"] >= 0


def test_idle_sessions():
    report = loaded(
        lambda crowd, server: idle(crowd, server, accounts(3), seconds=0.1, **_COMMON), 3
    )
    assert report.clean
    assert report.figures["sessions"] == 3
    assert report.figures["server_bytes_before"] > 0


def test_presence_reaches_all_contacts():
    report = loaded(
        lambda crowd, server: presence(crowd, server, accounts(4), seconds=0.3, **_COMMON), 4
    )
    assert report.clean
    assert report.figures["copies"] > 0


RECORDED = b"""<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
<presence><status>here</status></presence>
<presence to='romeo@example.net/x'/>
<presence to='romeo@example.net' type='subscribe'/>
<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>
<iq type='get' id='3' to='romeo@example.net/x'><query xmlns='jabber:iq:version'/></iq>
<iq type='result' id='4' to='romeo@example.net/x'/>
<message to='room@example.net' type='groupchat'><body>no</body></message>
<message to='romeo@example.net' id='5' type='chat'><body>h\xc3\xa9 &amp;</body><x
 xmlns='y'/></message>
"""


def recorded():
    parser = StreamParser()
    return [event for event in parser.feed(RECORDED) if hasattr(event, "payload")]


def test_what_can_be_sent_again():
    found = replayable(recorded())
    assert [(each.name, each.type) for each in found] == [
        ("presence", None), ("presence", None), ("iq", "get"), ("iq", "get"), ("message", "chat")
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no stanza"):
        replayable(recorded()[:1])


def test_replay():
    run = partial(replay, per_second=300, seconds=0.3, **_COMMON)
    report = loaded(
        lambda crowd, server: run(crowd, server, accounts(4), replayable(recorded())), 4
    )
    assert report.checks == {key: value for key, value in _CLEAN.items() if key != "refused"}
    assert report.figures["stanzas"] > 5


class _Nth:
    """Does something with the nth message that is delivered, once the traffic has begun."""

    def __init__(self, number: int, change: Any) -> None:
        self._left = number
        self._change = change

    def __call__(self, data: bytes, session: Any) -> list[bytes]:
        if not data.startswith(b"<message"):
            return [data]
        self._left -= 1
        return self._change(data) if self._left == 0 else [data]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda data: [], "lost"),
        (lambda data: [data, data], "duplicated"),
    ],
)
def test_what_a_server_does_wrong_is_found(pair, change, found):
    report = loaded(
        lambda crowd, server: throughput(crowd, server, accounts(2), window=4, **_TRAFFIC),
        2,
        lambda server: sending(server, _Nth(10, change)),
    )
    assert report.checks[found] == 1
    assert not report.clean
    assert report.checks["disordered"] == (found == "lost")  # the next one comes too early


class _Swap:
    """Delivers the first message behind the second one."""

    def __init__(self) -> None:
        self._first: bytes | None = None
        self._done = False

    def __call__(self, data: bytes, session: Any) -> list[bytes]:
        if self._done or not data.startswith(b"<message"):
            return [data]
        if self._first is None:
            self._first = data
            return []
        self._done = True
        return [data, self._first]


def test_disorder_is_found(pair):
    report = loaded(
        lambda crowd, server: throughput(crowd, server, accounts(2), window=4, **_TRAFFIC),
        2,
        lambda server: sending(server, _Swap()),
    )
    assert report.checks["lost"] == report.checks["duplicated"] == 0
    assert report.checks["disordered"] == 2  # the one too early and the one too late


def test_a_session_that_ends_is_found(pair):
    def end(data: bytes, session: Any) -> list[bytes]:
        from xmppfast import StreamCondition

        if data.startswith(b"<message"):
            session.end(StreamCondition.POLICY_VIOLATION, "enough")
            return []
        return [data]

    report = loaded(
        lambda crowd, server: throughput(crowd, server, accounts(2), window=1, **_TRAFFIC),
        2,
        lambda server: sending(server, end),
    )
    assert report.checks["disconnected"] == 1
    assert "enough" in report.problems[0]


def test_a_report_as_text_and_as_json():
    report = loaded(lambda crowd, server: logins(crowd, server, accounts(2), **_COMMON), 2)
    assert json.loads(report.dump())["figures"]["logins"] == 2
    assert "logins: sessions 2" in text(report)
