"""Instant messaging and presence (RFC 6121), as features of a server."""
