"""Names and characters, as expat judges them."""

from __future__ import annotations

import re
from functools import lru_cache
from pyexpat import ExpatError, ParserCreate

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
XMLNS_NAMESPACE = "http://www.w3.org/2000/xmlns/"

# Stands between namespace and local name in what expat reports. No XML document can contain it.
SEPARATOR = "\x01"

# XML 1.0 section 2.2, production [2].
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_ASCII_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")


def clark(name: str) -> str:
    """Clark name for a name as expat reports it."""
    return "{" + name.replace(SEPARATOR, "}") if SEPARATOR in name else name


def _accepted(document: str) -> bool:
    try:
        ParserCreate("UTF-8").Parse(document.encode(), True)
    except ExpatError:
        return False
    return True


@lru_cache(1024)
def is_name_start(character: str) -> bool:
    """Whether that can begin a name without a colon (Namespaces 1.0, NCName)."""
    if character < "\x80":
        return character.isalpha() or character == "_"
    return _accepted(f"<{character}/>")


@lru_cache(1024)
def is_name_character(character: str) -> bool:
    """Whether that can stand in a name, colons included."""
    if character < "\x80":
        return character.isalnum() or character in "_:.-"
    return _accepted(f"<a{character}/>")


@lru_cache(1024)
def is_ncname(name: str) -> bool:
    """Whether that is a name without a colon."""
    if _ASCII_NAME.fullmatch(name):
        return True
    return (
        bool(name)
        and not ILLEGAL.search(name)
        and is_name_start(name[0])
        and all(is_name_character(character) and character != ":" for character in name)
    )


def check_text(text: str) -> None:
    """ValueError, naming the character, for text that XML can't carry."""
    illegal = ILLEGAL.search(text)
    if illegal:
        raise ValueError(f"XML can't carry the character U+{ord(illegal[0]):04X}")
