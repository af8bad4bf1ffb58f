"""Look into a stanza: what is not asked for is not decoded."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import xmppfast

MESSAGE = """
<message xmlns='jabber:client' from='romeo@example.net/orchard' to='juliet@example.com' id='m1'
    type='chat' xml:lang='en'>
  <body>Wherefore &amp; why?</body>
</message>"""

ROSTER = b"""<iq xmlns='jabber:client' type='result' id='r1'>\
<query xmlns='jabber:iq:roster' ver='7'>\
<item jid='romeo@example.net' name='Romeo'><group>Friends</group></item>\
<item jid='nurse@example.com'><group>Servants</group><group>Friends</group></item>\
</query></iq>"""

NAMESPACES = {"c": "jabber:client", "r": "jabber:iq:roster"}


def main() -> None:
    """Read a message and a roster."""
    message = xmppfast.parse(MESSAGE)
    print(message.tag, "=", message.xmlns, "+", message.name)
    print("from", message.from_, "to", message.to)
    print("type", message.type, "id", message.id, "language", message.lang)
    print("first child:", message.payload)
    print("attributes:", dict(message.attrib))
    print("body:", message.findtext("c:body", namespaces=NAMESPACES))
    print("subject:", message.findtext("c:subject", "(none)", NAMESPACES))

    iq = xmppfast.parse(ROSTER)
    query = iq[0]
    print(f"{len(query)} items in version {query.get('ver')}, {query.get('xmlns', 'no attribute')}")
    for item in query:
        groups = [group.text for group in item]
        print(" ", item.get("jid"), item.get("name", "(no name)"), groups, item.raw)
    print("second item:", query[1].get("jid"), "all:", [item.get("jid") for item in query[0:2]])

    # Paths are ElementTree's.
    romeo = iq.find("r:query/r:item[@jid='romeo@example.net']", NAMESPACES)
    assert romeo is not None
    print("found", romeo.get("name"), "with text", romeo.text, "and tail", romeo.tail)
    print(len(iq.findall(".//{jabber:iq:roster}group")), "groups")
    print([item.get("jid") for item in iq.iterfind("*/r:item[r:group='Servants']", NAMESPACES)])
    print([element.name for element in iq.iter()])
    print([group.text for group in iq.iter("{jabber:iq:roster}group")])
    print(list(iq.itertext()))

    # Equality is that of the content; a tree of ElementTree's own is one call away.
    again = xmppfast.parse(ROSTER)
    print("equal:", again == iq, "hashes too:", hash(again) == hash(iq), "true:", bool(iq))
    tree = iq.to_etree()
    assert isinstance(tree, ET.Element)
    print(ET.tostring(tree, encoding="unicode"))


if __name__ == "__main__":
    main()
