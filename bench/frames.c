/*
 * The work per frame, as tight as a program can have it: 64 bytes written, 8 bytes read, in a loop
 * of their own for every kind of frame.
 *
 *   bytes  0..13  Ethernet header; destination 02:00:01:xx:xx:xx with the flow in the last three,
 *                 source 02:00:00:00:00:01
 *   bytes 16..23  sequence number
 */
#include "bench/flow.h"
#include "bench/machine.h"

#include <net/netmap_user.h>
#include <string.h>

#define SEQUENCE_AT 16u

static const uint8_t header[64] = {0x02, 0, 0x01, 0, 0, 0, 0x02, 0, 0, 0, 0, 0x01, 0x88, 0xb5};
static const uint8_t broadcast_address[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static uint8_t *buffer_of(struct netmap_ring *ring, uint32_t slot)
{
    return (uint8_t *)NETMAP_BUF(ring, ring->slot[slot].buf_idx);
}

static void put_u64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

/* The last three bytes of the flow's address. */
static void put_flow(uint8_t *address, uint32_t flow)
{
    address[3] = (uint8_t)(flow >> 16);
    address[4] = (uint8_t)(flow >> 8);
    address[5] = (uint8_t)flow;
}

/* The ring's words, read once: it is shared memory, which the compiler must read again after
 * every store. */
struct view {
    struct netmap_slot *slots;
    uint8_t *buffers;
    uint32_t num_slots, buffer_size, at;
};

ALWAYS_INLINE struct view view_of(struct netmap_ring *ring)
{
    struct view view = {ring->slot, (uint8_t *)NETMAP_BUF(ring, 0), ring->num_slots,
                        ring->nr_buf_size, ring->head};

    return view;
}

ALWAYS_INLINE uint8_t *buffer_at(const struct view *view, const struct netmap_slot *slot)
{
    return view->buffers + (size_t)slot->buf_idx * view->buffer_size;
}

ALWAYS_INLINE uint32_t next_slot(const struct view *view, uint32_t at)
{
    return at + 1 == view->num_slots ? 0 : at + 1;
}

ALWAYS_INLINE void store_frame(uint8_t *buffer, const uint8_t *template, uint64_t sequence,
                               uint32_t size, bool fill, enum vectors vectors)
{
    copy_line(buffer, template, vectors);
    if (fill)
        for (uint32_t at = 64; at < size; at += 64)
            copy_line(buffer + at, template, vectors);
    *(uint64_t *)(void *)(buffer + SEQUENCE_AT) = sequence;
}

ALWAYS_INLINE void write_loop(struct frame_writer *writer, struct netmap_ring *ring,
                              uint32_t number, bool fill, bool many_flows, enum vectors vectors)
{
    struct view view = view_of(ring);
    uint64_t sequence = writer->sequence;
    uint32_t size = writer->options->size, flows = writer->options->flows, flow = writer->flow;
    uint32_t ahead = (uint32_t)((view.at + writer->options->prefetch) % view.num_slots);
    uint8_t template[64];

    memcpy(template, header, sizeof(template));
    if (writer->options->broadcast)
        memcpy(template, broadcast_address, sizeof(broadcast_address));
    for (uint32_t i = 0; i < number; i++) {
        struct netmap_slot *slot = &view.slots[view.at];
        uint8_t *buffer = buffer_at(&view, slot);

        if (writer->options->prefetch != 0) {
            __builtin_prefetch(buffer_at(&view, &view.slots[ahead]), 1);
            ahead = next_slot(&view, ahead);
        }
        store_frame(buffer, template, sequence++, size, fill, vectors);
        if (many_flows) {
            put_flow(buffer, flow);
            flow = flow + 1 == flows ? 0 : flow + 1;
        }
        slot->len = (uint16_t)size;
        slot->flags = 0;
        view.at = next_slot(&view, view.at);
    }
    writer->sequence = sequence;
    writer->flow = flow;
    ring->head = ring->cur = view.at;
}

#define WRITE_TOUCHED(name, vectors, attribute)                                                    \
    attribute static void write_##name(struct frame_writer *writer, struct netmap_ring *ring,      \
                                       uint32_t number)                                            \
    {                                                                                              \
        if (writer->options->fill)                                                                 \
            write_loop(writer, ring, number, true, writer->options->flows > 1, vectors);           \
        else if (writer->options->flows > 1)                                                       \
            write_loop(writer, ring, number, false, true, vectors);                                \
        else                                                                                       \
            write_loop(writer, ring, number, false, false, vectors);                               \
    }

WRITE_TOUCHED(baseline, VECTORS_BASELINE, )
#ifdef __x86_64__
WRITE_TOUCHED(avx2, VECTORS_AVX2, __attribute__((target("avx2"))))
WRITE_TOUCHED(avx512, VECTORS_AVX512, __attribute__((target("avx512f"))))
#endif

static void (*write_touched)(struct frame_writer *writer, struct netmap_ring *ring,
                             uint32_t number) = write_baseline;

void frames_init(void)
{
#ifdef __x86_64__
    enum vectors vectors = vectors_of_this_cpu();

    if (vectors == VECTORS_AVX512)
        write_touched = write_avx512;
    else if (vectors == VECTORS_AVX2)
        write_touched = write_avx2;
#endif
}

static void write_untouched(const struct frame_writer *writer, struct netmap_ring *ring,
                            uint32_t number)
{
    struct view view = view_of(ring);

    for (uint32_t i = 0; i < number; i++) {
        struct netmap_slot *slot = &view.slots[view.at];

        slot->len = (uint16_t)writer->options->size;
        slot->flags = 0;
        view.at = next_slot(&view, view.at);
    }
    ring->head = ring->cur = view.at;
}

void write_frames(struct frame_writer *writer, struct netmap_ring *ring, uint32_t number)
{
    if (writer->options->untouched)
        write_untouched(writer, ring, number);
    else
        write_touched(writer, ring, number);
}

static void read_untouched(struct frame_reader *reader, struct netmap_ring *ring, uint32_t number)
{
    struct view view = view_of(ring);
    uint64_t sum = 0;

    for (uint32_t i = 0; i < number; i++) {
        sum += view.slots[view.at].len;
        view.at = next_slot(&view, view.at);
    }
    reader->sum += sum;
    ring->head = ring->cur = view.at;
}

static void read_touched(struct frame_reader *reader, struct netmap_ring *ring, uint32_t number)
{
    struct view view = view_of(ring);
    uint64_t expected = reader->expected, disorder = 0, sum = 0;

    for (uint32_t i = 0; i < number; i++) {
        const struct netmap_slot *slot = &view.slots[view.at];
        uint64_t sequence = *(const uint64_t *)(const void *)(buffer_at(&view, slot) + SEQUENCE_AT);

        disorder += sequence < expected;
        expected = sequence + 1;
        sum += slot->len;
        view.at = next_slot(&view, view.at);
    }
    reader->expected = expected;
    reader->disorder += disorder;
    reader->sum += sum;
    ring->head = ring->cur = view.at;
}

void read_frames(struct frame_reader *reader, struct netmap_ring *ring, uint32_t number)
{
    if (reader->options->untouched)
        read_untouched(reader, ring, number);
    else
        read_touched(reader, ring, number);
}

static void put_slot(struct netmap_ring *ring, uint32_t slot, uint32_t size)
{
    ring->slot[slot].len = (uint16_t)size;
    ring->slot[slot].flags = 0;
    ring->head = ring->cur = nm_ring_next(ring, slot);
}

void announce_frames(struct netmap_ring *ring, uint32_t first, uint32_t number)
{
    for (uint32_t i = 0; i < number; i++) {
        uint32_t slot = ring->head;
        uint8_t *buffer = buffer_of(ring, slot);

        memcpy(buffer, header, sizeof(header));
        memcpy(buffer, broadcast_address, sizeof(broadcast_address));
        memcpy(buffer + 6, header, 6);
        put_flow(buffer + 6, first + i);
        put_slot(ring, slot, sizeof(header));
    }
}

void write_trip(const struct flow_options *options, struct netmap_ring *ring, uint64_t sequence,
                bool back)
{
    uint32_t slot = ring->head;
    uint8_t *buffer = buffer_of(ring, slot);

    memcpy(buffer, header, sizeof(header));
    if (back) {
        memcpy(buffer, header + 6, 6);
        memcpy(buffer + 6, header, 6);
    }
    put_u64(buffer + SEQUENCE_AT, sequence);
    put_slot(ring, slot, options->size);
}

uint64_t read_trip(struct netmap_ring *ring)
{
    uint32_t slot = ring->head;
    uint64_t sequence;

    memcpy(&sequence, buffer_of(ring, slot) + SEQUENCE_AT, sizeof(sequence));
    ring->head = ring->cur = nm_ring_next(ring, slot);
    return sequence;
}
