"""nbxmpp's node builder: the nodes that its expat handlers make, made here."""

from collections.abc import Callable
from typing import Any

from typing_extensions import Buffer

from ..xml import Limits

class NodeBuilder:
    """`nbxmpp.simplexml.NodeBuilder` for XMPP streams; see `xmppfast.adapters.nbxmpp`."""

    stream_error: str
    _dispatch_depth: int
    _mini_dom: Any
    _document_nsp: dict[str, str] | None
    dispatch: Callable[[Any], object]
    """Called with the stream header and each stanza; to be replaced."""
    stream_header_received: Callable[[], object]
    """Called when a document's root has started; to be replaced."""
    stream_footer_received: Callable[[], object]
    """Called when the root has ended; to be replaced."""
    @property
    def _document_attrs(self) -> dict[str, str] | None: ...
    @property
    def _is_stream(self) -> bool: ...
    def __init__(
        self,
        data: Buffer | str | None = None,
        initial_node: Any = None,
        dispatch_depth: int = 1,
        finished: bool = True,
        *,
        limits: Limits = ...,
        compat: bool = False,
    ) -> None: ...
    def Parse(self, data: Buffer | str, isfinal: bool = False) -> int:
        """Take more text or bytes; ExpatError or ValueError for what is wrong with them."""
    def destroy(self) -> None:
        """Make no nodes and no calls any more."""
    def getDom(self) -> Any:
        """The node just built, or None."""
    def has_received_endtag(self, level: int = 0) -> bool:
        """Whether an end tag was seen at this level."""
