"""slixmpp's `tostring`, compiled: the same characters for everything, without recursion."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

def tostring(
    xml: ET.Element | None = None,
    xmlns: str | None = "",
    stream: Any = None,
    outbuffer: str = "",
    top_level: bool = False,
    open_only: bool = False,
    namespaces: set[str] | None = None,
) -> str:
    """Serialize an XML object to a string; see `slixmpp.xmlstream.tostring.tostring`.

    Raises TypeError for names, values and text that are not strings.
    """

def imitate(stock: Callable[..., str]) -> None:
    """Do from now on as this `tostring` of slixmpp does; its versions differ.

    Raises ValueError for one that writes what no known version does.
    """
