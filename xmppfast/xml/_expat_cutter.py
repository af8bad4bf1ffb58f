"""Cuts input so that expat never gets a part of a tag or of a reference.

Given a part, expat before 2.6 reads it again with every byte that comes, which is quadratic, and
later ones wait for more than its end, which delays events. Held back here until complete, it is
looked at once, and complete with its last byte.
"""

from __future__ import annotations

import re

_TAG_STOP = re.compile(rb"['\">]")
_REFERENCE_PART = re.compile(rb"[#0-9A-Za-z_:.\x80-\xff-]*")
CDATA = b"<![CDATA["


class Cutter:
    """Input up to the last tag or reference, if that is not complete, and that one's beginning."""

    __slots__ = ("_quote", "held", "size")

    def __init__(self) -> None:
        self.held: list[bytes] = []
        self.size = 0
        self._quote = b""  # of the attribute value that the tag held back ends in

    def take(self, piece: bytes) -> bytes:
        """Everything up to the last tag or reference that is not complete."""
        held = self.held
        if held and (self.size == 1 or held[0][1:2] in (b"!", b"?")):
            # What that is decides how far it goes, and is seen after few bytes.
            piece = self.release() + piece
        # No "<" can stand in a tag or reference, so the last one is all that can be incomplete.
        opening = piece.rfind(b"<")
        if opening >= 0:
            self._quote = b""
            if piece.startswith(CDATA, opening):
                text = opening + len(CDATA)
            else:
                text = self._tag_end(piece, opening + 1)
        elif not held:
            text = 0
        elif held[0].startswith(b"<"):
            text = self._tag_end(piece, 0)
        else:
            text = -1 if _REFERENCE_PART.fullmatch(piece) else 0
        if text < 0 and opening < 0:
            self._hold(piece)
            return b""
        before = self.size
        data = self.release() + piece if held else piece
        if text < 0:
            cut = before + opening
        else:
            cut = data.rfind(b"&", before + text if text else 0)
            if cut < 0 or not _REFERENCE_PART.fullmatch(data, cut + 1):
                return data
        self._hold(data[cut:])
        return data[:cut]

    def release(self) -> bytes:
        """Give up what is held back."""
        data = b"".join(self.held)
        self.held.clear()
        self.size = 0
        return data

    def _hold(self, data: bytes) -> None:
        self.held.append(data)
        self.size += len(data)

    def _tag_end(self, data: bytes, index: int) -> int:
        """Index behind the tag's ">"; -1 if that is not there."""
        quote = self._quote
        while True:
            if quote:
                index = data.find(quote, index) + 1
                if not index:
                    self._quote = quote
                    return -1
                quote = b""
            stop = _TAG_STOP.search(data, index)
            if stop is None:
                self._quote = b""
                return -1
            index = stop.end()
            if stop[0] != b">":
                quote = stop[0]
            else:
                return index
