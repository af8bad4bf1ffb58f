/* Measures src_c alone against expat.
 *
 *   stream_bench time FILE ROUNDS CHUNK...     a line per subject and chunk size:
 *                                              name, chunk, stanzas, CPU seconds of each round
 *   stream_bench once FILE SUBJECT CHUNK       one pass, for counting its instructions
 *   stream_bench unbounded FILE SUBJECT CHUNK  the same, without limits on stanzas
 *   stream_bench subjects                      their names
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "subject.h"

enum { MOST_SUBJECTS = 8, MOST_TASKS = 32, MOST_ROUNDS = 100 };
static const double TURN_SECONDS = 0.02; /* a turn is at least that long, for the clock's sake */

typedef struct {
    const bench_subject *subject;
    size_t chunk;
    unsigned repeats;
    bench_tally seen;
    double seconds[MOST_ROUNDS];
} task;

static bench_subject subjects[MOST_SUBJECTS];
static size_t subject_count;

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "stream_bench: %s%s%s\n", what, name ? ": " : "", name ? name : "");
    exit(1);
}

static uint8_t *load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail("can't read", path);
    long length = ftell(file);
    uint8_t *data = length > 0 ? malloc((size_t)length) : NULL;
    rewind(file);
    if (!data || fread(data, 1, (size_t)length, file) != (size_t)length)
        fail("can't read", path);
    fclose(file);
    *size = (size_t)length;
    return data;
}

static size_t number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || value == 0)
        fail("not a positive number", text);
    return value;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Mean CPU seconds of one pass. */
static double run(task *t, const uint8_t *data, size_t size)
{
    double start = now();
    for (unsigned i = 0; i < t->repeats; i++) {
        t->seen.stanzas = 0;
        if (!t->subject->read(t->subject->context, data, size, t->chunk, &t->seen))
            fail("stream refused by", t->subject->name);
    }
    return (now() - start) / t->repeats;
}

static void check_equal_work(const uint8_t *data, size_t size, size_t chunk)
{
    bench_tally wanted = {0};
    for (size_t i = 0; i < subject_count; i++) {
        bench_tally seen = {0};
        if (!subjects[i].inspect(subjects[i].context, data, size, chunk, &seen))
            fail("stream refused by", subjects[i].name);
        if (i == 0)
            wanted = seen;
        else if (memcmp(&seen, &wanted, sizeof seen))
            fail("reads the stream differently", subjects[i].name);
    }
}

static void measure(const uint8_t *data, size_t size, size_t rounds, char **chunks, int chunk_count)
{
    static task tasks[MOST_TASKS];
    size_t order[MOST_TASKS], count = 0;
    if (rounds > MOST_ROUNDS)
        fail("too many rounds", NULL);
    for (int c = 0; c < chunk_count; c++) {
        check_equal_work(data, size, number(chunks[c]));
        for (size_t s = 0; s < subject_count; s++, count++) {
            if (count == MOST_TASKS)
                fail("too many chunk sizes", NULL);
            tasks[count] = (task){&subjects[s], number(chunks[c]), 1, {0}, {0}};
            order[count] = count;
            double seconds = run(&tasks[count], data, size);
            if (seconds < TURN_SECONDS)
                tasks[count].repeats = (unsigned)(TURN_SECONDS / (seconds + 1e-6)) + 1;
        }
    }
    srand(1);
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = count; i-- > 1;) {
            size_t other = (size_t)rand() % (i + 1), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        for (size_t i = 0; i < count; i++)
            tasks[order[i]].seconds[round] = run(&tasks[order[i]], data, size);
    }
    for (size_t i = 0; i < count; i++) {
        printf("%s %zu %llu", tasks[i].subject->name, tasks[i].chunk,
               (unsigned long long)tasks[i].seen.stanzas);
        for (size_t round = 0; round < rounds; round++)
            printf(" %.9f", tasks[i].seconds[round]);
        printf("\n");
    }
}

static void pass(const char *mode, const uint8_t *data, size_t size, const char *name, size_t chunk)
{
    for (size_t i = 0; i < subject_count; i++) {
        const bench_subject *s = &subjects[i];
        if (strcmp(s->name, name))
            continue;
        bench_tally seen = {0};
        int bounded = !strcmp(mode, "once");
        if (!(bounded ? s->read : s->read_unbounded)(s->context, data, size, chunk, &seen))
            fail("stream refused by", name);
        printf("%llu\n", (unsigned long long)seen.stanzas);
        return;
    }
    fail("no such subject", name);
}

int main(int argc, char **argv)
{
    subjects[0] = bench_expat;
    subject_count = 1 + bench_tokenizers(subjects + 1, MOST_SUBJECTS - 1);
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "subjects")) {
        for (size_t i = 0; i < subject_count; i++)
            puts(subjects[i].name);
        return 0;
    }
    int timed = !strcmp(mode, "time");
    if (argc < 5 || (!timed && strcmp(mode, "once") && strcmp(mode, "unbounded")))
        fail("time FILE ROUNDS CHUNK... | once|unbounded FILE SUBJECT CHUNK | subjects", NULL);
    size_t size;
    uint8_t *data = load(argv[2], &size);
    if (timed)
        measure(data, size, number(argv[3]), argv + 4, argc - 4);
    else
        pass(mode, data, size, argv[3], number(argv[4]));
    free(data);
    return 0;
}
