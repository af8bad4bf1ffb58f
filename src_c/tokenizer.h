/* The tokenizer: bytes of an XMPP stream in, stanzas with their token tapes out.
 *
 *     xf_tokenizer t;
 *     xf_event event;
 *     xf_init(&t, &limits, &allocator, xf_best_kernel());
 *     while (...) {                                    // each time bytes arrive
 *         const uint8_t *data = ...; size_t size = ...;
 *         while ((status = xf_next(&t, &data, &size, &event)) > XF_MORE)
 *             ...                                      // XF_START, XF_STANZA, XF_END
 *         if (status < 0) ...                          // XF_FAILED, XF_NO_MEMORY
 *     }
 *     xf_release(&t);
 *
 * It reads the XMPP profile of XML (RFC 6120 section 11; XML 1.0; Namespaces in XML 1.0) and checks
 * all of it; docs/errors.md says what is refused, in which order. It reads every byte once, copies
 * every byte once, and gives an event with the very byte that completes it, however the input was
 * cut. It calls nothing but the allocator, and has no state outside of the struct.
 *
 * How: a kernel (scan.h) copies a slice of input into `buffer` and writes the positions of the
 * bytes that matter (< > ' " & ;) into `index`. The kernel's walk goes from tag to tag over that
 * index and writes the tape; it takes only complete tags of the plain kind. Whatever else it meets
 * (a tag cut by the end of a slice twice, prefixes, CDATA, anything wrong) is left to tokenizer.c
 * and tag.c, which read slowly, know all rules, and are the only ones to make errors.
 */
#ifndef XF_TOKENIZER_H
#define XF_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "tape.h"

/* Error codes: what errors.def lists. */
typedef enum {
    XF_E_NONE,
#define XF_ERROR(code, condition, text) XF_E_##code,
#include "errors.def"
#undef XF_ERROR
    XF_E_COUNT
} xf_error;

/* All values at most 2^31 - 1; see Limits in xmppfast/xml/limits.py for their meaning. */
typedef struct {
    uint32_t stanza_bytes, depth, attributes, children, name_bytes, namespaces;
} xf_limits;

/* Gives, moves or (bytes == 0) frees a block, as realloc does; NULL if there is no memory. */
typedef struct {
    void *(*resize)(void *context, void *block, size_t bytes);
    void *context;
} xf_allocator;

typedef enum {
    XF_NO_MEMORY = -2, /* nothing is lost: free some and call again */
    XF_FAILED = -1,    /* the stream is wrong; see error, error_offset; so is every later call */
    XF_MORE = 0,       /* all input is taken, and holds no further event */
    XF_START,          /* the stream header; hand its piece back with xf_adopt */
    XF_STANZA,
    XF_END             /* the root's end tag; no bytes if the root closed itself */
} xf_status;

typedef xf_piece xf_event; /* valid until the next call with the same tokenizer */

typedef struct xf_kernel xf_kernel;

/* Where in the stream the tokenizer is. */
typedef enum {
    XF_BEFORE_ROOT,
    XF_IN_STREAM, /* between stanzas */
    XF_IN_STANZA,
    XF_AFTER_ROOT
} xf_mode;

/* What it has read the beginning of, and not yet the end; text is none of these. */
typedef enum {
    XF_NO_ITEM,
    XF_OPENING,     /* "<" and too little behind it to tell what it begins */
    XF_DECLARATION, /* the XML declaration */
    XF_START_TAG,
    XF_END_TAG,
    XF_REFERENCE, /* in text */
    XF_CDATA,
    XF_COMMENT,    /* these two only where they are passed over */
    XF_INSTRUCTION
} xf_item;

/* What a reader of tags may have the tokenizer pass over instead of refusing it. */
enum {
    XF_PASS_ASIDES = 1, /* comments and processing instructions */
    XF_PASS_TEXT = 2,   /* text between stanzas */
    XF_PASS_MARK = 4    /* a byte order mark at the start of the stream */
};

/* One prefix declaration in scope. */
typedef struct {
    uint32_t declaration; /* slot of the attribute */
    uint32_t element;     /* slot of the element that has it */
} xf_scope;

/* Bytes taken in one go: enough to keep the kernels busy, few enough to stay in the first cache
 * together with their index. */
enum { XF_SLICE = 8192, XF_BLOCK = 64 };

/* A tag with more entries than that is not read again when it was cut. */
enum { XF_CUT_ENTRIES = 24 };

/* Where a slice has bytes of some kind: bit i stands for its i-th block. */
typedef struct {
    uint64_t bits[XF_SLICE / XF_BLOCK / 64];
} xf_blocks;

/* What is in a slice. */
typedef struct {
    xf_blocks wide;    /* characters beyond ASCII */
    xf_blocks control; /* control characters */
    uint32_t forbidden; /* whether some of these are not allowed in XML */
} xf_seen;

typedef struct {
    uint8_t *buffer; /* with XF_PADDING bytes behind `capacity` */
    uint32_t *index;
    xf_slot *tape;
    xf_scope *scopes; /* prefixes declared inside the stanza, innermost last */
    const xf_kernel *kernel;
    const xf_piece *header;
    xf_allocator allocator;
    xf_limits limits;

    /* The buffer; offsets count from its first byte. */
    uint32_t capacity;
    uint32_t end;    /* of the bytes that may be read: complete, valid characters */
    uint32_t filled; /* of all bytes: up to three more, of a character that is cut off */
    uint32_t at;     /* what lies before is read; kept up to date between elements only */
    uint32_t start;  /* if `counting`: of the stanza, header or tag being read, which is kept */
    uint32_t item_start;
    uint32_t taken; /* if `tags`: what lies before is taken by the reader of tags, the rest kept */

    /* The index: entries from `next` up to `entries` are still to be read. */
    uint32_t index_capacity, entries, next;
    uint32_t item_entry; /* of the item being read */

    /* The entries of a tag that the slice's end cut off, for the walk to take it whole after
     * all. */
    uint32_t cut[XF_CUT_ENTRIES], cuts;
    uint64_t cut_item; /* offset, in all input, of the last one; 1 beyond, since 0 is none */

    /* The tape, and what is in scope where the next element begins. */
    uint32_t slots, slots_capacity;
    uint32_t open;     /* slot of the innermost open element */
    uint32_t depth;    /* open elements of the stanza */
    uint32_t elements; /* elements of the stanza so far */
    uint32_t default_ns;
    uint32_t scope; /* number of namespace declarations */
    uint32_t scopes_used, scopes_capacity;
    uint32_t header_ns, header_scope; /* the same two where a stanza begins */

    uint32_t flags;     /* of the piece being read */
    uint32_t slice;     /* where the last slice begins */
    xf_seen seen;       /* what is in it */

    /* Constants of the walk. */
    uint32_t easy;      /* with fewer slots, a stanza is at no limit */
    uint32_t few;       /* attributes per tag that it may take */
    uint8_t may_walk;   /* names may be as long as the longest that it takes */

    uint8_t mode, item, quote;
    uint8_t counting;    /* `start` is set */
    uint8_t single;      /* one element is to be read instead of a stream */
    uint8_t restarted;   /* this is not the first stream */
    uint8_t self_closed; /* the root closed itself, and its end is still to be reported */
    uint8_t stop;        /* the error, a character's, that stands at `end` */
    uint8_t stop_nul;    /* that character is NUL */
    uint8_t tags;        /* somebody reads the tags of stanzas that are not complete */
    uint8_t pass;        /* XF_PASS_... */

    xf_error error;
    uint64_t error_offset, error_line, error_column;

    /* Of the buffer's first byte: its offset in all input, its line, and that line's offset. */
    uint64_t origin, line, line_start;
    uint64_t stream_start; /* offset of the stream in all input */
    uint64_t line_more;    /* if `tags`: bytes before the buffer in its line that continue characters */
    uint8_t broken;        /* the buffer may contain line feeds */
    uint8_t spread;        /* the buffer may contain characters of several bytes */
    uint8_t marked;        /* `seen` has a block */
} xf_tokenizer;

/* Sets up a tokenizer; allocates nothing. */
void xf_init(xf_tokenizer *t, const xf_limits *limits, const xf_allocator *allocator,
             const xf_kernel *kernel);

/* Has the tokenizer read one element, given as XF_STANZA, instead of a stream. */
void xf_expect_element(xf_tokenizer *t);

/* Has the tokenizer keep what somebody needs who doesn't wait for stanzas to be complete, but reads
 * their tags from the tape after each xf_next, whatever it returns:
 *
 *     mode == XF_IN_STANZA   the tape has every tag of the stanza that is complete; its bytes begin
 *                            at buffer + start. Of the elements that are open, `open` is the
 *                            innermost; skip and content_end of these are not final.
 *     counting == 0          what lies in front of `at` is read; white space (and what is passed
 *                            over) between stanzas, from `taken` to there
 *
 * The tape's piece has the flags of xf_flags. After XF_FAILED that describes what came before the
 * error. xf_take must follow each look. `pass` says what is passed over instead of being refused.
 * To be called before any input. */
void xf_read_tags(xf_tokenizer *t, unsigned pass);

/* Takes what the tape and the text between stanzas say, but for the last `hold` bytes of this text:
 * they are not needed any more. */
void xf_take(xf_tokenizer *t, uint32_t hold);

/* What occurs in the stanza that is not complete: XF_ESCAPED and so on. */
uint32_t xf_flags(const xf_tokenizer *t);

/* Line, from 1, and column, from 0 and in characters, of an offset in the buffer. */
void xf_place(const xf_tokenizer *t, uint32_t place, uint64_t *line, uint64_t *column);

/* Frees all that the tokenizer holds. */
void xf_release(xf_tokenizer *t);

/* Reads on to the next event. *data and *size are moved behind what was taken; what is left must be
 * given again in the next call. Holds no memory beyond the struct after XF_MORE between
 * elements. */
xf_status xf_next(xf_tokenizer *t, const uint8_t **data, size_t *size, xf_event *event);

/* Tells where the caller keeps its copy of the header from XF_START. The piece must stay until the
 * next XF_START, xf_restart or xf_release. To be called before the next xf_next. */
void xf_adopt(xf_tokenizer *t, const xf_piece *header);

/* The bytes that were taken, and that no event has covered; *size is their number. */
const uint8_t *xf_unread(const xf_tokenizer *t, size_t *size);

/* Begins a new stream with the next byte, behind white space, that no event has covered. Forgets
 * the bytes of xf_unread: the caller gives them again. */
void xf_restart(xf_tokenizer *t);

/* End of input, whether or not xf_next has read all of it: XF_MORE, or XF_FAILED if what it has
 * read ends inside an element. */
xf_status xf_finish(xf_tokenizer *t);

/* Text of an error code, and the name of its condition with underscores. */
const char *xf_error_text(xf_error error);
const char *xf_error_condition(xf_error error);

/* The kernels that this processor can run, by number from 0 on, slowest first; then NULL. */
const xf_kernel *xf_usable_kernel(unsigned number);
const xf_kernel *xf_best_kernel(void);
const char *xf_kernel_name(const xf_kernel *kernel);

#endif
