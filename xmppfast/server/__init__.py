"""A server: sessions, who is connected, and the way of stanzas between them."""
