"""Files with accounts: CSV, lines of address and password."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..core.jid import JID

# Lines of a file that are complained about, at most.
_MOST_SHOWN: Final = 10


def read(file: str) -> list[tuple[JID, str]]:
    """Addresses and passwords in a file's order; what is there twice counts once, the first time.

    file  its path, or "-" for stdin; UTF-8; headings such as `jid,password` are left out

    ValueError names each line that is neither an address and a password, nor empty; and domains, if
    the accounts are not of the same one. OSError if it can't be read.
    """
    if file == "-":
        return list(_read(sys.stdin.buffer.read(), "stdin").items())
    return list(_read(Path(file).read_bytes(), file).items())


def _read(data: bytes, name: str) -> dict[JID, str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}, line {line}: not UTF-8") from None
    found: dict[JID, str] = {}
    wrong: list[str] = []
    reader = csv.reader(io.StringIO(text, newline=""))
    first = True
    while True:
        try:
            row = next(reader)
            if row and not (first and _is_heading(row)):
                jid, password = _account(row)
                found.setdefault(jid, password)
            first = first and not row
        except StopIteration:
            break
        except (ValueError, csv.Error) as error:
            first = False
            wrong.append(f"{name}, line {reader.line_num}: {error}")
    if wrong:
        more = [f"and {len(wrong) - _MOST_SHOWN} lines more"] if len(wrong) > _MOST_SHOWN else []
        raise ValueError("\n".join((*wrong[:_MOST_SHOWN], *more)))
    domains = sorted({jid.domain for jid in found})
    if len(domains) > 1:
        raise ValueError(f"{name}: accounts of several domains: {', '.join(domains)}")
    return found


def address(text: str) -> JID:
    """The bare address of an account. ValueError for another text."""
    from ..core.jid import JID

    jid = JID.parse(text)
    if jid.local is None or jid.resource is not None:
        raise ValueError(f"{text!r} is no address of an account, such as alice@example.org")
    return jid


def _account(row: list[str]) -> tuple[JID, str]:
    from ..protocol.sasl.password import prepare

    if len(row) != 2:
        raise ValueError(f"an address and a password, not {len(row)} fields")
    prepare(row[1])
    return address(row[0].strip()), row[1]


def _is_heading(row: list[str]) -> bool:
    return "@" not in row[0] and [field.strip().lower() for field in row[1:]] == ["password"]
