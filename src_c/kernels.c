/* Which kernels there are, and which of them this processor can run. */
#include "scan.h"
#include "text.h"

static const xf_kernel *const all[] = {
    &xf_scalar,
#if defined(XF_X86)
    &xf_sse2, &xf_avx2, &xf_avx512,
#elif defined(XF_NEON)
    &xf_neon,
#endif
};

enum { COUNT = sizeof all / sizeof all[0] };

const xf_kernel *xf_usable_kernel(unsigned number)
{
    for (unsigned i = 0; i < COUNT; i++)
        if (all[i]->usable() && number-- == 0)
            return all[i];
    return 0;
}

const xf_kernel *xf_best_kernel(void)
{
    unsigned i = COUNT;
    while (!all[--i]->usable())
        ;
    return all[i];
}

size_t xf_plain_run(const xf_kernel *kernel, const void *characters, size_t count, int width)
{
    return kernel->plain_run(characters, count, width);
}

const char *xf_kernel_name(const xf_kernel *kernel)
{
    return kernel->name;
}
