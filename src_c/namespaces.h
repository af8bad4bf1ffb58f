/* Looking names up: where a prefix is declared, and whether two namespace names are the same.
 *
 * A namespace name is compared by its value. The bytes between the quotes won't do: references can
 * hide a reserved or a repeated name.
 */
#ifndef XF_NAMESPACES_H
#define XF_NAMESPACES_H

#include "tokenizer.h"

/* Bytes of an attribute value, as written. */
typedef struct {
    const uint8_t *bytes;
    uint32_t length;
} xf_span;

#define XF_XML_NAMESPACE "http://www.w3.org/XML/1998/namespace"
#define XF_XMLNS_NAMESPACE "http://www.w3.org/2000/xmlns/"

/* The attribute in a slot. */
static inline const xf_attribute *xf_attribute_at(const xf_slot *tape, uint32_t slot)
{
    return (const xf_attribute *)(tape + slot);
}

static inline const xf_element *xf_element_at(const xf_slot *tape, uint32_t slot)
{
    return (const xf_element *)(tape + slot);
}

/* Length of the prefix that an attribute named so declares: 0 for "xmlns", -1 for no
 * declaration. */
int32_t xf_declares(const uint8_t *name, uint32_t length);

/* Whether two values are the same once references and white space are read as in a document. */
int xf_same_value(xf_span a, xf_span b);
int xf_value_is(xf_span value, const char *text);
/* A hash of the value, the same for equal ones. */
uint32_t xf_value_hash(xf_span value, uint32_t hash);

/* Where the header declares a prefix: XF_NS_HEADER plus a slot, or XF_NS_NONE. The empty prefix
 * stands for the default namespace. */
uint32_t xf_header_declaration(const xf_piece *header, const uint8_t *prefix, uint32_t length);

/* The namespace name that an xf_element.ns or the like refers to; bytes == NULL for none. */
xf_span xf_namespace(const xf_piece *piece, uint32_t ns);

/* The namespace of an attribute of the element in `slot` by its prefix, for finished pieces. */
uint32_t xf_attribute_ns(const xf_piece *piece, uint32_t slot, const uint8_t *prefix,
                         uint32_t length);

#endif
