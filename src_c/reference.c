#include "scan.h"

/* XML 1.0, production 2. */
static int is_char(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xD7FF) ||
           (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

static int is_predefined(const uint8_t *name, uint32_t length)
{
    switch (length) {
    case 2:
        return memcmp(name, "lt", 2) == 0 || memcmp(name, "gt", 2) == 0;
    case 3:
        return memcmp(name, "amp", 3) == 0;
    case 4:
        return memcmp(name, "quot", 4) == 0 || memcmp(name, "apos", 4) == 0;
    default:
        return 0;
    }
}

static uint32_t digit_value(uint8_t c, uint32_t base)
{
    if (c >= '0' && c <= '9')
        return c - (uint32_t)'0';
    c |= 0x20;
    return base == 16 && c >= 'a' && c <= 'f' ? c - (uint32_t)'a' + 10 : base;
}

/* Reads the number of a character reference from its first digit on. */
static int read_number(const uint8_t *bytes, uint32_t at, uint32_t end, uint32_t *behind)
{
    uint32_t base = 10, code_point = 0, digits = 0;
    if (at < end && bytes[at] == 'x') {
        base = 16;
        at++;
    }
    for (; at < end; at++, digits++) {
        uint32_t value = digit_value(bytes[at], base);
        if (value == base)
            break;
        if (code_point <= 0x10FFFF)
            code_point = code_point * base + value;
    }
    *behind = at;
    if (at == end)
        return -1;
    if (bytes[at] != ';' || digits == 0)
        return XF_E_REFERENCE;
    if (!is_char(code_point))
        return XF_E_REFERENCE_CHAR;
    *behind = at + 1;
    return 0;
}

int xf_read_reference(const uint8_t *bytes, uint32_t at, uint32_t end, uint32_t *behind)
{
    uint32_t name = at + 1;
    if (name < end && bytes[name] == '#')
        return read_number(bytes, name + 1, end, behind);
    uint32_t name_end = xf_name_end(bytes, name, end);
    *behind = name_end;
    if (name_end == end)
        return -1;
    if (bytes[name_end] != ';' || name_end == name)
        return XF_E_REFERENCE;
    if (!is_predefined(bytes + name, name_end - name))
        return XF_E_ENTITY;
    *behind = name_end + 1;
    return 0;
}
