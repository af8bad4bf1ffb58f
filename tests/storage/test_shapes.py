"""What every backend does, in memory or in a database."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmppfast.storage.interface import Storage
from xmppfast.storage.memory import MemoryStorage

pytestmark = pytest.mark.anyio

ROMEO, JULIET = "romeo@example.net", "juliet@example.com"


async def test_a_value_per_owner(storage: Storage) -> None:
    values = storage.values("vcard")
    assert await values.get(ROMEO) is None
    await values.set(ROMEO, b"one")
    await values.set(JULIET, b"two")
    await values.set(ROMEO, b"three")
    assert await values.get(ROMEO) == b"three"
    assert await values.get(JULIET) == b"two"
    await values.delete(ROMEO)
    await values.delete(ROMEO)
    assert await values.get(ROMEO) is None


async def test_names_are_kept_apart(storage: Storage) -> None:
    await storage.values("one").set(ROMEO, b"1")
    await storage.maps("one").update(ROMEO, {"key": b"2"})
    await storage.archive("one").append(ROMEO, 0, b"3")
    assert await storage.values("two").get(ROMEO) is None
    assert await storage.maps("two").items(ROMEO) == {}
    assert await storage.archive("two").read(ROMEO) == []
    assert await storage.values("one").get(ROMEO) == b"1"
    assert await storage.maps("one").get(ROMEO, "key") == b"2"


async def test_any_bytes_and_any_text(storage: Storage) -> None:
    value, owner, key = bytes(range(256)), "iñtërnâtiônàl@例え.jp", "{urn:x}' \"\U0001f600"
    await storage.values("v").set(owner, value)
    await storage.maps("m").update(owner, {key: value, "": b""})
    await storage.archive("a").append(owner, 2**53, value)
    assert await storage.values("v").get(owner) == value
    assert await storage.maps("m").items(owner) == {"": b"", key: value}
    assert [record[1:] for record in await storage.archive("a").read(owner)] == [(2**53, value)]


async def test_owners_and_keys_are_compared_exactly(storage: Storage) -> None:
    values = storage.values("v")
    for owner in ("a", "A", "a ", "å", "a\u030a"):
        await values.set(owner, owner.encode())
    for owner in ("a", "A", "a ", "å", "a\u030a"):
        assert await values.get(owner) == owner.encode()


async def test_add_only_what_is_not_there(storage: Storage) -> None:
    values = storage.values("account")
    assert await values.add(ROMEO, b"first")
    assert not await values.add(ROMEO, b"second")
    assert not await values.add(ROMEO, b"first")
    assert await values.get(ROMEO) == b"first"


async def test_one_of_many_adds(storage: Storage) -> None:
    values = storage.values("account")
    added = await asyncio.gather(*(values.add(ROMEO, b"%d" % n) for n in range(20)))
    assert added.count(True) == 1
    assert await values.get(ROMEO) == b"%d" % added.index(True)


async def test_owners_in_order_page_by_page(storage: Storage) -> None:
    values = storage.values("account")
    names = ["Z", "a", "b-c", "b@c", "ba", "é", "中", "\U0001f600"]
    await asyncio.gather(*(values.set(name, b"") for name in reversed(names)))
    found: list[str] = []
    while page := await values.owners(after=found[-1] if found else "", limit=3):
        assert len(page) <= 3
        found += page
    assert found == names


async def test_values_of_many_owners(storage: Storage) -> None:
    values = storage.values("v")
    await asyncio.gather(*(values.set(f"{n}", b"%d" % n) for n in range(0, 1200, 2)))
    assert await values.get_many([f"{n}" for n in range(1200)]) == {
        f"{n}": b"%d" % n for n in range(0, 1200, 2)
    }
    assert await values.get_many([]) == {}


async def test_map_of_an_owner(storage: Storage) -> None:
    roster = storage.maps("roster")
    assert await roster.items(ROMEO) == {}
    await roster.update(ROMEO, {"b": b"1", "a": b"2", "C": b"3"})
    await roster.update(ROMEO, {"b": b"4", "C": None, "never": None})
    await roster.update(JULIET, {"a": b"5"})
    await roster.update(ROMEO, {})
    items = await roster.items(ROMEO)
    assert list(items.items()) == [("a", b"2"), ("b", b"4")]
    assert await roster.get(ROMEO, "b") == b"4"
    assert await roster.get(ROMEO, "C") is None
    assert await roster.get(JULIET, "b") is None


async def test_archive_keeps_the_order(storage: Storage) -> None:
    offline = storage.archive("offline")
    first = await offline.append(ROMEO, 30, b"a")
    other = await offline.append(JULIET, 20, b"b")
    second = await offline.append(ROMEO, 10, b"c")
    assert first < second
    assert other not in (first, second)
    assert await offline.read(ROMEO) == [(first, 30, b"a"), (second, 10, b"c")]
    assert await offline.read(ROMEO, after=first) == [(second, 10, b"c")]
    assert await offline.read(ROMEO, after=second) == []
    assert await offline.read(ROMEO, limit=1) == [(first, 30, b"a")]
    assert await offline.count(ROMEO) == 2


async def test_entries_written_together_keep_their_order(storage: Storage) -> None:
    offline = storage.archive("offline")
    writes = (offline.append(f"{n % 3}", n, b"%d" % n) for n in range(300))
    ids = await asyncio.gather(*writes)
    for owner in range(3):
        records = await offline.read(f"{owner}")
        assert [record.at for record in records] == list(range(owner, 300, 3))
        assert [record.id for record in records] == list(ids[owner::3])


async def test_writes_happen_in_the_order_of_the_calls(storage: Storage) -> None:
    values, roster = storage.values("v"), storage.maps("m")
    writes = [values.set(ROMEO, b"%d" % number) for number in range(5)]
    writes += [roster.update(ROMEO, {"key": b"%d" % number}) for number in range(5)]
    for write in reversed(writes):
        await write
    assert await values.get(ROMEO) == b"4"
    assert await roster.get(ROMEO, "key") == b"4"


async def test_delete_entries(storage: Storage) -> None:
    offline = storage.archive("offline")
    ids = [await offline.append(ROMEO, 0, b"") for _ in range(3)]
    foreign = await offline.append(JULIET, 0, b"")
    await offline.delete(ROMEO, [ids[0], ids[2], foreign, 10**9])
    assert [record.id for record in await offline.read(ROMEO)] == [ids[1]]
    assert await offline.count(JULIET) == 1
    await offline.delete(ROMEO, [])
    await offline.delete(ROMEO, [ids[1]])
    assert await offline.count(ROMEO) == 0
    assert await offline.append(ROMEO, 0, b"") > foreign, "no id is used twice"


async def test_forget_an_owner(storage: Storage) -> None:
    for owner in (ROMEO, JULIET):
        await storage.values("v").set(owner, b"")
        await storage.maps("m").update(owner, {"k": b"", "l": b""})
        await storage.archive("a").append(owner, 0, b"")
    await storage.forget(ROMEO)
    assert await storage.values("v").owners() == [JULIET]
    assert await storage.maps("m").items(ROMEO) == {}
    assert await storage.archive("a").count(ROMEO) == 0
    assert await storage.maps("m").items(JULIET) == {"k": b"", "l": b""}
    assert await storage.archive("a").count(JULIET) == 1


# Anything done to a map and a value, step by step or at once.
names = st.sampled_from(["a", "b", "c"])
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("update"),
            names,
            st.dictionaries(names, st.one_of(st.none(), st.binary(max_size=3)), max_size=3),
        ),
        st.tuples(st.just("set"), names, st.binary(max_size=3)),
        st.tuples(st.just("add"), names, st.binary(max_size=3)),
        st.tuples(st.just("delete"), names, st.none()),
        st.tuples(st.just("forget"), names, st.none()),
    ),
    max_size=12,
)


@settings(max_examples=25)
@given(steps=steps, together=st.booleans())
async def test_like_memory(
    storage: Storage, steps: list[tuple[str, str, object]], together: bool
) -> None:
    model = MemoryStorage()
    for name in ("a", "b", "c"):
        await storage.forget(name)

    def write(to: Storage, step: tuple[str, str, object]):  # type: ignore[no-untyped-def]
        match step:
            case ("update", owner, dict(changes)):
                return to.maps("m").update(owner, changes)
            case ("set", owner, bytes(value)):
                return to.values("v").set(owner, value)
            case ("add", owner, bytes(value)):
                return to.values("v").add(owner, value)
            case ("delete", owner, _):
                return to.values("v").delete(owner)
            case (_, owner, _):
                return to.forget(owner)

    expected = [await write(model, step) for step in steps]
    if together:
        assert await asyncio.gather(*(write(storage, step) for step in steps)) == expected
    else:
        assert [await write(storage, step) for step in steps] == expected
    for owner in ("a", "b", "c"):
        assert await storage.values("v").get(owner) == await model.values("v").get(owner)
        assert await storage.maps("m").items(owner) == await model.maps("m").items(owner)
