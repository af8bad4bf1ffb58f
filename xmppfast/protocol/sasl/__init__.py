"""SASL mechanisms, as server and as client (RFC 6120 section 6)."""
