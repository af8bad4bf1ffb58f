/* As a machine without SSE2 has it. */
#define XF_ENCODE_PLAIN
#include "encoding.h"

void test_encode_plain(void)
{
    run("UTF-8 without vectors, every character at every place", test_each_place);
    run("UTF-8 without vectors, mixed characters", test_mixed);
}
