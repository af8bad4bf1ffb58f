"""The element stream and the serializer of Twisted Words, for wokkel and others on it, too.

`ElementStream` makes the elements of `twisted.words.xish.domish.ExpatElementStream` and calls the
same events, each within the `parse` that has its last byte. `ListSerializer` writes what
`domish.SerializerClass` writes, without recursion. docs/adapters.md lists what is refused.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, ClassVar

from twisted.words.xish import domish

from . import _domish
from ._domish_writer import ListSerializer
from ._switch import Place, Switch


class ElementStream(_domish.ElementStream):
    """A stream of `domish.Element` with the surface of domish's own.

    limits  bounds on the stream, `xmppfast.Limits`
    compat  pass over comments, processing instructions, text between stanzas and a byte order mark
            instead of refusing them
    """

    # As the installed version of Twisted has them; older ones have none.
    maxStanzaSize: ClassVar[int] = getattr(domish.ExpatElementStream, "maxStanzaSize", sys.maxsize)
    """Bytes or characters of one stanza, after which `parse` raises ParserError."""
    maxElementCount: ClassVar[int] = getattr(
        domish.ExpatElementStream, "maxElementCount", sys.maxsize
    )
    """Elements of one stanza, after which `parse` raises ParserError."""


def _places(**options: Any) -> list[Place]:
    stream: Any = functools.partial(ElementStream, **options) if options else ElementStream
    return [
        (domish, "ExpatElementStream", stream),
        (domish, "SerializerClass", ListSerializer),
    ]


_switch = Switch(_places)
install = _switch.install
uninstall = _switch.uninstall
installed = _switch.installed

__all__ = ["ElementStream", "ListSerializer", "install", "installed", "uninstall"]
