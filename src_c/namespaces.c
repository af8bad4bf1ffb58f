#include "namespaces.h"

#include <string.h>

int32_t xf_declares(const uint8_t *name, uint32_t length)
{
    if (length < 5 || memcmp(name, "xmlns", 5) != 0)
        return -1;
    if (length == 5)
        return 0;
    return name[5] == ':' ? (int32_t)(length - 6) : -1;
}

/* The slot among `count` attributes from `slot` on that declares a prefix, or XF_NS_NONE. */
static uint32_t find_declaration(const xf_piece *piece, uint32_t slot, uint32_t count,
                                 const uint8_t *prefix, uint32_t length)
{
    for (; count; count--, slot++) {
        const xf_attribute *a = xf_attribute_at(piece->tape, slot);
        const uint8_t *name = piece->bytes + (a->name - piece->base);
        if (xf_declares(name, a->name_length) == (int32_t)length &&
            (length == 0 || memcmp(name + 6, prefix, length) == 0))
            return slot;
    }
    return XF_NS_NONE;
}

uint32_t xf_header_declaration(const xf_piece *header, const uint8_t *prefix, uint32_t length)
{
    if (!header)
        return XF_NS_NONE;
    uint32_t slot = find_declaration(header, XF_ELEMENT_SLOTS,
                                     xf_element_at(header->tape, 0)->attributes, prefix, length);
    return slot == XF_NS_NONE ? slot : XF_NS_HEADER + slot;
}

xf_span xf_namespace(const xf_piece *piece, uint32_t ns)
{
    xf_span none = {0, 0}, name = {(const uint8_t *)XF_XML_NAMESPACE, sizeof XF_XML_NAMESPACE - 1};
    if (ns == XF_NS_NONE)
        return none;
    if (ns == XF_NS_XML)
        return name;
    if (ns & XF_NS_HEADER) {
        piece = piece->header;
        ns &= ~XF_NS_HEADER;
    }
    const xf_attribute *a = xf_attribute_at(piece->tape, ns);
    name.bytes = piece->bytes + (a->value - piece->base);
    name.length = a->value_length;
    return name.length ? name : none; /* xmlns='' takes the default namespace away */
}

uint32_t xf_attribute_ns(const xf_piece *piece, uint32_t slot, const uint8_t *prefix,
                         uint32_t length)
{
    if (length == 3 && memcmp(prefix, "xml", 3) == 0)
        return XF_NS_XML;
    for (;;) {
        const xf_element *e = xf_element_at(piece->tape, slot);
        if (e->prefixes) {
            uint32_t found = find_declaration(piece, slot + XF_ELEMENT_SLOTS, e->attributes,
                                              prefix, length);
            if (found != XF_NS_NONE)
                return found;
        }
        if (slot == 0)
            return xf_header_declaration(piece->header, prefix, length);
        slot = e->parent;
    }
}
