#include "encoding.h"

void test_encode(void)
{
    run("UTF-8, every character at every place", test_each_place);
    run("UTF-8, mixed characters", test_mixed);
}
