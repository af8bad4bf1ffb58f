"""Addresses, errors, stanzas and registrations: what all layers above the parser share."""
