#include "tokenizer.h"

#include "input.h"
#include "namespaces.h"
#include "scan.h"
#include "tag.h"

/* An XML declaration that is longer isn't one; RFC 6120 needs 38 bytes. */
enum { DECLARATION_BYTES = 256 };

/* What the readers of items return, besides a xf_status. */
enum { READ_ON = 100, NEED_MORE };

void xf_init(xf_tokenizer *t, const xf_limits *limits, const xf_allocator *allocator,
             const xf_kernel *kernel)
{
    memset(t, 0, sizeof *t);
    t->limits = *limits;
    t->allocator = *allocator;
    t->kernel = kernel;
    t->may_walk = limits->name_bytes >= XF_MOST_WINDOW;
    t->few = limits->attributes < XF_FEW ? limits->attributes : XF_FEW;
    t->line = 1;
    xf_adopt(t, 0);
}

void xf_expect_element(xf_tokenizer *t)
{
    t->single = 1;
}

void xf_read_tags(xf_tokenizer *t, unsigned pass)
{
    t->tags = 1;
    t->pass = (uint8_t)pass;
}

static xf_status fail(xf_tokenizer *t, xf_error error, uint32_t place, uint32_t noticed)
{
    uint64_t line_start;
    if (t->counting && noticed - t->start > t->limits.stanza_bytes) {
        error = XF_E_STANZA_BYTES;
        place = t->start + t->limits.stanza_bytes;
    }
    t->error = error;
    t->error_offset = t->origin + place;
    xf_find_line(t, place, &t->error_line, &line_start);
    t->error_column = t->error_offset - line_start + 1;
    if (!t->tags)
        xf_release(t);
    return XF_FAILED;
}

/* The end tag at t->item_start, as far as `end`. */
static int read_end_tag(const xf_tokenizer *t, uint32_t end, xf_fault *fault)
{
    const xf_element *e;
    const uint8_t *name;
    if (t->mode == XF_IN_STANZA) {
        e = xf_element_at(t->tape, t->open);
        name = t->buffer + e->start + 1;
    } else {
        e = xf_element_at(t->header->tape, 0);
        name = t->header->bytes + (e->start - t->header->base) + 1;
    }
    return xf_read_end_tag(t, t->item_start, end, name, e->name_length, fault);
}

/* Reads an item that isn't complete as far as it is there: an error in it comes before the one that
 * is to be made. */
static int read_part(xf_tokenizer *t)
{
    xf_fault fault = {0, 0};
    uint32_t behind;
    int result = 0, closed;
    switch (t->item) {
    case XF_START_TAG:
        result = xf_read_start_tag(t, t->item_start, t->end, &closed, &fault);
        break;
    case XF_END_TAG:
        result = read_end_tag(t, t->end, &fault);
        break;
    case XF_REFERENCE:
        result = xf_read_reference(t->buffer, t->item_start, t->end, &behind);
        fault.place = t->item_start;
        fault.at = behind;
        break;
    }
    if (result == XF_READ_NO_MEMORY)
        return XF_NO_MEMORY;
    return result > 0 ? fail(t, (xf_error)result, fault.place, fault.at) : READ_ON;
}

/* XML 1.0 appendix F: "<" and NUL is how UTF-16 and UTF-32 may begin. */
static xf_error stop_error(const xf_tokenizer *t)
{
    int second = t->origin + t->end - t->stream_start == 1;
    return t->stop_nul && second && t->item == XF_OPENING ? XF_E_NOT_UTF8 : (xf_error)t->stop;
}

/* Gets more input. */
static int need(xf_tokenizer *t, const uint8_t **data, size_t *size)
{
    int too_long = t->counting && t->end - t->start > t->limits.stanza_bytes;
    if (t->stop || too_long) {
        int result = read_part(t);
        if (result != READ_ON)
            return result;
        if (t->stop)
            return fail(t, stop_error(t), t->end, t->end);
        return fail(t, XF_E_STANZA_BYTES, t->start + t->limits.stanza_bytes, t->end);
    }
    xf_note_cut(t);
    if (*size == 0) {
        xf_settle(t);
        return XF_MORE;
    }
    return xf_load(t, data, size) ? READ_ON : XF_NO_MEMORY;
}

/* Items. ----------------------------------------------------------------------------------- */

static void begin_tape(xf_tokenizer *t)
{
    t->slots = t->open = t->depth = t->elements = t->scopes_used = 0;
    t->default_ns = t->header_ns;
    t->scope = t->header_scope;
}

static void begin_stanza(xf_tokenizer *t, uint32_t start)
{
    begin_tape(t);
    t->mode = XF_IN_STANZA;
    t->counting = 1;
    t->start = start;
    t->flags = 0;
}

static const struct {
    const char *text;
    uint8_t length;
} openings[] = {{"<!--", 4}, {"<!DOCTYPE", 9}, {"<![CDATA[", 9}};

static xf_error text_error(const xf_tokenizer *t)
{
    static const xf_error errors[] = {[XF_BEFORE_ROOT] = XF_E_TEXT_BEFORE_ROOT,
                                      [XF_IN_STREAM] = XF_E_TEXT_IN_STREAM,
                                      [XF_AFTER_ROOT] = XF_E_AFTER_ROOT};
    return errors[t->mode];
}

/* Whether text between stanzas is passed over. */
static int passes_text(const xf_tokenizer *t)
{
    return t->pass & XF_PASS_TEXT && t->mode == XF_IN_STREAM;
}

/* What begins at t->item_start is a section that text is decoded without, or out of. */
static int begin_item(xf_tokenizer *t, xf_item item)
{
    t->flags |= XF_ESCAPED;
    t->item = (uint8_t)item;
    return READ_ON;
}

/* A reference at `start`, outside of a stanza. */
static int begin_reference(xf_tokenizer *t, uint32_t start)
{
    t->next++;
    t->counting = 1;
    t->start = t->item_start = start;
    t->item = XF_REFERENCE;
    return READ_ON;
}

/* A section or reference has ended. */
static int end_item(xf_tokenizer *t, uint32_t behind)
{
    t->item = XF_NO_ITEM;
    if (t->mode != XF_IN_STANZA) {
        t->at = behind;
        if (t->mode != XF_BEFORE_ROOT) /* there it belongs to the header, as the declaration does */
            t->counting = 0;
    }
    return READ_ON;
}

/* "<!": a comment, a document type declaration, a CDATA section, or nothing that exists. */
static int open_declaration(xf_tokenizer *t, uint32_t start)
{
    const uint8_t *b = t->buffer + start;
    uint32_t here = t->end - start, longest = 0;
    for (unsigned i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        uint32_t same = 0;
        while (same < here && same < openings[i].length &&
               b[same] == (uint8_t)openings[i].text[same])
            same++;
        if (same == openings[i].length) {
            uint32_t last = start + same - 1;
            if (i == 0 && t->pass & XF_PASS_ASIDES)
                return begin_item(t, XF_COMMENT);
            if (i < 2)
                return fail(t, i ? XF_E_DOCTYPE : XF_E_COMMENT, start, last);
            if (t->mode != XF_IN_STANZA && !passes_text(t))
                return fail(t, text_error(t), start, last);
            return begin_item(t, XF_CDATA);
        }
        if (same > longest)
            longest = same;
    }
    if (longest == here)
        return NEED_MORE;
    return fail(t, XF_E_MARKUP, start, start + longest);
}

/* "<?": the XML declaration, or a processing instruction. */
static int open_instruction(xf_tokenizer *t, uint32_t start)
{
    const uint8_t *b = t->buffer;
    uint32_t name = start + 2, i = 0;
    if (name == t->end)
        return NEED_MORE;
    if (xf_name_end(b, name, t->end) == name)
        return fail(t, XF_E_MARKUP, start, name);
    while (i < 3 && name + i < t->end && (b[name + i] | 0x20) == (uint8_t)"xml"[i])
        i++;
    if (name + i == t->end)
        return NEED_MORE;
    /* A name goes on behind "xml" as it would behind any letter. */
    if (i < 3 || xf_name_end(b, name + 2, t->end) > name + 3) {
        if (t->pass & XF_PASS_ASIDES)
            return begin_item(t, XF_INSTRUCTION);
        return fail(t, XF_E_INSTRUCTION, start, name + i);
    }
    if (memcmp(b + name, "xml", 3) != 0 || !(xf_classes[b[name + 3]] & XF_SPACE) ||
        t->origin + start != t->stream_start)
        return fail(t, XF_E_XML_DECLARATION_PLACE, start, name + 3);
    t->item = XF_DECLARATION;
    return READ_ON;
}

/* "<" at `start`, which is not read yet. Finds out what it begins. */
static int open_item(xf_tokenizer *t, uint32_t start)
{
    t->item = XF_OPENING;
    t->item_start = start;
    if (!t->counting) {
        t->counting = 1;
        t->start = start;
        t->flags = 0;
    }
    if (t->end - start < 2)
        return NEED_MORE;
    switch (t->buffer[start + 1]) {
    case '!':
        return open_declaration(t, start);
    case '?':
        return open_instruction(t, start);
    case '/':
        if (t->mode == XF_BEFORE_ROOT)
            return fail(t, XF_E_MARKUP, start, start + 1);
        if (t->mode == XF_AFTER_ROOT)
            return fail(t, XF_E_AFTER_ROOT, start, start + 1);
        t->item = XF_END_TAG;
        return READ_ON;
    default:
        if (xf_name_end(t->buffer, start + 1, t->end) == start + 1)
            return fail(t, XF_E_MARKUP, start, start + 1);
        if (t->mode == XF_AFTER_ROOT)
            return fail(t, XF_E_AFTER_ROOT, start, start + 1);
        if (t->mode == XF_IN_STREAM || (t->mode == XF_BEFORE_ROOT && t->single))
            begin_stanza(t, start);
        else if (t->mode == XF_BEFORE_ROOT)
            begin_tape(t);
        t->item = XF_START_TAG;
        t->quote = 0;
        return READ_ON;
    }
}

/* Leaves a stanza or header to the caller. */
static xf_status deliver(xf_tokenizer *t, xf_status status, xf_event *event)
{
    event->bytes = t->buffer + t->start;
    event->tape = t->tape;
    event->header = t->header;
    event->length = t->at - t->start;
    event->slots = t->slots;
    event->base = t->start;
    event->flags = t->flags | xf_slice_flags(t, t->start, t->at);
    t->counting = 0;
    return status;
}

static xf_status deliver_stanza(xf_tokenizer *t, xf_event *event)
{
    if (t->at - t->start > t->limits.stanza_bytes)
        return fail(t, XF_E_STANZA_BYTES, t->start + t->limits.stanza_bytes, t->at);
    t->mode = t->single ? XF_AFTER_ROOT : XF_IN_STREAM;
    return deliver(t, XF_STANZA, event);
}

/* Reads on in the index for the ">" of a tag. Returns 1 with *close set if it is there, also in
 * front of what no tag can contain; then *close is that. */
static int find_tag_close(xf_tokenizer *t, uint32_t *close)
{
    while (t->next < t->entries) {
        uint32_t place = t->index[t->next++];
        uint8_t c = t->buffer[place];
        *close = place;
        if (t->item == XF_END_TAG || c == '<')
            return 1;
        if (t->quote) {
            if (c == t->quote)
                t->quote = 0;
        } else if (c == '\'' || c == '"') {
            t->quote = c;
        } else {
            return 1;
        }
    }
    return 0;
}

static int read_start(xf_tokenizer *t, xf_event *event)
{
    uint32_t close;
    int closed, result;
    xf_fault fault = {0, 0};
    if (!find_tag_close(t, &close))
        return NEED_MORE;
    result = xf_read_start_tag(t, t->item_start, close + 1, &closed, &fault);
    if (result == XF_READ_NO_MEMORY) {
        t->next--; /* the same again */
        return XF_NO_MEMORY;
    }
    if (result)
        return fail(t, (xf_error)result, fault.place, fault.at);
    t->item = XF_NO_ITEM;
    t->at = close + 1;
    if (t->mode == XF_IN_STANZA)
        return closed && t->depth == 0 ? (int)deliver_stanza(t, event) : READ_ON;
    t->self_closed = (uint8_t)closed;
    t->mode = XF_IN_STREAM;
    if (t->at - t->start > t->limits.stanza_bytes)
        return fail(t, XF_E_STANZA_BYTES, t->start + t->limits.stanza_bytes, t->at);
    return deliver(t, XF_START, event);
}

static int read_end(xf_tokenizer *t, xf_event *event)
{
    uint32_t close;
    xf_fault fault = {0, 0};
    if (!find_tag_close(t, &close))
        return NEED_MORE;
    int result = read_end_tag(t, close + 1, &fault);
    if (result)
        return fail(t, (xf_error)result, fault.place, fault.at);
    t->item = XF_NO_ITEM;
    t->at = close + 1;
    if (t->mode == XF_IN_STREAM) {
        t->mode = XF_AFTER_ROOT;
        t->slots = 0;
        return deliver(t, XF_END, event);
    }
    xf_element *e = (xf_element *)(t->tape + t->open);
    e->content_end = t->item_start;
    e->skip = t->slots - t->open;
    t->scopes_used -= e->prefixes;
    if (--t->depth == 0)
        return deliver_stanza(t, event);
    t->open = e->parent;
    e = (xf_element *)(t->tape + t->open);
    t->default_ns = e->default_ns;
    t->scope = e->scope;
    return READ_ON;
}

static int read_declaration(xf_tokenizer *t)
{
    xf_fault fault;
    while (t->next < t->entries) {
        uint32_t place = t->index[t->next];
        if (place - t->item_start >= DECLARATION_BYTES)
            break;
        t->next++;
        if (t->buffer[place] != '>' || t->buffer[place - 1] != '?')
            continue;
        int result = xf_read_declaration(t, t->item_start, place + 1, &fault);
        if (result)
            return fail(t, (xf_error)result, fault.place, fault.at);
        t->item = XF_NO_ITEM;
        t->at = place + 1;
        return READ_ON;
    }
    if (t->end - t->item_start > DECLARATION_BYTES)
        return fail(t, XF_E_XML_DECLARATION, t->item_start, t->item_start + DECLARATION_BYTES);
    return NEED_MORE;
}

static int read_reference(xf_tokenizer *t)
{
    uint32_t behind, end = t->end;
    /* The next entry ends it, be it its ";" or what makes it wrong. */
    if (t->next < t->entries)
        end = t->index[t->next] + 1;
    else
        return NEED_MORE;
    int result = xf_read_reference(t->buffer, t->item_start, end, &behind);
    if (result)
        return fail(t, (xf_error)result, t->item_start, behind);
    if (t->mode == XF_IN_STREAM && !passes_text(t))
        return fail(t, XF_E_TEXT_IN_STREAM, t->item_start, behind - 1);
    t->next++;
    t->flags |= XF_ESCAPED;
    return end_item(t, behind);
}

static int read_cdata(xf_tokenizer *t)
{
    while (t->next < t->entries) {
        uint32_t place = t->index[t->next++];
        if (t->buffer[place] == '>' && t->buffer[place - 1] == ']' &&
            t->buffer[place - 2] == ']' && place >= t->item_start + 11)
            return end_item(t, place + 1);
    }
    return NEED_MORE;
}

/* XML 1.0 production 15: there is no "--" in it. */
static int read_comment(xf_tokenizer *t)
{
    const uint8_t *b = t->buffer;
    while (t->next < t->entries) {
        uint32_t place = t->index[t->next++];
        if (b[place] != '>' || place < t->item_start + 6 || memcmp(b + place - 2, "--", 2) != 0)
            continue;
        for (uint32_t at = t->item_start + 4; at < place - 2; at++)
            if (memcmp(b + at, "--", 2) == 0)
                return fail(t, XF_E_MARKUP, t->item_start, at);
        return end_item(t, place + 1);
    }
    return NEED_MORE;
}

/* XML 1.0 production 16. */
static int read_instruction(xf_tokenizer *t)
{
    const uint8_t *b = t->buffer;
    while (t->next < t->entries) {
        uint32_t place = t->index[t->next++];
        if (b[place] != '>' || b[place - 1] != '?')
            continue;
        uint32_t behind = xf_name_end(b, t->item_start + 2, place);
        if (behind > place - 1)
            continue;
        if (behind < place - 1 && !(xf_classes[b[behind]] & XF_SPACE))
            return fail(t, XF_E_MARKUP, t->item_start, behind);
        return end_item(t, place + 1);
    }
    return NEED_MORE;
}

/* Text of a stanza up to the next thing that the walk can't take. */
static int read_text(xf_tokenizer *t)
{
    if (t->next == t->entries)
        return NEED_MORE;
    t->item_entry = t->next++;
    uint32_t place = t->index[t->item_entry];
    switch (t->buffer[place]) {
    case '<':
        return open_item(t, place);
    case '&':
        t->item = XF_REFERENCE;
        t->item_start = place;
        return READ_ON;
    case '>':
        if (t->buffer[place - 1] == ']' && t->buffer[place - 2] == ']')
            return fail(t, XF_E_CDATA_END, place - 2, place);
    }
    return READ_ON;
}

/* Whether a "<" begins a start tag, as far as one can see without asking for more input. */
static int begins_stanza(const xf_tokenizer *t, uint32_t at)
{
    return t->end - at > 1 && t->buffer[at] == '<' &&
           (xf_classes[t->buffer[at + 1]] & XF_NAME_START) != 0;
}

/* Text between stanzas that is passed over, up to the next entry. */
static int pass_text(xf_tokenizer *t, uint32_t place)
{
    const uint8_t *b = t->buffer;
    t->at = place;
    if (t->next == t->entries)
        return NEED_MORE;
    if (b[place] == '<')
        return READ_ON;
    t->at++;
    if (b[place] == '&')
        return begin_reference(t, place);
    t->next++;
    /* xf_take may have let "]]" go. */
    if (b[place] == '>' && place >= t->taken + 2 && b[place - 1] == ']' && b[place - 2] == ']')
        return fail(t, XF_E_CDATA_END, place - 2, place);
    return READ_ON;
}

/* White space between elements up to the next "<". */
static int read_gap(xf_tokenizer *t)
{
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF};
    uint32_t at = t->at, end = t->next < t->entries ? t->index[t->next] : t->end;
    if (t->pass & XF_PASS_MARK && t->mode == XF_BEFORE_ROOT && end - at >= sizeof mark &&
        t->origin + at == t->stream_start && memcmp(t->buffer + at, mark, sizeof mark) == 0) {
        t->pass &= ~XF_PASS_MARK; /* there is one only */
        t->stream_start += sizeof mark;
        at += sizeof mark;
    }
    while (at < end && xf_classes[t->buffer[at]] & XF_SPACE)
        at++;
    if (passes_text(t) && (at < end || t->next == t->entries || t->buffer[at] != '<'))
        return pass_text(t, end);
    t->at = at;
    if (t->restarted && t->mode == XF_BEFORE_ROOT && !t->counting)
        t->stream_start = t->origin + at; /* what comes before belongs to the stream before */
    /* It is read first: which entity it is of decides about the condition. */
    if (at == end && t->next < t->entries && t->buffer[at] == '&' && t->mode == XF_IN_STREAM)
        return begin_reference(t, at);
    if (at < end || (t->next < t->entries && t->buffer[at] != '<'))
        return fail(t, text_error(t), at, at);
    if (t->next == t->entries)
        return NEED_MORE;
    if ((t->mode == XF_IN_STREAM || (t->mode == XF_BEFORE_ROOT && t->single)) &&
        begins_stanza(t, at)) {
        begin_stanza(t, at);
        return READ_ON;
    }
    t->item_entry = t->next++;
    return open_item(t, at);
}

/* Reads the next thing. */
static int read_item(xf_tokenizer *t, xf_event *event)
{
    switch ((xf_item)t->item) {
    case XF_OPENING:
        return open_item(t, t->item_start);
    case XF_DECLARATION:
        return read_declaration(t);
    case XF_START_TAG:
        return read_start(t, event);
    case XF_END_TAG:
        return read_end(t, event);
    case XF_REFERENCE:
        return read_reference(t);
    case XF_CDATA:
        return read_cdata(t);
    case XF_COMMENT:
        return read_comment(t);
    case XF_INSTRUCTION:
        return read_instruction(t);
    case XF_NO_ITEM:
        break;
    }
    return t->mode == XF_IN_STANZA ? read_text(t) : read_gap(t);
}

xf_status xf_next(xf_tokenizer *t, const uint8_t **data, size_t *size, xf_event *event)
{
    if (t->error)
        return XF_FAILED;
    if (t->self_closed) {
        static const xf_event none;
        t->self_closed = 0;
        t->mode = XF_AFTER_ROOT;
        *event = none;
        event->header = t->header;
        return XF_END;
    }
    for (;;) {
        if (t->item == XF_NO_ITEM && t->next < t->entries) {
            /* A stanza that begins where the last one ended. */
            if (t->mode == XF_IN_STREAM && t->index[t->next] == t->at && begins_stanza(t, t->at))
                begin_stanza(t, t->at);
            if (t->mode == XF_IN_STANZA && t->may_walk && t->kernel->walk(t) == XF_WALK_STANZA)
                return deliver_stanza(t, event);
        }
        int result = read_item(t, event);
        if (result == NEED_MORE)
            result = need(t, data, size);
        if (result != READ_ON)
            return (xf_status)result;
    }
}

void xf_adopt(xf_tokenizer *t, const xf_piece *header)
{
    t->header = header;
    t->header_ns = xf_header_declaration(header, 0, 0);
    t->header_scope = header ? xf_element_at(header->tape, 0)->scope : 0;
    uint32_t fewest =
        t->limits.namespaces < t->header_scope ? 0 : t->limits.namespaces - t->header_scope;
    if (t->limits.depth < fewest)
        fewest = t->limits.depth;
    if (t->limits.children < fewest)
        fewest = t->limits.children;
    t->easy = fewest < UINT32_MAX / XF_ELEMENT_SLOTS ? fewest * XF_ELEMENT_SLOTS : UINT32_MAX;
}

const uint8_t *xf_unread(const xf_tokenizer *t, size_t *size)
{
    uint32_t first = xf_first_kept(t);
    *size = t->buffer ? t->filled - first : 0; /* nothing is kept behind an error */
    return t->buffer ? t->buffer + first : 0;
}

void xf_restart(xf_tokenizer *t)
{
    if (t->buffer)
        xf_drop(t, xf_first_kept(t));
    t->stream_start = t->origin;
    t->filled = t->end = t->at = t->taken = 0;
    t->counting = t->self_closed = t->stop = t->stop_nul = t->broken = 0;
    t->cuts = 0;
    t->mode = XF_BEFORE_ROOT;
    t->item = XF_NO_ITEM;
    t->restarted = 1;
    xf_release(t);
    xf_adopt(t, 0);
}

xf_status xf_finish(xf_tokenizer *t)
{
    if (t->error)
        return XF_FAILED;
    /* Of a character that is cut off, only if it is next. */
    int inside = t->item != XF_NO_ITEM || t->mode == XF_IN_STANZA ||
                 (t->end < t->filled && t->at == t->end);
    if (inside) {
        int result = read_part(t);
        return result == READ_ON ? fail(t, XF_E_UNFINISHED, t->filled, t->filled)
                                 : (xf_status)result;
    }
    if (t->single && t->mode == XF_BEFORE_ROOT)
        return fail(t, XF_E_NO_ELEMENT, t->filled, t->filled);
    return XF_MORE;
}

const char *xf_error_text(xf_error error)
{
    static const char *const texts[] = {
        "",
#define XF_ERROR(code, condition, text) text,
#include "errors.def"
#undef XF_ERROR
    };
    return texts[error];
}

const char *xf_error_condition(xf_error error)
{
    static const char *const conditions[] = {
        "",
#define XF_ERROR(code, condition, text) #condition,
#include "errors.def"
#undef XF_ERROR
    };
    return conditions[error];
}
