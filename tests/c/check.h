/* Assertions that report and go on, and the count of tests. */
#ifndef CHECK_H
#define CHECK_H

/* Reports, with a message as of printf, what is not good. Returns whether it was. */
#define CHECK(good, ...) check(!!(good), __FILE__, __LINE__, __VA_ARGS__)

int check(int good, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Runs a test and prints how it went. */
void run(const char *name, void (*test)(void));

/* Prints the last line; returns the exit status. */
int report(void);

#endif
