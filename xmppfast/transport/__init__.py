"""Connections: the only place with sockets."""
