/* The small pipe: memory, payload, the count of buffers. */
#include "tests/model/pipe_lane.h"

#include <string.h>

struct pipe pipe_under_test;

#define PAYLOAD_LENGTH 60u

static void start_slots(struct netmap_slot *slots, const char *name)
{
    struct pipe *pipe = &pipe_under_test;

    for (uint32_t i = 0; i < pipe->num_slots; i++) {
        pipe->owners[pipe->num_buffers] = 0;
        slots[i].buf_idx = pipe->num_buffers++;
        model_plain(&slots[i], 8, name);
        model_plain(&slots[i].ptr, 8, name);
    }
}

static void start_lane(uint32_t sender)
{
    struct lane *lane = &pipe_under_test.lanes[sender];
    struct nm_door *door = &lane->rx_door;

    start_slots(lane->tx, "tx slot");
    start_slots(lane->rx, "rx slot");
    door_start(door);
    model_plain(lane->tx_door.journal, sizeof(lane->tx_door.journal), "journal");
    lane->sender = (struct end){&door->tail, &door->tail_event, &pipe_under_test.bells[!sender],
                                &door->head, &door->head_event, &pipe_under_test.bells[sender]};
    lane->receiver = (struct end){&door->head, &door->head_event, &pipe_under_test.bells[sender],
                                  &door->tail, &door->tail_event, &pipe_under_test.bells[!sender]};
}

void pipe_start(uint32_t num_slots, uint32_t num_lanes)
{
    struct pipe *pipe = &pipe_under_test;

    memset(pipe, 0, sizeof(*pipe));
    pipe->num_slots = num_slots;
    pipe->num_lanes = num_lanes;
    pipe->num_buffers = 2;
    bell_start(&pipe->bells[0], "bell of end 0");
    bell_start(&pipe->bells[1], "bell of end 1");
    for (uint32_t i = 0; i < num_lanes; i++)
        start_lane(i);
    for (uint32_t i = 2; i < pipe->num_buffers; i++) {
        model_plain(&pipe->owners[i], sizeof(pipe->owners[i]), "owner tag");
        model_plain(&pipe->payload[i], sizeof(pipe->payload[i]), "payload");
    }
    for (uint32_t i = 0; i < num_lanes; i++)
        pipe->lanes[i].move = (struct nm_pipe_lane){
            .tx = pipe->lanes[i].tx,
            .rx = pipe->lanes[i].rx,
            .journal = pipe->lanes[i].tx_door.journal,
            .owners = pipe->owners,
            .num_slots = num_slots,
            .num_buffers = pipe->num_buffers,
            .buffer_size = 2048,
            .own_tag = (uint16_t)(1 + i),
            .peer_tag = (uint16_t)(2 - i),
        };
}

void pipe_fill(struct lane *lane, uint32_t at, uint32_t number)
{
    uint32_t buf = nm_slot_buf(nm_slot_load(&lane->tx[at]));

    nm_store32(&pipe_under_test.payload[buf], number);
    nm_slot_store(&lane->tx[at], nm_slot_make(buf, PAYLOAD_LENGTH, 0));
    nm_store64(&lane->tx[at].ptr, number);
}

uint64_t pipe_check(const struct lane *lane, uint32_t at, uint32_t number)
{
    uint64_t slot = nm_slot_load(&lane->rx[at]);
    uint32_t buf = nm_slot_buf(slot);
    uint32_t got;

    model_assert(buf >= 2 && buf < pipe_under_test.num_buffers, "buffer %u received", buf);
    got = nm_load32(&pipe_under_test.payload[buf]);
    model_assert(got == number, "frame %u received instead of %u", got, number);
    model_assert(nm_slot_len(slot) == PAYLOAD_LENGTH, "length %u received", nm_slot_len(slot));
    model_assert(nm_slot_flags(slot) & NS_BUF_CHANGED, "NS_BUF_CHANGED is missing");
    model_assert(nm_load64(&lane->rx[at].ptr) == number, "ptr of another frame received");
    return slot;
}

void pipe_count_buffers(void)
{
    const struct pipe *pipe = &pipe_under_test;
    uint32_t found[LANE_BUFFERS] = {0};

    for (uint32_t i = 0; i < pipe->num_lanes; i++) {
        for (uint32_t j = 0; j < pipe->num_slots; j++) {
            found[pipe->lanes[i].tx[j].buf_idx]++;
            found[pipe->lanes[i].rx[j].buf_idx]++;
        }
    }
    for (uint32_t i = 2; i < pipe->num_buffers; i++)
        model_assert(found[i] == 1, "buffer %u is in %u slots", i, found[i]);
}
