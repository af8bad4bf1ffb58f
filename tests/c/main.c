/* The tests of src_c. An argument, a number, says how many times less than usual to repeat tests
 * over generated input; under Valgrind everything takes 30 times as long. */
#include <stdlib.h>

#include "check.h"
#include "tests.h"

static unsigned divisor = 1;

unsigned rounds(unsigned usual)
{
    return usual / divisor;
}

int main(int count, char **arguments)
{
    if (count > 1)
        divisor = (unsigned)atoi(arguments[1]);
    test_streams();
    test_kernels();
    test_memory();
    test_utf8();
    test_text();
    test_encode();
    test_encode_plain();
    forget_samples();
    return report();
}
