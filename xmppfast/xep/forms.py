"""Data Forms (XEP-0004), as far as commands and registration need them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..core.stanza import element
from ..xml import Element

NAMESPACE = "jabber:x:data"
FORM = f"{{{NAMESPACE}}}x"
_FIELD, _VALUE = f"{{{NAMESPACE}}}field", f"{{{NAMESPACE}}}value"


class Field(NamedTuple):
    """A field; `type` as in section 3.3."""

    var: str
    type: str
    label: str | None = None
    required: bool = False
    values: Sequence[str] = ()


def form(type: str, title: str | None, form_type: str, fields: Iterable[Field]) -> ET.Element:
    """A form to fill in (`form`) or a filled one (`result`, `submit`), see section 3.1."""
    head = element(f"{{{NAMESPACE}}}title", None, title) if title is not None else None
    return element(
        FORM,
        {"type": type},
        head,
        *(_field(field) for field in (Field("FORM_TYPE", "hidden", values=(form_type,)), *fields)),
    )


def _field(field: Field) -> ET.Element:
    required = element(f"{{{NAMESPACE}}}required") if field.required else None
    values = (element(_VALUE, None, value) for value in field.values)
    attributes = {"var": field.var, "type": field.type, "label": field.label}
    return element(_FIELD, attributes, required, *values)


def submitted(filled: Element) -> Mapping[str, list[str]]:
    """Values by field of a form somebody filled in."""
    return {
        field.get("var", ""): [value.text or "" for value in field.findall(_VALUE)]
        for field in filled.findall(_FIELD)
    }
