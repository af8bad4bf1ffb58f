"""Twisted's element stream: the elements that its expat handlers make, made here."""

from collections.abc import Callable
from typing import Any

from typing_extensions import Buffer

from ..xml import Limits

class ElementStream:
    """`domish.ExpatElementStream` for XMPP streams; see `xmppfast.adapters.domish`."""

    DocumentStartEvent: Callable[[Any], object] | None
    ElementEvent: Callable[[Any], object] | None
    DocumentEndEvent: Callable[[], object] | None
    stanzaSize: int
    elementCount: int
    def __init__(self, *, limits: Limits = ..., compat: bool = False) -> None: ...
    def parse(self, buffer: Buffer | str) -> None:
        """Take more bytes or text; ParserError for what is wrong with them."""
