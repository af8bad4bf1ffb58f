#define _DEFAULT_SOURCE
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t *region, *guard;

static void make_region(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size / page + 1) * page;
    if (region)
        munmap(region, (size_t)(guard - region) + page);
    region = mmap(0, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    guard = region + room;
    if (region == MAP_FAILED || mprotect(guard, page, PROT_NONE)) {
        perror("guard page");
        abort();
    }
}

const uint8_t *guarded(const uint8_t *bytes, size_t size)
{
    if (!region || (size_t)(guard - region) < size)
        make_region(size);
    if (size)
        memcpy(guard - size, bytes, size);
    return guard - size;
}
