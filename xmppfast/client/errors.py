"""Why a client has no session; the texts say what the server said."""

from __future__ import annotations

from ..core.errors import SaslCondition, SaslError
from ..xml import StreamCondition, StreamError


class ClientError(Exception):
    """A client can't go on."""


class ConnectFailed(ClientError):
    """No server was reached, or none that a session could be negotiated with."""


class AuthenticationFailed(ClientError):
    """The server doesn't accept the account and its password.

    condition  the `SaslCondition` it gave
    """

    def __init__(self, account: str, error: SaslError) -> None:
        super().__init__(f"{account}: {error}")
        self.condition: SaslCondition = error.condition


class Disconnected(ClientError):
    """The session is over.

    condition  that of the stream error, if there was one
    """

    def __init__(self, text: str, condition: StreamCondition | None = None) -> None:
        super().__init__(text)
        self.condition = condition

    @classmethod
    def by(cls, error: Exception | None) -> Disconnected:
        """Say why a session ended."""
        if isinstance(error, StreamError):
            said = error.condition.value + (f": {error.text}" if error.text else "")
            return cls(f"the stream was closed: {said}", error.condition)
        if error is None:
            return cls("the server closed the stream")
        return cls(f"the connection was lost: {error}")
