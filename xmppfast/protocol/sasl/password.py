"""Passwords as bytes that compare."""

from __future__ import annotations

from precis_i18n import get_profile
from scramp import ScramException
from scramp.utils import saslprep

_OPAQUE_STRING = get_profile("OpaqueString")


def prepare(password: str) -> bytes:
    """Prepare a password, for storing it and for giving it.

    SCRAM is defined with SASLprep (RFC 5802 section 2.2), and that is what other implementations
    use. It knows the characters of Unicode 3.2 only; a password with later ones is prepared as an
    OpaqueString (RFC 8265 section 4.2), SASLprep's successor.

    Raises ValueError for an empty password and for characters that neither allows.
    """
    try:
        prepared = saslprep(password)
    except ScramException:
        try:
            prepared = _OPAQUE_STRING.enforce(password)
        except UnicodeEncodeError as error:
            raise ValueError(f"a password can't have this: {error.reason}") from None
    if not prepared:
        raise ValueError("a password must not be empty")
    return str(prepared).encode()
