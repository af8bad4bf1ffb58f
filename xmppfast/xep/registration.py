"""In-Band Registration (XEP-0077): accounts that people make, change and remove themselves.

Not among the features of a server unless it is asked for.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ..core.dispatch import Disco, Feature, Host, OnIq, Request, StreamFeature, Target
from ..core.errors import StanzaCondition, StanzaError
from ..core.jid import JID, InvalidJID
from ..core.stanza import element
from ..xml import Element

NAMESPACE = "jabber:iq:register"
_QUERY = f"{{{NAMESPACE}}}query"
_REMOVE = f"{{{NAMESPACE}}}remove"
_STREAM_FEATURE = "{http://jabber.org/features/iq-register}register"


def registration(host: Host) -> Feature:
    """Lets anybody make an account, and accounts change their passwords and remove themselves."""

    def fields(request: Request) -> ET.Element:
        return _query(instructions="Choose a name and a password.", username="", password="")

    def known(request: Request) -> ET.Element:
        account = _own(request)
        return _query(registered="", username=account.local or "", password="")

    async def create(request: Request) -> None:
        name, password = (_text(request.payload, part) for part in ("username", "password"))
        try:
            account = JID(name, host.domain.domain)
            created = await host.accounts.create(account, password)
        except (InvalidJID, ValueError) as error:
            raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, str(error)) from None
        if not created:
            raise StanzaError(StanzaCondition.CONFLICT, "this name is taken")

    async def change(request: Request) -> None:
        account = _own(request)
        if request.payload.find(_REMOVE) is not None:
            if len(request.payload) != 1:
                raise StanzaError(StanzaCondition.BAD_REQUEST, "there is more than a removal")
            # Section 3.2: answered while there is somebody to be answered.
            request.answer()
            await host.accounts.remove(account)
            return
        name, password = (_text(request.payload, part) for part in ("username", "password"))
        try:
            if JID(name, host.domain.domain) != account:
                raise StanzaError(StanzaCondition.NOT_ALLOWED, "this is someone else's name")
            await host.accounts.set_password(account, password)
        except ValueError as error:
            raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, str(error)) from None

    return Feature(
        "registration",
        (
            OnIq(_QUERY, Target.STREAM, fields, create),
            OnIq(_QUERY, Target.SERVER, known, change),
            OnIq(_QUERY, Target.ACCOUNT, known, change),
            StreamFeature(element(_STREAM_FEATURE), authenticated=False),
            Disco(Target.SERVER, features=(NAMESPACE,)),
        ),
    )


def _own(request: Request) -> JID:
    """The account of the session that asks; StanzaError for anybody else."""
    if request.resource is None or (request.to.local is not None and not request.own):
        raise StanzaError(StanzaCondition.FORBIDDEN)
    return request.resource.account.jid


def _query(**fields: str) -> ET.Element:
    return element(
        _QUERY,
        None,
        *(element(f"{{{NAMESPACE}}}{name}", None, text) for name, text in fields.items()),
    )


def _text(query: Element, name: str) -> str:
    """Section 3.1: what is required and missing is not acceptable."""
    text = query.findtext(f"{{{NAMESPACE}}}{name}")
    if not text:
        raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, f"{name} is missing")
    return text
