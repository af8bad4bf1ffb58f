"""The fixtures of `playing`."""

from playing import play, storage

__all__ = ["play", "storage"]
