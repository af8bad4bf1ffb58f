#include "generate.h"

#include <stdlib.h>
#include <string.h>

uint32_t draw(generator *g, uint32_t most)
{
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return (uint32_t)(g->state >> 32) % most;
}

void free_generator(generator *g)
{
    free(g->bytes);
    g->bytes = 0;
    g->length = g->capacity = 0;
}

static void put(generator *g, const char *bytes, size_t length)
{
    if (g->capacity - g->length < length) {
        g->capacity = (g->length + length) * 2;
        g->bytes = realloc(g->bytes, g->capacity);
        if (!g->bytes)
            abort();
    }
    memcpy(g->bytes + g->length, bytes, length);
    g->length += length;
}

static void put_text(generator *g, const char *text)
{
    put(g, text, strlen(text));
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define PUT_ONE(g, table) put_text(g, (table)[draw(g, COUNT(table))])

/* Lengths at the edges of the kernels' windows, and usual ones. */
static uint32_t draw_length(generator *g)
{
    static const uint8_t edges[] = {1, 2, 3, 4, 5, 7, 8, 9, 14, 15, 16, 17,
                                    30, 31, 32, 33, 47, 62, 63, 64, 65, 127, 128};
    return draw(g, 3) ? 1 + draw(g, 6) : edges[draw(g, COUNT(edges))];
}

static void put_name_of(generator *g, uint32_t length)
{
    static const char starts[] = "abcxyzABZ_", others[] = "abcdefghz0189-._XYZ";
    for (uint32_t i = 0; i < length; i++) {
        const char *from = i ? others : starts;
        put(g, from + draw(g, (uint32_t)strlen(from)), 1);
    }
}

static void put_name(generator *g)
{
    static const char *const known[] = {"a", "b", "body", "message", "iq", "x-1", "_",
                                        "p:a", "q:b", "s:c", "\xC3\xA9", "e\xCC\x81t"};
    if (draw(g, 2))
        PUT_ONE(g, known);
    else
        put_name_of(g, draw_length(g));
}

static void put_space(generator *g, uint32_t least)
{
    static const char *const kinds[] = {" ", " ", " ", "\n", "\t", "\r\n"};
    uint32_t length = draw(g, 8) ? least : draw_length(g);
    for (uint32_t i = 0; i < length; i++)
        PUT_ONE(g, kinds);
}

static void put_content(generator *g, char quote)
{
    static const char *const pieces[] = {
        "x", "text ", " ", ">", ";", "]", "=", "/", "&amp;", "&lt;", "&#65;", "&#x1F600;", "&quot;",
        "\n", "\r\n", "\t", "\xC3\xA9", "\xE6\x97\xA5", "\xF0\x9F\x98\x80", "a='b'>", "]]"};
    uint32_t count = draw(g, 5);
    for (uint32_t i = 0; i < count; i++) {
        const char *piece = pieces[draw(g, COUNT(pieces))];
        if (draw(g, 4) == 0)
            put_name_of(g, draw_length(g));
        else if (draw(g, 8) == 0)
            put_text(g, quote == '"' ? "'" : "\"");
        else if (!quote || !strchr(piece, quote))
            put_text(g, piece);
    }
}

static void put_attribute(generator *g)
{
    static const char *const names[] = {"to", "from", "id", "type", "xmlns", "xml:lang",
                                        "xmlns:p", "xmlns:q", "p:to", "q:id"};
    static const char *const values[] = {"", "urn:a", "urn:b", "jabber:client", "en", "urn:&#97;"};
    const char *quote = draw(g, 2) ? "'" : "\"";
    put_space(g, 1);
    if (draw(g, 2))
        PUT_ONE(g, names);
    else
        put_name(g);
    put_text(g, draw(g, 9) ? "=" : " =\n ");
    put_text(g, quote);
    if (draw(g, 2))
        PUT_ONE(g, values);
    else
        put_content(g, *quote);
    put_text(g, quote);
}

static void put_element(generator *g, uint32_t depth)
{
    size_t start = g->length, length;
    uint32_t attributes = draw(g, 30) ? draw(g, 4) : draw(g, 24);
    put_text(g, "<");
    put_name(g);
    length = g->length - start - 1;
    for (uint32_t i = 0; i < attributes; i++)
        put_attribute(g);
    put_space(g, 0);
    if (draw(g, 3) == 0) {
        put_text(g, "/>");
        return;
    }
    put_text(g, ">");
    for (uint32_t i = draw(g, depth ? 4 : 1); i; i--) {
        put_content(g, 0);
        if (draw(g, 12) == 0)
            put_text(g, "<![CDATA[<&]]]>");
        put_element(g, depth - 1);
    }
    put_content(g, 0);
    put_text(g, "</");
    char *name = malloc(length);
    if (!name)
        abort();
    memcpy(name, g->bytes + start + 1, length);
    put(g, name, length);
    free(name);
    put_space(g, 0);
    put_text(g, ">");
}

/* Changes some bytes, mostly to ones that mean something. */
static void damage(generator *g)
{
    static const uint8_t bytes[] = "<>/&;'\"=:! ?[]-xx\n\t\x01\x7F\x80\xC3\xA9\xE2\xEF\xBF\xBE"
                                   "\xF0\xFF";
    while (draw(g, 2)) {
        size_t at = draw(g, (uint32_t)g->length);
        g->bytes[at] = bytes[draw(g, sizeof bytes)];
    }
}

void generate_stream(generator *g)
{
    static const char *const headers[] = {
        "<s:s xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' to='x'>",
        "<?xml version='1.0'?>\n<a xmlns:p='urn:p' xmlns:q='urn:q' xmlns:s='urn:s'>", "<a>",
        "<p:a xmlns:p=\"urn:&#97;\" xmlns='' xmlns:q='urn:a' xmlns:s='s' p:b=''>"};
    static const char *const ends[] = {"", "", "</a>", "</s:s>", "</p:a >\n"};
    g->length = 0;
    PUT_ONE(g, headers);
    uint32_t count = 1 + draw(g, 5);
    for (uint32_t i = 0; i < count; i++) {
        put_space(g, 0);
        if (draw(g, 40) == 0)
            for (uint32_t n = draw(g, 9000); n; n--)
                put_text(g, " ");
        put_element(g, 3);
    }
    PUT_ONE(g, ends);
    if (draw(g, 2))
        damage(g);
}
