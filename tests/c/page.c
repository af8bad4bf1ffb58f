#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t length = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    if (!file || !text) {
        perror(path);
        exit(2);
    }
    while ((length += fread(text + length, 1, capacity - length - 1, file)) == capacity - 1)
        if (!(text = realloc(text, capacity *= 2)))
            abort();
    fclose(file);
    text[length] = 0;
    return text;
}

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Replaces line breaks and escapes in place; returns the number of bytes. */
static size_t unescape(char *text)
{
    uint8_t *out = (uint8_t *)text;
    const char *p = text;
    for (; *p; p++) {
        if (*p == '\n')
            continue;
        if (*p != '\\') {
            *out++ = (uint8_t)*p;
            continue;
        }
        switch (*++p) {
        case 'n':
            *out++ = '\n';
            break;
        case 'r':
            *out++ = '\r';
            break;
        case 't':
            *out++ = '\t';
            break;
        case 'x':
            *out++ = (uint8_t)(digit(p[1]) << 4 | digit(p[2]));
            p += 2;
            break;
        default:
            *out++ = (uint8_t)*p;
        }
    }
    return (size_t)(out - (uint8_t *)text);
}

/* Ends the block that is opened by `opening` behind *place; returns its first line. */
static char *block(char **place, const char *opening)
{
    char *start = strstr(*place, opening), *end = start ? strstr(start + 3, "```\n") : 0;
    if (!end) {
        fprintf(stderr, "a case without %s", opening);
        exit(2);
    }
    *end = 0;
    *place = end + 4;
    return strchr(start, '\n') + 1;
}

page read_page(const char *path)
{
    page p = {0, 0, read_file(path)};
    char *place = p.text;
    while ((place = strstr(place, "\n## "))) {
        char *name = place + 4, *input;
        page_case *c = realloc(p.cases, (p.count + 1) * sizeof *c);
        if (!c)
            abort();
        p.cases = c;
        c += p.count++;
        place = strchr(name, '\n');
        *place++ = 0;
        c->name = name;
        input = block(&place, "```input\n");
        c->size = unescape(input);
        c->input = (uint8_t *)input;
        c->events = block(&place, "```events\n");
        place--; /* the line break in front of the next title */
    }
    return p;
}

void free_page(page *p)
{
    free(p->cases);
    free(p->text);
}
