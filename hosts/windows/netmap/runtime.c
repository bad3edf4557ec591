/*
 * memset, memcpy and memcmp: the compiler may call them, and the driver links with no C library.
 * Not taken from ntoskrnl, which does not export all three on every supported version.
 *
 * Sixteen bytes at a time with the SSE2 registers every x86-64 kernel thread may use; wider ones
 * would need their state saved.
 */
#include <emmintrin.h>

#include "core/compiler.h"

void *memset(void *destination, int value, size_t size)
{
    uint8_t *to = destination;
    const __m128i pattern = _mm_set1_epi8((char)value);

    for (; size >= 16; size -= 16, to += 16)
        _mm_storeu_si128((__m128i *)to, pattern);
    for (; size > 0; size--)
        *to++ = (uint8_t)value;
    return destination;
}

void *memcpy(void *destination, const void *source, size_t size)
{
    uint8_t *to = destination;
    const uint8_t *from = source;

    for (; size >= 16; size -= 16, to += 16, from += 16)
        _mm_storeu_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)from));
    for (; size > 0; size--)
        *to++ = *from++;
    return destination;
}

/* Assignments of large structures may become a memmove. */
void *memmove(void *destination, const void *source, size_t size);
void *memmove(void *destination, const void *source, size_t size)
{
    uint8_t *to = destination;
    const uint8_t *from = source;

    if (to <= from || to >= from + size)
        return memcpy(destination, source, size);
    while (size > 0) {
        size--;
        to[size] = from[size];
    }
    return destination;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *left = a, *right = b;

    for (; size > 0; size--, left++, right++) {
        if (*left != *right)
            return *left < *right ? -1 : 1;
    }
    return 0;
}
