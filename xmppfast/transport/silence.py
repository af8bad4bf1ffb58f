"""Peers that fall silent (RFC 6120 section 4.6.1): the system notices, without a timer of ours."""

from __future__ import annotations

import socket
import sys
from typing import Final

# Seconds of silence before the peer is asked, and between questions; then how many go unanswered.
_IDLE: Final = 180
_INTERVAL: Final = 30
_PROBES: Final = 4

# Milliseconds that what was sent may stay unacknowledged before the connection counts as broken.
_UNACKNOWLEDGED: Final = 60_000

_OPTIONS: Final = tuple(
    (getattr(socket, name), value)
    for name, value in (
        ("TCP_KEEPIDLE", _IDLE),
        ("TCP_KEEPINTVL", _INTERVAL),
        ("TCP_KEEPCNT", _PROBES),
        ("TCP_USER_TIMEOUT", _UNACKNOWLEDGED),
    )
    if hasattr(socket, name)
)

ACCEPTED_INHERIT: Final = sys.platform == "linux"
"""Whether a connection has these options if the socket had that it was accepted by."""


def notice_silence(connection: socket.socket) -> None:
    """Have a TCP connection break within minutes when nobody is there any more.

    Otherwise it takes a quarter of an hour to notice when something is sent, and forever when
    nothing is; what is delivered to it meanwhile is lost.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _OPTIONS:
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
