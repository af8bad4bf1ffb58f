"""Rosters in memory and in storage (RFC 6121 section 2.1).

The roster of an account exists once in memory, as long as anybody works with it. It is changed
there at once, so two handlers at a time see each other's changes, and then written; whoever
changed it waits until that is durable. What could not be written is taken back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final
from weakref import WeakValueDictionary

from ..core.dispatch import Account
from ..core.jid import JID
from ..storage.interface import Maps, Storage
from .subscription import STRANGERS, From, State, To
from .turns import Turn, Turns

# Removed items whose version is remembered, so that a client that was away learns of them.
_REMOVED: Final = 100

# Key for what concerns the whole roster; no address is empty.
_HEAD: Final = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A contact.

    listed   whether it is in the roster that the user sees; what is not is kept for its `request`
    request  the stanza by which the contact asked for a subscription, until it is answered
    version  of the roster when the user last saw this item change
    """

    jid: JID
    name: str | None = None
    groups: tuple[str, ...] = ()
    state: State = STRANGERS
    listed: bool = False
    request: bytes | None = None
    version: int = 0

    @property
    def shown(self) -> tuple[object, ...]:
        """All that the user sees of it. Not that a request waits (appendix A.1)."""
        from_ = From.NONE if self.state.from_ is From.PENDING else self.state.from_
        return self.listed, self.name, self.groups, self.state.to, from_

    @property
    def blank(self) -> bool:
        """Whether there is nothing to remember."""
        return not self.listed and self.state == STRANGERS


# Many rosters are empty, and nothing was removed from most: they share these, which don't change.
_NO_ITEMS: Final[dict[JID, Item]] = {}
_NONE_REMOVED: Final[Mapping[JID, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change:
    """What `Roster.put` has done.

    version  of the roster with it
    saved    to be awaited until it is durable; None if nothing has changed
    turn     for telling clients of it: they learn of changes in the order these were made
    """

    old: Item
    new: Item
    version: int
    saved: Awaitable[None] | None
    turn: Turn

    @property
    def shown(self) -> bool:
        """Whether the user sees a difference."""
        return self.new.shown != self.old.shown


class Roster:
    """The contacts of one account.

    items     by address, hidden ones too
    version   grows with each change that the user sees (section 2.6)
    """

    __slots__ = (
        "__weakref__",
        "_maps",
        "_oldest",
        "_removed",
        "_subscribers",
        "_turns",
        "_unsaved",
        "items",
        "owner",
        "version",
    )

    def __init__(self, maps: Maps, owner: JID, entries: dict[str, bytes]) -> None:
        self.owner = owner
        self.items = _NO_ITEMS
        self.version = 0
        self._maps = maps
        self._removed = _NONE_REMOVED
        self._oldest = 0
        self._unsaved: dict[JID, _Unsaved] | None = None  # there while there are any
        self._turns: Turns | None = None
        self._subscribers: tuple[JID, ...] | None = None  # while it is known
        removed: dict[JID, int] = {}
        for key, value in entries.items():
            entry = json.loads(value)
            if key == _HEAD:
                self.version, self._oldest = entry["version"], entry["oldest"]
                continue
            jid = JID.parse(key)
            if "to" in entry:
                self._keep(_read(jid, entry))
            if "removed" in entry:
                removed[jid] = entry["removed"]
        if removed:
            known = sorted(removed.items(), key=lambda removed: removed[1])
            self._removed = {jid: version for jid, version in known if version > self._oldest}

    def get(self, jid: JID) -> Item:
        """The contact of that address, a blank one if there is none."""
        return self.items.get(jid) or Item(jid)

    @property
    def subscribers(self) -> tuple[JID, ...]:
        """The bare addresses of the contacts that see the owner's presence."""
        if self._subscribers is None:
            self._subscribers = tuple(
                item.jid.bare for item in self.items.values() if item.state.from_ is From.SUBSCRIBED
            )
        return self._subscribers

    def listed(self) -> list[Item]:
        """What the user sees, in the order of change."""
        items = (item for item in self.items.values() if item.listed)
        return sorted(items, key=lambda item: item.version)

    def put(self, item: Item) -> Change:
        """Replace the contact, now. If the user sees a change, the roster has a new version."""
        old = self.get(item.jid)
        if item == old:
            return Change(old, old, self.version, None, self._take_turn())
        changes: dict[str, bytes | None] = {}
        version = old.version
        if item.shown != old.shown:
            self.version += 1
            self._not_removed(item.jid)
            if not item.listed:
                self._removed = {**self._removed, item.jid: self.version}
                self._forget_oldest(changes)
            changes[_HEAD] = _json({"version": self.version, "oldest": self._oldest})
            version = self.version
        item = replace(item, version=version)
        entry: dict[str, Any] = {}
        self._keep(item)
        if not item.blank:
            entry = _write(item)
        if item.jid in self._removed:
            entry["removed"] = self._removed[item.jid]
        changes[str(item.jid)] = _json(entry) if entry else None
        if self._unsaved is None:
            self._unsaved = {}
        unsaved = self._unsaved.setdefault(item.jid, _Unsaved(old))
        unsaved.begun += 1
        written = self._maps.update(str(self.owner), changes)
        saved = self._save(unsaved, unsaved.begun, item, written)
        return Change(old, item, self.version, saved, self._take_turn())

    async def _save(
        self, unsaved: _Unsaved, number: int, item: Item, written: Awaitable[None]
    ) -> None:
        try:
            await written
            if number > unsaved.newest:
                unsaved.stored, unsaved.newest = item, number
        finally:
            unsaved.ended += 1
            if unsaved.ended == unsaved.begun:
                assert self._unsaved is not None
                del self._unsaved[item.jid]
                self._unsaved = self._unsaved or None
                self._restore(unsaved.stored)

    def _restore(self, item: Item) -> None:
        self._keep(item)
        if item.listed:
            self._not_removed(item.jid)

    def _keep(self, item: Item) -> None:
        self._subscribers = None
        if item.blank:
            self.items.pop(item.jid, None)
        elif self.items:
            self.items[item.jid] = item
        else:
            self.items = {item.jid: item}  # the empty one may be that of all

    def _take_turn(self) -> Turn:
        if self._turns is None:
            self._turns = Turns()
        return self._turns.take()

    def _not_removed(self, jid: JID) -> None:
        if jid in self._removed:
            self._removed = {known: at for known, at in self._removed.items() if known != jid}

    def since(self, version: int) -> list[Item] | None:
        """Items that changed after a version, in order; removed ones are not listed.

        None if too much is forgotten to say, or there has never been such a version.
        """
        if not self._oldest <= version <= self.version:
            return None
        removed = [Item(jid, version=at) for jid, at in self._removed.items()]
        items = (item for item in (*removed, *self.listed()) if item.version > version)
        return sorted(items, key=lambda item: item.version)

    def _forget_oldest(self, changes: dict[str, bytes | None]) -> None:
        if len(self._removed) > _REMOVED:
            jid = next(iter(self._removed))
            self._oldest = self._removed[jid]
            self._not_removed(jid)
            if jid not in self.items:
                changes[str(jid)] = None


@dataclass(slots=True)
class _Unsaved:
    """An item that is being written.

    stored, newest  as it is stored, and by which write
    begun, ended    how many writes
    """

    stored: Item
    newest: int = 0
    begun: int = 0
    ended: int = 0


class Rosters:
    """All rosters of a server. While an account is connected, its state has its roster.

    exists   whether there is such an account
    account  gives it if it is connected
    """

    def __init__(
        self,
        storage: Storage,
        exists: Callable[[JID], Awaitable[bool]],
        account: Callable[[JID], Account | None] = lambda jid: None,
    ) -> None:
        self._exists = exists
        self._account = account
        self._maps = storage.maps("roster")
        # Those in use of accounts that are not connected. Two of one account would undo each
        # other's changes.
        self._live: WeakValueDictionary[JID, Roster] = WeakValueDictionary()
        self._loading: Counter[JID] = Counter()
        self._held: dict[JID, Roster] = {}

    def live(self, owner: JID) -> Roster | None:
        """The account's roster if it is in memory; that of a connected one always is."""
        account = self._account(owner)
        found: Roster | None = None if account is None else account.state.get("roster")
        return self._live.get(owner.bare) if found is None else found

    def connected(self, account: Account, roster: Roster) -> None:
        """Keep the roster of an account that has a resource."""
        account.state["roster"] = roster
        self._live.pop(account.jid, None)

    def leaving(self, account: Account) -> None:
        """It may be the account's last resource that is going."""
        roster = account.state.get("roster")
        if roster is not None:
            self._live[account.jid] = roster

    def forget(self, owner: JID) -> None:
        """Its roster may be changed elsewhere: the one in memory is not to be found any more."""
        self._live.pop(owner.bare, None)

    async def load(self, owner: JID, *, removed: bool = False) -> Roster | None:
        """The account's roster, which may be empty; None if there is no such account.

        removed  the account is just being removed: its roster is still there
        """
        owner = owner.bare
        roster = self.live(owner)
        if roster is not None:
            return roster
        if not removed and not await self._exists(owner):
            return None
        self._loading[owner] += 1
        try:
            entries = await self._maps.items(str(owner))
            roster = self.live(owner)
            if roster is None:
                roster = self._live[owner] = Roster(self._maps, owner, entries)
                # Others who are loading it may have read it before it is changed now: it has to
                # stay for them to find, or they would undo the change.
                self._held[owner] = roster
            return roster
        finally:
            self._loading[owner] -= 1
            if not self._loading[owner]:
                del self._loading[owner]
                self._held.pop(owner, None)


def _json(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()


def _write(item: Item) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "version": item.version,
        "to": item.state.to.value,
        "from": item.state.from_.value,
        "listed": item.listed,
    }
    if item.name is not None:
        entry["name"] = item.name
    if item.groups:
        entry["groups"] = item.groups
    if item.request is not None:
        entry["request"] = item.request.decode()
    return entry


def _read(jid: JID, entry: dict[str, Any]) -> Item:
    request = entry.get("request")
    return Item(
        jid,
        name=entry.get("name"),
        groups=tuple(entry.get("groups", ())),
        state=State(To(entry["to"]), From(entry["from"])),
        listed=entry["listed"],
        request=None if request is None else request.encode(),
        version=entry["version"],
    )
