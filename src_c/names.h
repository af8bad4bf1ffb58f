/* Characters of names.
 *
 * A name is accepted if every edition of XML 1.0 accepts it: beyond ASCII, the tables of the fourth
 * edition (appendix B), which the fifth only widened. Forwarded bytes must be readable by peers
 * that go by either.
 */
#ifndef XF_NAMES_H
#define XF_NAMES_H

#include <stddef.h>
#include <stdint.h>

enum { XF_NAME_START = 1, XF_NAME_CHAR = 2, XF_SPACE = 4 };

/* Classes of the ASCII characters; the colon is a name start, other bytes have no class. */
extern const uint8_t xf_classes[256];

/* Reads a name that begins at `at`: returns the offset behind it, `at` if none begins there.
 * The bytes up to `end` are valid UTF-8 but for a last character that may be cut off. */
uint32_t xf_name_end(const uint8_t *bytes, uint32_t at, uint32_t end);

/* Length of the prefix of a name, 0 without one, or -1 if it is no qualified name (Namespaces in
 * XML 1.0, section 4): a colon at either end, two colons, or a local part that begins wrongly. */
int32_t xf_prefix_length(const uint8_t *name, uint32_t length);

#endif
