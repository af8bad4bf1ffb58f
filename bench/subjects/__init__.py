"""What is measured: one file per library, each subject a small function.

A subject takes the chunks of a whole stream and returns the number of stanzas it saw.
"""

from collections.abc import Callable, Sequence

Chunks = Sequence[bytes]
Subject = Callable[[Chunks], int]
