"""Stand-ins for the parsers and serializers of other projects, each with the other's surface.

Every module here stands in for one: `etree`, `expat`, `slixmpp` and so on. Its `install()` puts it
to use, `uninstall()` undoes that, and `installed()` is both as a context manager. Nothing is
replaced by an import. The adapters need the compiled backend.
"""

from __future__ import annotations

import importlib.util

from ..xml import Limits

if importlib.util.find_spec(f"{__name__}._reader") is None:
    raise ImportError(
        "xmppfast.adapters needs xmppfast's compiled extensions, which are not built here: install "
        "a C compiler and Python's headers, and install xmppfast again",
        name=__name__,
    )

# What hosts read from their servers today passes: rosters and lists of tens of thousands of
# entries, pictures, files in one stanza. They walk trees by recursion, so depth stays below
# Python's own bound on that.
DEFAULT_LIMITS = Limits(
    stanza_bytes=16 * 1024 * 1024,
    depth=512,
    attributes=1024,
    children=500_000,
    name_bytes=1024,
    namespaces=1024,
)

__all__ = ["DEFAULT_LIMITS"]
