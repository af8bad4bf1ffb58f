/* Expat with namespaces. */
#include <expat.h>
#include <string.h>

#include "subject.h"

enum { SEPARATOR = ' ' };

typedef struct {
    bench_tally *seen;
    unsigned depth;
} reading;

static void on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    reading *r = data;
    (void)name, (void)attributes;
    r->depth++;
}

static void on_end(void *data, const XML_Char *name)
{
    reading *r = data;
    (void)name;
    if (--r->depth == 1)
        r->seen->stanzas++;
}

static void on_text(void *data, const XML_Char *text, int length)
{
    (void)data, (void)text, (void)length;
}

static void add_local_name(bench_tally *seen, const XML_Char *name)
{
    const XML_Char *separator = strrchr(name, SEPARATOR);
    const XML_Char *local = separator ? separator + 1 : name;
    bench_add_name(seen, (const uint8_t *)local, strlen(local));
}

static void on_inspected_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    reading *r = data;
    if (r->depth++ == 0)
        return;
    r->seen->elements++;
    add_local_name(r->seen, name);
    for (; *attributes; attributes += 2) {
        r->seen->attributes++;
        add_local_name(r->seen, *attributes);
    }
}

static int parse(XML_StartElementHandler start, const uint8_t *data, size_t size, size_t chunk,
                 bench_tally *seen)
{
    reading r = {seen, 0};
    XML_Parser parser = XML_ParserCreateNS(NULL, SEPARATOR);
    if (!parser)
        return 0;
    XML_SetUserData(parser, &r);
    XML_SetElementHandler(parser, start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    enum XML_Status status = XML_STATUS_OK;
    for (size_t at = 0; at < size && status == XML_STATUS_OK; at += chunk) {
        size_t length = size - at < chunk ? size - at : chunk;
        status = XML_Parse(parser, (const char *)data + at, (int)length, at + length == size);
    }
    XML_ParserFree(parser);
    return status == XML_STATUS_OK;
}

static int read_expat(const void *context, const uint8_t *data, size_t size, size_t chunk,
                      bench_tally *seen)
{
    (void)context;
    return parse(on_start, data, size, chunk, seen);
}

static int inspect_expat(const void *context, const uint8_t *data, size_t size, size_t chunk,
                         bench_tally *seen)
{
    (void)context;
    return parse(on_inspected_start, data, size, chunk, seen);
}

const bench_subject bench_expat = {"expat", NULL, read_expat, inspect_expat, read_expat};
