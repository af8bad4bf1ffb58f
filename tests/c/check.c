#include "check.h"

#include <stdarg.h>
#include <stdio.h>

enum { MOST_MESSAGES = 8 };

static unsigned passed, failed, faults;

int check(int good, const char *file, int line, const char *format, ...)
{
    if (good)
        return 1;
    if (++faults <= MOST_MESSAGES) {
        va_list arguments;
        va_start(arguments, format);
        printf("    %s:%d: ", file, line);
        vprintf(format, arguments);
        printf("\n");
        va_end(arguments);
    }
    return 0;
}

void run(const char *name, void (*test)(void))
{
    faults = 0;
    test();
    if (faults) {
        failed++;
        printf("FAILED %s (%u faults)\n", name, faults);
    } else {
        passed++;
        printf("ok     %s\n", name);
    }
    fflush(stdout);
}

int report(void)
{
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
