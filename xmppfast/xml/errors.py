"""What can be wrong with a stream: one condition of RFC 6120, and where it was found."""

from __future__ import annotations

from enum import Enum


class StreamCondition(Enum):
    """Stream error conditions of RFC 6120 section 4.9.3; the value is the XML element's name."""

    BAD_FORMAT = "bad-format"
    BAD_NAMESPACE_PREFIX = "bad-namespace-prefix"
    CONFLICT = "conflict"
    CONNECTION_TIMEOUT = "connection-timeout"
    HOST_GONE = "host-gone"
    HOST_UNKNOWN = "host-unknown"
    IMPROPER_ADDRESSING = "improper-addressing"
    INTERNAL_SERVER_ERROR = "internal-server-error"
    INVALID_FROM = "invalid-from"
    INVALID_NAMESPACE = "invalid-namespace"
    INVALID_XML = "invalid-xml"
    NOT_AUTHORIZED = "not-authorized"
    NOT_WELL_FORMED = "not-well-formed"
    POLICY_VIOLATION = "policy-violation"
    REMOTE_CONNECTION_FAILED = "remote-connection-failed"
    RESET = "reset"
    RESOURCE_CONSTRAINT = "resource-constraint"
    RESTRICTED_XML = "restricted-xml"
    SEE_OTHER_HOST = "see-other-host"
    SYSTEM_SHUTDOWN = "system-shutdown"
    UNDEFINED_CONDITION = "undefined-condition"
    UNSUPPORTED_ENCODING = "unsupported-encoding"
    UNSUPPORTED_FEATURE = "unsupported-feature"
    UNSUPPORTED_STANZA_TYPE = "unsupported-stanza-type"
    UNSUPPORTED_VERSION = "unsupported-version"


class StreamError(Exception):
    """A stream that must not be read any further (RFC 6120 section 4.9).

    condition  the `StreamCondition` to answer with
    text       what is wrong, for people
    offset     bytes before the place, counted from the first byte the parser was ever fed
    line       line of that place, from 1; a line ends with a line feed
    column     byte within that line, from 1
    """

    def __init__(
        self,
        condition: StreamCondition,
        text: str,
        offset: int = 0,
        line: int = 1,
        column: int = 1,
    ) -> None:
        super().__init__(condition, text, offset, line, column)
        self.condition = condition
        self.text = text
        self.offset = offset
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return (
            f"{self.condition.value}: {self.text} "
            f"(line {self.line}, column {self.column}, offset {self.offset})"
        )
