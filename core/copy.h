/*
 * Copy a frame, exactly its bytes: what lies behind a frame in the sender's buffer is nobody
 * else's business. Blocks of 64 and 16 bytes, the last one overlapping; no library call, no
 * register wider than 128 bits (a Windows driver may not use them without saving them).
 */
#ifndef NM_CORE_COPY_H
#define NM_CORE_COPY_H

#include "core/compiler.h"

struct nm_block16 {
    uint64_t word[2];
};

NM_INLINE void nm_copy16(uint8_t *destination, const uint8_t *source)
{
    struct nm_block16 block;

    memcpy(&block, source, sizeof(block));
    memcpy(destination, &block, sizeof(block));
}

NM_INLINE void nm_copy_frame(uint8_t *destination, const uint8_t *source, uint32_t length)
{
    uint32_t at = 0;

    if (NM_UNLIKELY(length < 16)) {
        for (; at < length; at++)
            destination[at] = source[at];
        return;
    }
    for (; at + 64 <= length; at += 64) {
        nm_copy16(destination + at, source + at);
        nm_copy16(destination + at + 16, source + at + 16);
        nm_copy16(destination + at + 32, source + at + 32);
        nm_copy16(destination + at + 48, source + at + 48);
    }
    for (; at + 16 <= length; at += 16)
        nm_copy16(destination + at, source + at);
    if (at < length)
        nm_copy16(destination + length - 16, source + length - 16);
}

#endif
