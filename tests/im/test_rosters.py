"""Rosters in storage: what is kept, and that nothing is lost when many work on one."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from xmppfast.core.jid import JID
from xmppfast.im.outcomes import settle
from xmppfast.im.rosters import Item, Roster, Rosters
from xmppfast.im.subscription import From, State, To
from xmppfast.storage.interface import StorageError
from xmppfast.storage.memory import MemoryStorage

ALICE = JID.parse("alice@example.org")
NAMES = [JID.parse(f"{name}@example.org") for name in "abc"]

items = st.builds(
    Item,
    jid=st.sampled_from(NAMES),
    name=st.none() | st.text(min_size=1, max_size=3),
    groups=st.lists(st.text(min_size=1, max_size=2), unique=True, max_size=2).map(tuple),
    state=st.builds(State, st.sampled_from(list(To)), st.sampled_from(list(From))),
    listed=st.booleans(),
    request=st.none() | st.just("<presence>♥</presence>".encode()),
)


async def exists(account):
    return account.local != "nobody"


async def reloaded(storage):
    return await Rosters(storage, exists).load(ALICE)


@given(st.lists(items, max_size=10))
def test_what_is_stored_is_what_was_put(changes):
    async def work():
        storage = MemoryStorage()
        roster = await Rosters(storage, exists).load(ALICE)
        for item in changes:
            await settle(roster.put(item).saved)
            assert roster.subscribers == tuple(
                it.jid for it in roster.items.values() if it.state.from_ is From.SUBSCRIBED
            )
        again = await reloaded(storage)
        assert again.items == roster.items
        assert again.version == roster.version
        for version in range(-1, roster.version + 2):
            assert again.since(version) == roster.since(version)

    asyncio.run(work())


@given(st.lists(items, max_size=12), st.data())
def test_pushes_since_a_version_make_a_copy_current(changes, data):
    """Section 2.6.3: whoever knows a version and gets what has changed since knows it all."""

    async def work():
        roster = await Rosters(MemoryStorage(), exists).load(ALICE)
        copies = {0: {}}
        for item in changes:
            await settle(roster.put(item).saved)
            copies[roster.version] = {item.jid: item.shown for item in roster.listed()}
        for version, copy in copies.items():
            known = dict(copy)
            for item in roster.since(version):
                if item.listed:
                    known[item.jid] = item.shown
                else:
                    known.pop(item.jid, None)
            assert known == copies[roster.version]

    asyncio.run(work())


class Failing(MemoryStorage):
    """Fails to write maps whenever it is told to; writes end when they are awaited."""

    def __init__(self, failures):
        super().__init__()
        self._failures = iter(failures)

    def maps(self, name):
        shape = super().maps(name)
        update = shape.update

        def failing(owner, changes):
            failed = next(self._failures, False)
            done = None if failed else update(owner, changes)

            async def write():
                await asyncio.sleep(0)
                if failed:
                    raise StorageError("the disk is full")
                await done

            return write()

        shape.update = failing
        return shape


@given(
    st.lists(st.tuples(items, st.booleans()), max_size=8).flatmap(
        lambda changes: st.tuples(
            st.just(changes), st.permutations(range(len(changes))), st.integers(1, 4)
        )
    )
)
def test_what_can_not_be_written_is_taken_back(drawn):
    """In whatever order one hears of it: memory is never ahead of the storage."""

    async def work():
        changes, order, at_once = drawn
        storage = Failing([])
        roster = await Rosters(storage, exists).load(ALICE)
        for begin in range(0, len(changes), at_once):
            group = changes[begin : begin + at_once]
            storage._failures = iter([])
            saved = []
            for item, failed in group:
                storage._failures = iter([failed])
                saved.append(roster.put(item).saved)
            indices = [index - begin for index in order if begin <= index < begin + at_once]
            for index in indices:
                with contextlib.suppress(StorageError):
                    await settle(saved[index])
        assert (await reloaded(storage)).items.keys() == roster.items.keys()
        for item in (await reloaded(storage)).items.values():
            assert replace(item, version=0) == replace(roster.get(item.jid), version=0)
        assert not roster._unsaved

    asyncio.run(work())


def test_many_removals_are_forgotten_at_last():
    async def work():
        storage = MemoryStorage()
        roster = await Rosters(storage, exists).load(ALICE)
        for number in range(150):
            jid = JID.parse(f"c{number}@example.org")
            await settle(roster.put(Item(jid, listed=True)).saved)
            await settle(roster.put(Item(jid)).saved)
        for known in (roster, await reloaded(storage)):
            assert known.version == 300
            assert known.since(50) is None
            assert known.since(100) == [
                Item(JID.parse(f"c{number}@example.org"), version=2 * number + 2)
                for number in range(50, 150)
            ]
        entries = await storage.maps("roster").items(str(ALICE))
        assert len(entries) == 101, "nothing is kept of older ones"

    asyncio.run(work())


class SlowMaps:
    """Reads that answer with what was there when they began, in an order that tests choose."""

    def __init__(self, maps):
        self.maps = maps
        self.reading = []

    async def items(self, owner):
        found = await self.maps.items(owner)
        turn = asyncio.Event()
        self.reading.append(turn)
        await turn.wait()
        return found

    async def update(self, owner, changes):
        await self.maps.update(owner, changes)


def test_a_change_is_not_undone_by_who_read_before_it():
    async def work():
        storage = MemoryStorage()
        slow = SlowMaps(storage.maps("roster"))
        rosters = Rosters(storage, exists)
        rosters._maps = slow
        item = Item(NAMES[0], listed=True)

        async def change(change):
            roster = await rosters.load(ALICE)
            await settle(roster.put(change(roster)).saved)

        first = asyncio.create_task(change(lambda roster: replace(item, name="A")))
        second = asyncio.create_task(
            change(lambda roster: replace(roster.get(item.jid), groups=("G",), listed=True))
        )
        while len(slow.reading) < 2:
            await asyncio.sleep(0)
        slow.reading[0].set()
        await first
        slow.reading[1].set()
        await second
        found = (await reloaded(storage)).get(item.jid)
        assert (found.name, found.groups) == ("A", ("G",))
        assert rosters.live(ALICE) is None, "nothing is kept in memory for nobody"
        assert not rosters._held
        assert not rosters._loading

    asyncio.run(work())


def test_one_roster_for_all():
    async def work():
        rosters = Rosters(MemoryStorage(), exists)
        roster = await rosters.load(ALICE)
        assert isinstance(roster, Roster)
        assert await rosters.load(ALICE.with_resource("x")) is roster
        assert rosters.live(ALICE) is roster

    asyncio.run(work())


def test_no_roster_without_an_account():
    async def work():
        rosters = Rosters(MemoryStorage(), exists)
        assert await rosters.load(JID.parse("nobody@example.org")) is None

    asyncio.run(work())
