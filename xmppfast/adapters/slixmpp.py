"""The parser and the serializer of slixmpp.

slixmpp makes a pull parser per stream and counts in `data_received` how deep it is: a stanza is
what ends at depth 1. `install()` has it make one that tells of stanzas as a whole.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..xml import Limits
from . import DEFAULT_LIMITS, _slixmpp_tostring
from ._etree import StanzaPullParser
from ._slixmpp_writer import tostring
from ._switch import Place, Switch


def _places(*, limits: Limits = DEFAULT_LIMITS, compat: bool = False) -> list[Place]:
    stream_class = importlib.import_module("slixmpp.xmlstream.xmlstream").XMLStream

    def init_parser(stream: Any) -> None:
        """Begin a new stream."""
        stream.xml_depth = 0
        stream.xml_root = None
        stream.parser = StanzaPullParser(limits=limits, compat=compat)

    return [(stream_class, "init_parser", init_parser), *_slixmpp_tostring.places()]


_switch = Switch(_places)


def install(*, limits: Limits = DEFAULT_LIMITS, compat: bool = False) -> None:
    """Have slixmpp use xmppfast for every stream that begins from now on.

    limits  bounds on the stream
    compat  pass over comments, processing instructions, text between stanzas and a byte order mark
            instead of refusing them
    """
    _switch.install(limits=limits, compat=compat)


def uninstall() -> None:
    """Have it use its own again, for streams that begin from now on."""
    _switch.uninstall()
    # Modules imported in between have taken ours.
    stock = getattr(sys.modules.get("slixmpp.xmlstream.tostring"), "tostring", None)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "xmppfast" and vars(module).get("tostring") is tostring:
            vars(module)["tostring"] = stock


@contextmanager
def installed(*, limits: Limits = DEFAULT_LIMITS, compat: bool = False) -> Iterator[None]:
    """`install` for the time of a `with` block, unless that is done already."""
    if _switch.is_installed:
        yield
        return
    install(limits=limits, compat=compat)
    try:
        yield
    finally:
        uninstall()


__all__ = ["install", "installed", "tostring", "uninstall"]
