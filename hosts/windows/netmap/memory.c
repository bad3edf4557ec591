#include "memory.h"
#include "core/os.h"
#include "ddk.h"

#define ALIGNMENT 128u

static uint32_t outstanding;

/* The pool aligns to 16 bytes only; the address it gave stands just below what we return. */
void *nm_os_alloc(size_t size)
{
    uint8_t *raw, *aligned;

    if (size == 0 || size > SIZE_MAX - ALIGNMENT)
        return NULL;
    raw = ExAllocatePoolWithTag(NonPagedPoolNx, size + ALIGNMENT, NM_POOL_TAG);
    if (raw == NULL)
        return NULL;
    /* At least 16 bytes above raw, because both are multiples of 16. */
    aligned = (uint8_t *)(((uintptr_t)raw + ALIGNMENT) & ~(uintptr_t)(ALIGNMENT - 1));
    memset(raw, 0, size + ALIGNMENT);
    ((void **)(void *)aligned)[-1] = raw;
    nm_add32(&outstanding, 1);
    return aligned;
}

void nm_os_free(void *memory, size_t size)
{
    (void)size;
    if (memory == NULL)
        return;
    ExFreePoolWithTag(((void **)memory)[-1], NM_POOL_TAG);
    nm_add32(&outstanding, UINT32_MAX);
}

uint32_t nm_memory_outstanding(void)
{
    return nm_load32(&outstanding);
}
