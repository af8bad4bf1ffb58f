import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import Any

from typing_extensions import Buffer

from ..xml import Limits

class PullParser:
    """`xml.etree.ElementTree.XMLPullParser` for XMPP streams; see `xmppfast.adapters.etree`."""

    def __init__(
        self, events: Iterable[str] | None = None, *, limits: Limits = ..., compat: bool = False
    ) -> None: ...
    def feed(self, data: Buffer | str) -> None:
        """Take more bytes or text; what is wrong with them is raised by `read_events`.

        Raises ValueError after `close`, TypeError for other types.
        """
    def read_events(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the pairs of event and element that wait; raises ParseError in its place.

        For "start-ns" the second is a pair of prefix and namespace name, for "end-ns" None.
        """
    def close(self) -> None:
        """End of input; ParseError if the root element isn't complete."""
    def flush(self) -> None:
        """Do nothing: no event is ever held back."""
    def _close_and_return_root(self) -> ET.Element: ...

class StanzaPullParser(PullParser):
    """A pull parser with "start" and "end" of the root and of stanzas, not of what is inside them.

    For who looks at complete stanzas only, and counts how deep he is.
    """

    def __init__(self, *, limits: Limits = ..., compat: bool = False) -> None: ...
