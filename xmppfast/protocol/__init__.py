"""Streams, negotiation and sessions without I/O (RFC 6120)."""
