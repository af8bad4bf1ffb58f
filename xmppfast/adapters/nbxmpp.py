"""The node builder of nbxmpp, which Gajim stands on.

`NodeBuilder` makes the nodes of `nbxmpp.simplexml.NodeBuilder`, for streams and for documents, and
dispatches each within the `Parse` that has its last byte. docs/adapters.md lists what is refused.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from . import _nbxmpp
from ._switch import Place, Switch


class NodeBuilder(_nbxmpp.NodeBuilder):
    """A builder with the surface of nbxmpp's own.

    data            what to read at once
    initial_node    the node to fill, instead of a new one
    dispatch_depth  1 for a document, 2 for the stanzas of a stream
    finished        False for a stream, whose root is then checked
    limits          bounds on what is read, `xmppfast.Limits`
    compat          pass over text between stanzas and a byte order mark instead of refusing them
    """

    __slots__ = ()


def _places(**options: Any) -> list[Place]:
    builder: Any = functools.partial(NodeBuilder, **options) if options else NodeBuilder
    modules = map(importlib.import_module, ("nbxmpp.simplexml", "nbxmpp.dispatcher"))
    return [(module, "NodeBuilder", builder) for module in modules]


_switch = Switch(_places)
install = _switch.install
uninstall = _switch.uninstall
installed = _switch.installed

__all__ = ["NodeBuilder", "install", "installed", "uninstall"]
