"""What passes between two workers, as bytes.

A *frame* is one thing said: its kind and its fields. A *batch* is what is published at once: the
frames of a channel (see `channel`), and what is said about those of the other direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple


class Kind(IntEnum):
    """What a frame says; its fields."""

    NOTHING = 0
    """It was withdrawn."""
    STANZA = 1
    """A stamped stanza for an account: sender, to, bytes."""
    OPEN = 2
    """A client wants a resource: token, full address, language or nothing."""
    OPENED = 3
    """It has it: token."""
    REFUSED = 4
    """It hasn't: token, condition, text; without a condition, ask the account's owner anew."""
    UP = 5
    """A stanza of such a client: token, bytes."""
    DOWN = 6
    """Bytes for such a client: token, bytes."""
    END = 7
    """Its stream is to be closed: token, condition, text."""
    OVER = 8
    """Its session is over: token, how many DOWN it had; what was sent beyond is not delivered."""
    REFILLED = 9
    """Messages were stored for an account: address."""
    REMOVED = 10
    """An account is removed: address."""


class Frame(NamedTuple):
    """One thing said."""

    kind: Kind
    fields: tuple[bytes, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of its fields."""
        return sum(map(len, self.fields))


NOTHING: Final = Frame(Kind.NOTHING)


class Batch(NamedTuple):
    """What is published at once.

    epoch    of the channel that the frames are in; 0 if there are none
    base     the first frame of it that is not done yet, as its sender knows
    frames   by their numbers
    answers  epoch of the other direction's channel; 0 if nothing is said of it
    done     numbers of its frames that are done
    missing  from where it is to be sent again; 0 if nothing is missing
    """

    epoch: int = 0
    base: int = 0
    frames: Sequence[tuple[int, Frame]] = ()
    answers: int = 0
    done: Sequence[int] = ()
    missing: int = 0


_HEAD: Final = Struct("!QQIQQI")
_NUMBER: Final = Struct("!Q")
_FRAME: Final = Struct("!QBB")
_LENGTH: Final = Struct("!I")


def encode(batch: Batch) -> bytes:
    """The bytes of a batch."""
    epoch, base, frames, answers, done, missing = batch
    parts = [_HEAD.pack(epoch, base, len(frames), answers, missing, len(done))]
    parts += [_NUMBER.pack(number) for number in done]
    for number, frame in frames:
        parts.append(_FRAME.pack(number, frame.kind, len(frame.fields)))
        for field in frame.fields:
            parts += (_LENGTH.pack(len(field)), field)
    return b"".join(parts)


def decode(data: bytes) -> Batch:
    """The batch that `encode` made bytes of."""
    epoch, base, frame_count, answers, missing, done_count = _HEAD.unpack_from(data)
    at = _HEAD.size
    done = [_NUMBER.unpack_from(data, at + 8 * index)[0] for index in range(done_count)]
    at += 8 * done_count
    frames: list[tuple[int, Frame]] = []
    for _ in range(frame_count):
        number, kind, field_count = _FRAME.unpack_from(data, at)
        at += _FRAME.size
        fields: list[bytes] = []
        for _ in range(field_count):
            (length,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            fields.append(data[at : at + length])
            at += length
        frames.append((number, Frame(Kind(kind), tuple(fields))))
    return Batch(epoch, base, frames, answers, done, missing)
