"""The fixtures of `playing`."""

from playing import play, play_alone, storage

__all__ = ["play", "play_alone", "storage"]
