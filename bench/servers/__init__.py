"""XMPP servers side by side: CPU time per message, logins and memory, on loopback."""
