"""Simulations in which nothing goes wrong, and some in which something does.

Each is a server, of one worker or several, and clients of ours over everything but sockets;
`simulate` runs them, `ledger`, `inspection` and `simulated_world` say what has to hold.
SIMULATION_SECONDS is how long to go on, see also `make simulate`.
"""

from __future__ import annotations

import gc
import itertools
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from operations import plan
from simulate import report, run

from xmppfast.cluster.channel import Receiving
from xmppfast.im.offline import Offline
from xmppfast.im.subscribing import Subscriptions
from xmppfast.server.guests import Guests
from xmppfast.server.ownership import Ownership
from xmppfast.server.registry import Registry
from xmppfast.server.router import Router
from xmppfast.server.session import Session
from xmppfast.server.turns import Turns
from xmppfast.transport.backlog import Backlog

SECONDS = float(os.environ.get("SIMULATION_SECONDS", "4"))


def test_seeds():
    end = time.monotonic() + SECONDS
    for seed in itertools.count():
        done = run(plan(seed))
        if done.wrong is not None:
            pytest.fail(report(done))
        if time.monotonic() > end:
            return


def test_a_seed_replays():
    assert run(plan(3, 40)) == run(plan(3, 40))
    assert run(plan(3, 40)).digest != run(plan(4, 40)).digest


def test_a_seed_replays_with_several_workers():
    assert run(plan(3, 40, workers=3)) == run(plan(3, 40, workers=3))
    assert run(plan(3, 40, workers=3)).digest != run(plan(3, 40, workers=2)).digest


def test_a_seed_replays_in_another_process():
    code = (
        "from operations import plan; from simulate import run;"
        "print(*(run(plan(3, 40, workers=it)).digest for it in (1, 3)))"
    )
    here = Path(__file__).parent
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": f"{here}:{here.parent}", "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
            timeout=300,
        ).stdout
        for seed in ("1", "2")
    }
    expected = " ".join(run(plan(3, 40, workers=it)).digest for it in (1, 3))
    assert digests == {f"{expected}\n".encode()}


# What is broken, and what is found then.
FAULTS = {}


def fault(finding, seeds=30, length=80, workers=None):
    def note(function):
        FAULTS[function.__name__] = (function, finding, range(seeds), (length, workers))
        return function

    return note


@fault("is lost")
def messages_are_not_stored(monkeypatch):
    async def store(self, passage):
        pass

    monkeypatch.setattr(Offline, "store", store)


@fault("is delivered twice|more than once")
def stored_messages_stay(monkeypatch):
    async def delete(owner, ids):
        pass

    original = Offline.__init__

    def init(self, *arguments, **options):
        original(self, *arguments, **options)
        archive = self._archive

        class Kept:
            def __getattr__(self, name):
                return delete if name == "delete" else getattr(archive, name)

        self._archive = Kept()

    monkeypatch.setattr(Offline, "__init__", init)


@fault("after m")
def stored_messages_are_overtaken(monkeypatch):
    monkeypatch.setattr(Offline, "waits", lambda self, account: False)


@fault("is answered twice")
def results_are_sent_twice(monkeypatch):
    original = Router._send_result

    def twice(self, request, payload):
        original(self, request, payload)
        original(self, request, payload)

    monkeypatch.setattr(Router, "_send_result", twice)


@fault("has no answer")
def errors_are_not_sent(monkeypatch):
    monkeypatch.setattr(Router, "_refuse", lambda *arguments: None)


@fault("has State")
def contacts_are_not_told(monkeypatch):
    async def incoming(self, passage):
        return True

    monkeypatch.setattr(Subscriptions, "incoming", incoming)


@fault("the roster of")
def changes_are_not_pushed(monkeypatch):
    monkeypatch.setattr(Subscriptions, "_push", lambda *arguments: None)


@fault("in memory|is left")
def resources_are_not_released(monkeypatch):
    def release(self, jid):
        account = self.accounts[str(jid.bare)]
        account.leaving = tuple(resource for resource in account.leaving if resource.jid != jid)

    monkeypatch.setattr(Registry, "release", release)


@fault("is available")
def presence_gets_lost(monkeypatch):
    original = Session.__init__

    def init(self, jid, account, link, stream):
        original(self, jid, account, link, stream)
        self.send = lambda data: None if b"<presence" in data[:9] else link.write(data)

    monkeypatch.setattr(Session, "__init__", init)


@fault("under way for ever")
def turns_are_forgotten(monkeypatch):
    monkeypatch.setattr(Turns, "wait", lambda self, connection: None)


@fault("bytes wait for")
def what_waits_is_not_counted(monkeypatch):
    monkeypatch.setattr(Backlog, "note", lambda self, connection, size: None)


@fault("is lost|after m", seeds=40, length=120, workers=2)
def what_a_guest_was_not_given_is_dropped(monkeypatch):
    monkeypatch.setattr(Guests, "_not_given", lambda *arguments: None)


@fault("hub's owners|has .* in use are", seeds=40, length=120, workers=2)
def accounts_are_not_released(monkeypatch):
    monkeypatch.setattr(Ownership, "used", lambda *arguments: None)


@fault("twice|after m", seeds=40, length=120, workers=2)
def frames_are_taken_again(monkeypatch):
    original = Receiving.take

    def take(self, batch):
        new, before, missing = original(self, batch)
        return new + new[:1], before, missing

    monkeypatch.setattr(Receiving, "take", take)


# A run that is stopped in the middle has begun things that nobody waits for any more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_found(name, monkeypatch):
    break_it, finding, seeds, how = FAULTS[name]
    break_it(monkeypatch)
    found = (run(plan(seed, *how)).wrong for seed in seeds)
    assert any(re.search(finding, wrong or "") for wrong in found)
    gc.collect()
