"""Addresses (RFC 7622): prepared once, then compared as strings."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from sys import intern
from typing import Final

import idna
from precis_i18n import get_profile

_MOST_BYTES: Final = 1023
# Longer addresses are prepared each time: what a peer makes us remember stays bounded.
_CACHED_CHARACTERS: Final = 256
_CACHED_ADDRESSES: Final = 16384

# What PRECIS leaves of ASCII; RFC 7622 section 3.3.1 takes some more from a localpart.
_ASCII_LOCAL = re.compile(r"[!#-%(-.0-9;=?A-Z\[-~]+")
_ASCII_RESOURCE = re.compile(r"[ -~]+")
_ASCII_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_NOT_IN_LOCAL = re.compile(r"[\"&'/:<>@]")

_username = get_profile("UsernameCaseMapped")
_opaque = get_profile("OpaqueString")


class InvalidJID(ValueError):
    """A text that is no address; on the wire it is answered with `jid-malformed`."""


class JID:
    """An XMPP address: `localpart@domainpart/resourcepart`, immutable and prepared.

    local, resource  None if the address has no such part
    domain           as Unicode, in lower case, without a trailing dot
    bare             the address without its resourcepart

    Two are equal if their prepared texts are, and `str` is that text: a dictionary may as well have
    it for a key. Raises InvalidJID.
    """

    __slots__ = ("_text", "bare", "domain", "local", "resource")

    local: str | None
    domain: str
    resource: str | None
    bare: JID

    def __init__(self, local: str | None, domain: str, resource: str | None = None) -> None:
        self._set(
            None if local is None else _prepare_local(local),
            _prepare_domain(domain),
            None if resource is None else _prepare_resource(resource),
        )

    def _set(self, local: str | None, domain: str, resource: str | None) -> None:
        text = domain if local is None else f"{local}@{domain}"
        bare = self
        if resource is not None:
            bare = JID.__new__(JID)
            bare._set(local, domain, None)
            text = f"{text}/{resource}"
        put = object.__setattr__
        put(self, "local", local)
        put(self, "domain", intern(domain))  # there are few, and many addresses with each
        put(self, "resource", resource)
        put(self, "bare", bare)
        put(self, "_text", text)

    @staticmethod
    def parse(text: str) -> JID:
        """Read an address as it is written; the same object for the same text, as long as cached.

        Raises InvalidJID.
        """
        return _cached(text) if len(text) <= _CACHED_CHARACTERS else _parse(text)

    def with_resource(self, resource: str) -> JID:
        """The same bare address with that resourcepart. Raises InvalidJID."""
        jid = JID.__new__(JID)
        jid._set(self.local, self.domain, _prepare_resource(resource))
        return jid

    @property
    def is_bare(self) -> bool:
        """Whether there is no resourcepart."""
        return self.resource is None

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"JID({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, JID) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("JIDs are immutable")

    def __reduce__(self) -> tuple[object, ...]:
        return _parse, (self._text,)

    _text: str


def _parse(text: str) -> JID:
    # RFC 7622 section 3.1: the first slash, then the first at sign in front of it.
    bare, slash, resource = text.partition("/")
    local, at, domain = bare.partition("@")
    if at:
        return JID(local, domain, resource if slash else None)
    return JID(None, bare, resource if slash else None)


_cached = lru_cache(_CACHED_ADDRESSES)(_parse)


def _checked(part: str, name: str) -> str:
    if not part:
        raise InvalidJID(f"the {name} is empty")
    if len(part.encode()) > _MOST_BYTES:
        raise InvalidJID(f"the {name} has more than {_MOST_BYTES} bytes")
    return part


def _prepare_local(local: str) -> str:
    _bounded(local, "localpart")
    if _ASCII_LOCAL.fullmatch(local):
        return _checked(local.lower(), "localpart")
    try:
        prepared: str = _username.enforce(local)
    except UnicodeError as error:
        raise InvalidJID(f"not allowed in a localpart: {error}") from None
    # The mappings can make such a character of another one, so look at what has come of it.
    if _NOT_IN_LOCAL.search(prepared):
        raise InvalidJID("a localpart can't have any of \" & ' / : < > @")
    return _checked(prepared, "localpart")


def _prepare_resource(resource: str) -> str:
    _bounded(resource, "resourcepart")
    if _ASCII_RESOURCE.fullmatch(resource):
        return _checked(resource, "resourcepart")
    try:
        prepared: str = _opaque.enforce(resource)
    except UnicodeError as error:
        raise InvalidJID(f"not allowed in a resourcepart: {error}") from None
    return _checked(prepared, "resourcepart")


def _prepare_domain(domain: str) -> str:
    _bounded(domain, "domainpart")
    if domain.startswith("["):
        return _prepare_ipv6(domain)
    # RFC 7622 section 3.2: a trailing dot goes before anything else.
    domain = domain.removesuffix(".")
    lower = domain.lower()
    if _ASCII_DOMAIN.fullmatch(lower) and "xn--" not in lower:
        return _checked(lower, "domainpart")
    try:
        # Mapping of width and case, NFC (RFC 5895), then IDNA2008; A-labels become U-labels.
        prepared = idna.decode(idna.encode(lower, uts46=True, std3_rules=True))
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidJID(f"{domain!r} is no domain name: {error}") from None
    if prepared.endswith("."):
        raise InvalidJID(f"{domain!r} is no domain name: a label is empty")
    return _checked(prepared, "domainpart")


def _prepare_ipv6(domain: str) -> str:
    try:
        if not domain.endswith("]") or "%" in domain:
            raise ValueError
        return f"[{ipaddress.IPv6Address(domain[1:-1]).compressed}]"
    except ValueError:
        raise InvalidJID(f"{domain!r} is no IPv6 address") from None


def _bounded(part: str, name: str) -> None:
    # Preparation costs more than it takes to see that it is in vain; nothing shrinks to a quarter.
    if len(part) > 4 * _MOST_BYTES:
        raise InvalidJID(f"the {name} has more than {_MOST_BYTES} bytes")
