"""XML streams: bytes in, stanza events out.

`backend` says which implementation is at work: "compiled", or "expat" on the standard library,
which is taken where the extension is missing or the environment says XMPPFAST_BACKEND=expat.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .errors import StreamCondition, StreamError
from .limits import Limits

_wanted = os.environ.get("XMPPFAST_BACKEND", "")
if _wanted not in ("", "compiled", "expat"):
    raise ImportError(f"XMPPFAST_BACKEND must be 'compiled' or 'expat', not {_wanted!r}")

backend = "expat" if _wanted == "expat" else "compiled"
if not TYPE_CHECKING and backend == "compiled":
    try:
        from ._tokenizer import (
            Element,
            Stanza,
            StreamEnd,
            StreamParser,
            StreamStart,
            escape,
            parse,
            tostring,
        )
    except ImportError:
        if _wanted == "compiled":
            raise
        backend = "expat"
if not TYPE_CHECKING and backend == "expat":
    from ._expat import (
        Element,
        Stanza,
        StreamEnd,
        StreamParser,
        StreamStart,
        escape,
        parse,
        tostring,
    )
if TYPE_CHECKING:
    from ._tokenizer import (
        Element,
        Stanza,
        StreamEnd,
        StreamParser,
        StreamStart,
        escape,
        parse,
        tostring,
    )

__all__ = [
    "Element",
    "Limits",
    "Stanza",
    "StreamCondition",
    "StreamEnd",
    "StreamError",
    "StreamParser",
    "StreamStart",
    "backend",
    "escape",
    "parse",
    "tostring",
]
