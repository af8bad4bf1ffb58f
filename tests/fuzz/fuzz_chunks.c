/* Invariant: what the tokenizer makes of a stream depends on its bytes, its limits and where it is
 * restarted, and on nothing else: not on the kernel, not on the chunks, not on allocations that
 * fail. Events, tapes and errors are those of the scalar kernel on the whole input. Every piece
 * keeps the promises of tape.h, every value and text decodes into the room of its bytes, and every
 * stanza that is forwarded is read as it was, but for the edits.
 *
 * An input's first bytes say how to read the rest; see `control`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarding.h"
#include "reading.h"

typedef struct {
    uint8_t kernel;
    uint8_t limits; /* 0: the default ones; else low ones, seen as bits */
    uint8_t restarts;
    uint8_t flags; /* 1: one element, 2: allocations fail, 4: first chunk alone, then the rest */
    uint8_t sizes[4];
} control;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void see(void *context, xf_status status, const xf_piece *piece)
{
    const char **fault = context;
    static unsigned choice;
    if (status == XF_STANZA && !*fault)
        *fault = forwarding_fault(piece, ++choice % 27);
}

static const xf_kernel *pick_kernel(uint8_t number)
{
    unsigned count = 0;
    while (xf_usable_kernel(count))
        count++;
    return xf_usable_kernel(number % count);
}

static xf_limits pick_limits(uint8_t bits)
{
    xf_limits low = {10000, 1 + (bits & 3), 1 + (bits >> 2 & 3) * 6, (bits >> 1 & 7),
                     1 + (bits >> 4 & 3) * 5, 1 + (bits >> 6)};
    return bits ? low : default_limits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    control c;
    uint16_t sizes[4];
    record expected = {0}, r = {0};
    memory m = {0};
    const char *fault = 0;
    if (size < sizeof c)
        return 0;
    memcpy(&c, data, sizeof c);
    data += sizeof c;
    size -= sizeof c;
    xf_limits limits = pick_limits(c.limits);
    plan p = {.kernel = &xf_scalar, .limits = &limits, .memory = &m, .single = c.flags & 1,
              .restarts = (uint32_t)c.restarts << 1};
    read_stream(&p, data, size, &expected);
    memset(&m, 0, sizeof m);
    m.fail_odd = c.flags >> 1 & 1;
    p.kernel = pick_kernel(c.kernel);
    p.see = see;
    p.context = &fault;
    for (unsigned i = 0; i < 4; i++) /* mostly small, up to 20 KB */
        sizes[i] = (uint16_t)(1 + (c.sizes[i] < 200 ? c.sizes[i] / 2 : (c.sizes[i] - 200) * 360));
    if (c.flags & 4) {
        p.first = 1 + (c.sizes[0] | (size_t)c.sizes[1] << 8);
    } else {
        p.sizes = sizes;
        p.sizes_count = 4;
    }
    read_stream(&p, data, size, &r);
    if (!fault)
        fault = difference(&expected, &r);
    if (!fault && r.idle && !expected.error)
        fault = "memory is held between stanzas";
    if (fault) {
        fprintf(stderr, "kernel %s: %s\n", xf_kernel_name(p.kernel), fault);
        abort();
    }
    forget(&expected);
    forget(&r);
    return 0;
}
