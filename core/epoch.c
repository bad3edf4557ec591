/* Epochs: wait-free readers of published tables. */
#include "core/epoch.h"
#include "core/os.h"

nm_epoch_token nm_epoch_enter(struct nm_epoch *epoch)
{
    uint32_t shard = nm_os_cpu_hint() % NM_EPOCH_SHARDS;
    uint32_t generation = nm_load32_acquire(&epoch->generation) & 1;

    /* The read-modify-write is also the full fence between announcing and reading the table. */
    nm_add32(&epoch->shards[shard].entered[generation], 1);
    return shard << 1 | generation;
}

void nm_epoch_leave(struct nm_epoch *epoch, nm_epoch_token token)
{
    nm_add32(&epoch->shards[token >> 1].left[token & 1], 1);
}

/* Leaves are summed before entries: a reader that moves between the two sums is counted as still
 * inside, never as gone. */
static bool drained(struct nm_epoch *epoch, uint32_t generation)
{
    uint32_t left = 0, entered = 0;

    for (int i = 0; i < NM_EPOCH_SHARDS; i++)
        left += nm_load32_acquire(&epoch->shards[i].left[generation]);
    nm_fence();
    for (int i = 0; i < NM_EPOCH_SHARDS; i++)
        entered += nm_load32_acquire(&epoch->shards[i].entered[generation]);
    return left == entered;
}

void nm_epoch_wait(struct nm_epoch *epoch)
{
    for (int turn = 0; turn < 2; turn++) {
        uint32_t old = nm_load32(&epoch->generation) & 1;

        nm_fence();
        nm_store32_release(&epoch->generation, old ^ 1);
        nm_fence();
        while (!drained(epoch, old))
            nm_os_sleep_us(50);
    }
}
