"""Channel binding types (RFC 5929, RFC 9266, XEP-0440)."""

from __future__ import annotations

from collections.abc import Collection

# Best first. The first two bind this very connection; tls-unique is defined up to TLS 1.2 only
# (RFC 9266 section 3).
TYPES = ("tls-exporter", "tls-unique", "tls-server-end-point")

# What a server with -PLUS has to have: RFC 5802 section 6, in TLS 1.3 RFC 9266 section 3.
_REQUIRED = ("tls-exporter", "tls-unique")


def choose(available: Collection[str], advertised: Collection[str]) -> str | None:
    """Choose the type for a client; None if there is none that both sides have.

    available   types this side has data for
    advertised  types the server names; empty if it names none
    """
    both = advertised or _REQUIRED
    return next((kind for kind in TYPES if kind in available and kind in both), None)
