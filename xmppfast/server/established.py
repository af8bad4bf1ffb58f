"""What clients of older specifications ask for once they have a resource."""

from __future__ import annotations

from ..core.dispatch import Feature, OnIq, Request, Target
from ..core.errors import StanzaCondition, StanzaError
from ..core.namespaces import BIND, SESSION


def established() -> Feature:
    """Answers to session requests (RFC 3921 section 3) and to a second request for a resource."""
    return Feature(
        "established",
        (
            OnIq(f"{{{SESSION}}}session", Target.ACCOUNT, set=lambda request: None),
            OnIq(f"{{{SESSION}}}session", Target.SERVER, set=lambda request: None),
            OnIq(f"{{{BIND}}}bind", Target.ACCOUNT, set=_no_second_resource),
            OnIq(f"{{{BIND}}}bind", Target.SERVER, set=_no_second_resource),
        ),
    )


def _no_second_resource(request: Request) -> None:
    raise StanzaError(StanzaCondition.NOT_ALLOWED, "this session has its resource")
