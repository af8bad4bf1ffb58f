"""What goes wrong with a stanza or with authentication: one condition, and a text for people.

Errors of a stream are `xmppfast.StreamError`, and `PeerStreamError` if the peer sent them.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from enum import Enum

from ..xml import StreamCondition, StreamError


class ErrorType(Enum):
    """What the sender of a stanza can do about an error (RFC 6120 section 8.3.2)."""

    AUTH = "auth"
    CANCEL = "cancel"
    CONTINUE = "continue"
    MODIFY = "modify"
    WAIT = "wait"


class StanzaCondition(Enum):
    """Stanza error conditions of RFC 6120 section 8.3.3; the value is the XML element's name.

    `type` is the error type that goes with it unless something else is said.
    """

    type: ErrorType

    def __new__(cls, value: str, type: ErrorType) -> StanzaCondition:
        member = object.__new__(cls)
        member._value_ = value
        member.type = type
        return member

    BAD_REQUEST = "bad-request", ErrorType.MODIFY
    CONFLICT = "conflict", ErrorType.CANCEL
    FEATURE_NOT_IMPLEMENTED = "feature-not-implemented", ErrorType.CANCEL
    FORBIDDEN = "forbidden", ErrorType.AUTH
    GONE = "gone", ErrorType.CANCEL
    INTERNAL_SERVER_ERROR = "internal-server-error", ErrorType.CANCEL
    ITEM_NOT_FOUND = "item-not-found", ErrorType.CANCEL
    JID_MALFORMED = "jid-malformed", ErrorType.MODIFY
    NOT_ACCEPTABLE = "not-acceptable", ErrorType.MODIFY
    NOT_ALLOWED = "not-allowed", ErrorType.CANCEL
    NOT_AUTHORIZED = "not-authorized", ErrorType.AUTH
    POLICY_VIOLATION = "policy-violation", ErrorType.MODIFY
    RECIPIENT_UNAVAILABLE = "recipient-unavailable", ErrorType.WAIT
    REDIRECT = "redirect", ErrorType.MODIFY
    REGISTRATION_REQUIRED = "registration-required", ErrorType.AUTH
    REMOTE_SERVER_NOT_FOUND = "remote-server-not-found", ErrorType.CANCEL
    REMOTE_SERVER_TIMEOUT = "remote-server-timeout", ErrorType.WAIT
    RESOURCE_CONSTRAINT = "resource-constraint", ErrorType.WAIT
    SERVICE_UNAVAILABLE = "service-unavailable", ErrorType.CANCEL
    SUBSCRIPTION_REQUIRED = "subscription-required", ErrorType.AUTH
    UNDEFINED_CONDITION = "undefined-condition", ErrorType.CANCEL
    UNEXPECTED_REQUEST = "unexpected-request", ErrorType.WAIT


class SaslCondition(Enum):
    """SASL failure conditions of RFC 6120 section 6.5; the value is the XML element's name."""

    ABORTED = "aborted"
    ACCOUNT_DISABLED = "account-disabled"
    CREDENTIALS_EXPIRED = "credentials-expired"
    ENCRYPTION_REQUIRED = "encryption-required"
    INCORRECT_ENCODING = "incorrect-encoding"
    INVALID_AUTHZID = "invalid-authzid"
    INVALID_MECHANISM = "invalid-mechanism"
    MALFORMED_REQUEST = "malformed-request"
    MECHANISM_TOO_WEAK = "mechanism-too-weak"
    NOT_AUTHORIZED = "not-authorized"
    TEMPORARY_AUTH_FAILURE = "temporary-auth-failure"


class StanzaError(Exception):
    """An error about one stanza (RFC 6120 section 8.3): its handler raises it, the sender gets it.

    condition    the `StanzaCondition`
    text         what is wrong, for people; may be empty
    type         `ErrorType`; by default the condition's
    application  an application-specific condition, an element in a namespace of its own
    address      for `gone` and `redirect`: where to turn instead, a URI
    """

    def __init__(
        self,
        condition: StanzaCondition,
        text: str = "",
        *,
        type: ErrorType | None = None,
        application: ET.Element | None = None,
        address: str | None = None,
    ) -> None:
        super().__init__(condition, text)
        self.condition = condition
        self.text = text
        self.type = type or condition.type
        self.application = application
        self.address = address

    def __str__(self) -> str:
        return f"{self.condition.value}: {self.text}" if self.text else self.condition.value


class SaslError(Exception):
    """Authentication failed (RFC 6120 section 6.5); the stream lives on.

    condition  the `SaslCondition`
    text       what is wrong, for people; may be empty, and never tells whether an account exists
    """

    def __init__(self, condition: SaslCondition, text: str = "") -> None:
        super().__init__(condition, text)
        self.condition = condition
        self.text = text

    def __str__(self) -> str:
        return f"{self.condition.value}: {self.text}" if self.text else self.condition.value


class PeerStreamError(StreamError):
    """The stream error that the peer closed its stream with (RFC 6120 section 4.9).

    address  for `see-other-host`: host and optional port to turn to
    """

    def __init__(self, condition: StreamCondition, text: str, address: str | None = None) -> None:
        super().__init__(condition, text)
        self.address = address

    def __str__(self) -> str:
        return f"{self.condition.value}: {self.text}" if self.text else self.condition.value
