"""Where slixmpp's `tostring` is used, and what to put there."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from . import _slixmpp_writer


def places() -> list[tuple[Any, str, Any]]:
    """The modules that have slixmpp's `tostring` by name, with ours; see `_switch.Switch`.

    Modules imported later take ours from slixmpp. Raises ImportError if slixmpp isn't installed,
    ValueError if its version writes elements in a way that ours doesn't know.
    """
    stock = importlib.import_module("slixmpp.xmlstream.tostring").tostring
    _slixmpp_writer.imitate(stock)
    return [
        (module, "tostring", _slixmpp_writer.tostring)
        for module in list(sys.modules.values())
        if getattr(module, "__dict__", {}).get("tostring") is stock
    ]
