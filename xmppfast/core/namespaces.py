"""Namespace names of RFC 6120 and 6121; those of an extension are in its own file."""

from __future__ import annotations

BIND = "urn:ietf:params:xml:ns:xmpp-bind"
CLIENT = "jabber:client"
ROSTER = "jabber:iq:roster"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
SERVER = "jabber:server"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
STREAM = "http://etherx.jabber.org/streams"
STREAMS = "urn:ietf:params:xml:ns:xmpp-streams"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"

LANG = "{http://www.w3.org/XML/1998/namespace}lang"
"""Clark name of `xml:lang`."""
