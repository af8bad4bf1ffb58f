"""The line of a stream error with a caret under the place."""

from __future__ import annotations

# Columns shown on either side of the place.
_SIDE = 36


def _cells(data: bytes) -> list[str]:
    """Each byte as it is shown: printable ASCII as it is, everything else as an escape."""
    short = {0x09: r"\t", 0x0D: r"\r"}
    return [chr(b) if 0x20 <= b < 0x7F else short.get(b, f"\\x{b:02x}") for b in data]


def excerpt(data: bytes, at: int) -> str:
    """Two lines: the part of the line around `data[at]`, and the caret.

    data  the bytes around the place; its line may begin before them and end after them
    at    index of the place; one behind the last byte stands for the end of input
    """
    line_begin = data.rfind(b"\n", 0, at) + 1
    line_end = data.find(b"\n", at)
    before = _cells(data[line_begin:at])
    after = _cells(data[at : line_end if line_end >= 0 else len(data)])
    cut_before = cut_after = ""
    while sum(map(len, before)) > _SIDE:
        del before[: max(1, len(before) - _SIDE)]
        cut_before = "..."
    while sum(map(len, after)) > _SIDE:
        del after[min(len(after) - 1, _SIDE) :]
        cut_after = "..."
    left = cut_before + "".join(before)
    return f"{left}{''.join(after)}{cut_after}\n{' ' * len(left)}^"
