/* Regions: layout, pools, the life of a segment; what is taken back when buffers have moved. */
#include "tests/unit/unit.h"

static const struct nm_region_needs small = {.rings = 6, .max_slots = 8, .buffers = 40,
                                             .rings_per_if = 2};

static struct nm_region *region_with(struct nm_core *core, const struct nm_region_needs *needs)
{
    struct nm_region_layout layout;
    struct nm_region *region;

    assert_int_equal(nm_region_layout_private(core, needs, &layout), 0);
    assert_int_equal(nm_region_create(core, &layout, &region), 0);
    assert_int_equal(nm_region_activate(region), 0);
    return region;
}

static void check_layout(const struct nm_core *core, const struct nm_region_needs *needs)
{
    struct nm_region_layout l;

    assert_int_equal(nm_region_layout_private(core, needs, &l), 0);
    assert_int_equal(l.buf_num, needs->buffers + 2);
    assert_int_equal(l.ring_num, needs->rings);
    assert_int_equal(l.if_num, core->config.if_num);
    assert_true(l.if_size >= sizeof(struct netmap_if) + 8 * needs->rings_per_if);
    assert_true(l.ring_size >= sizeof(struct netmap_ring) + 16ull * needs->max_slots);
    assert_int_equal(l.ring_size % 128, 0);
    assert_int_equal(l.if_size % 64, 0);
    assert_true(l.ring_offset >= (uint64_t)l.if_size * l.if_num);
    assert_true(l.buf_offset >= l.ring_offset + (uint64_t)l.ring_size * l.ring_num);
    assert_true(l.memsize >= l.buf_offset + (uint64_t)l.buf_size * l.buf_num);
    assert_int_equal(l.ring_offset % NM_PAGE, 0);
    assert_int_equal(l.buf_offset % NM_PAGE, 0);
    assert_int_equal(l.memsize % NM_PAGE, 0);
    assert_int_equal(l.total_size % NM_PAGE, 0);
    if (!core->config.doors) {
        assert_int_equal(l.total_size, l.memsize);
        return;
    }
    assert_true(l.door_offset >= l.memsize);
    assert_int_equal(l.door_offset % sizeof(uint64_t), 0);
    assert_true(l.bell_offset >= l.door_offset + l.ring_num * sizeof(struct nm_door));
    assert_true(l.owner_offset >= l.bell_offset + l.ring_num * sizeof(struct nm_bell));
    assert_true(l.total_size >= l.owner_offset + 2ull * l.buf_num);
}

static void test_layout(void **state)
{
    (void)state;
    for (int doors = 0; doors < 2; doors++) {
        struct nm_core core;

        core_begin(&core, doors != 0);
        for (uint32_t rings = 1; rings < 600; rings = rings * 3 + 1)
            for (uint32_t slots = NM_MIN_SLOTS; slots <= NM_MAX_SLOTS; slots = slots * 2 + 1)
                for (uint32_t spare = 0; spare < 4; spare++) {
                    struct nm_region_needs needs = {.rings = rings, .max_slots = slots,
                                                    .buffers = (uint64_t)rings * slots + spare,
                                                    .rings_per_if = rings};

                    check_layout(&core, &needs);
                }
        core_end(&core);
    }
}

static void test_layout_limits(void **state)
{
    struct nm_region_needs needs = small;
    struct nm_region_layout layout;
    struct nm_config config;
    struct nm_core core;

    (void)state;
    core_config(&config, true);
    config.max_region = 1 << 20;
    core_begin_with(&core, &config);
    needs.buffers = (1 << 20) / 2048;
    assert_int_equal(nm_region_layout_private(&core, &needs, &layout), NM_ENOMEM);
    needs.buffers = UINT32_MAX;
    assert_int_equal(nm_region_layout_private(&core, &needs, &layout), NM_ENOMEM);
    needs.buffers = UINT64_MAX / 2048;
    assert_int_equal(nm_region_layout_private(&core, &needs, &layout), NM_ENOMEM);
    needs.buffers = UINT64_MAX;
    assert_int_equal(nm_region_layout_private(&core, &needs, &layout), NM_ENOMEM);
    needs = small;
    core.config.max_region = 16ull << 30;
    needs.rings = UINT16_MAX; /* more than there are owner tags */
    assert_int_equal(nm_region_layout_private(&core, &needs, &layout), NM_ENOMEM);
    needs.rings = UINT32_MAX;
    needs.max_slots = NM_MAX_SLOTS;
    assert_int_equal(nm_region_layout_private(&core, &needs, &layout), NM_ENOMEM);
    core_end(&core);
}

/* Objects of a pool: all different, as many as there are, zeroed, and again after a free. */
static void test_pools(void **state)
{
    (void)state;
    for (int doors = 0; doors < 2; doors++) {
        struct nm_region *region;
        struct nm_core core;

        core_begin(&core, doors != 0);
        region = region_with(&core, &small);
        for (uint32_t i = 0; i < region->layout.if_num; i++) {
            assert_int_equal(nm_region_if_alloc(region), i);
            memset(nm_region_if(region, i), 0xee, region->layout.if_size);
        }
        assert_int_equal(nm_region_if_alloc(region), NM_NO_OBJECT);
        nm_region_if_free(region, 5);
        assert_int_equal(nm_region_if_alloc(region), 5);
        for (uint32_t i = 0; i < region->layout.if_size; i++)
            assert_int_equal(((uint8_t *)nm_region_if(region, 5))[i], 0);

        for (uint32_t i = 0; i < region->layout.ring_num; i++) {
            assert_int_equal(nm_region_ring_alloc(region), i);
            memset(nm_region_ring(region, i), 0xee, region->layout.ring_size);
            if (doors)
                memset(nm_region_door(region, i), 0xee, sizeof(struct nm_door));
        }
        assert_int_equal(nm_region_ring_alloc(region), NM_NO_OBJECT);
        nm_region_ring_free(region, 2);
        assert_int_equal(nm_region_ring_alloc(region), 2);
        for (uint32_t i = 0; i < region->layout.ring_size; i++)
            assert_int_equal(((uint8_t *)nm_region_ring(region, 2))[i], 0);
        if (doors) {
            assert_int_equal(nm_region_door(region, 2)->head, 0);
            assert_int_equal(nm_region_door(region, 2)->tail, 0);
            assert_true(nm_region_door(region, 2)->head_event == NM_EVENT_NEVER);
            assert_true(nm_region_door(region, 2)->tail_event == NM_EVENT_NEVER);
        } else {
            assert_null(nm_region_door(region, 2));
            assert_null(nm_region_bell(region, 2));
        }
        nm_region_put(region);
        core_end(&core);
    }
}

static void test_buffers(void **state)
{
    (void)state;
    for (int doors = 0; doors < 2; doors++) {
        struct nm_region *region;
        struct nm_core core;
        uint8_t seen[42] = {0};

        core_begin(&core, doors != 0);
        region = region_with(&core, &small);
        for (uint32_t i = 0; i < 40; i++) {
            uint32_t index = nm_region_buf_alloc(region, 7);

            assert_in_range(index, 2, 41); /* 0 and 1 are reserved */
            assert_int_equal(seen[index]++, 0);
            assert_int_equal(nm_region_owners(region)[index], 7);
            memset(nm_region_buf(region, index), 0xee, region->layout.buf_size);
        }
        assert_int_equal(nm_region_buf_alloc(region, 7), NM_NO_OBJECT);
        assert_int_equal(buffers_allocated(region), 40);
        nm_region_buf_free(region, 17);
        nm_region_buf_free(region, 30);
        assert_int_equal(nm_region_owners(region)[17], 0);
        for (int i = 0; i < 2; i++) {
            uint32_t index = nm_region_buf_alloc(region, 0);

            assert_true(index == 17 || index == 30);
            for (uint32_t b = 0; b < region->layout.buf_size; b++) /* nothing of another's */
                assert_int_equal(nm_region_buf(region, index)[b], 0);
        }
        assert_int_equal(nm_region_buf_alloc(region, 7), NM_NO_OBJECT);
        nm_region_put(region);
        core_end(&core);
    }
}

static void test_activation(void **state)
{
    struct nm_region_layout layout;
    struct nm_region *regions[3];
    struct nm_config config;
    struct nm_core core;

    (void)state;
    for (int doors = 0; doors < 2; doors++) {
        core_config(&config, doors != 0);
        core_begin_with(&core, &config);
        assert_int_equal(nm_region_layout_private(&core, &small, &layout), 0);
        core.config.max_memory = 2 * layout.total_size;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(nm_region_create(&core, &layout, &regions[i]), 0);
            assert_null(regions[i]->segment);
        }
        assert_int_equal(nm_region_activate(regions[0]), 0);
        assert_int_equal(nm_region_activate(regions[0]), 0); /* once is enough */
        fake_fail_allocation(1, false);
        assert_int_equal(nm_region_activate(regions[1]), NM_ENOMEM);
        assert_null(regions[1]->segment);
        if (!doors) {
            fake_fail_allocation(2, false);
            assert_int_equal(nm_region_activate(regions[1]), NM_ENOMEM);
        }
        fake_fail_allocation(0, false);
        assert_int_equal(nm_region_activate(regions[1]), 0);
        assert_int_equal(nm_region_activate(regions[2]), NM_ENOMEM); /* the machine-wide limit */
        nm_region_put(regions[0]);
        assert_int_equal(nm_region_activate(regions[2]), 0);
        nm_region_get(regions[1]);
        nm_region_put(regions[1]);
        assert_ptr_equal(nm_region_find(&core, regions[1]->id), regions[1]);
        nm_region_put(regions[1]);
        nm_region_put(regions[2]);
        core_end(&core);
    }
}

/* Ids come in turn, are never 0 or 1, and never those of a living region. */
static void test_ids(void **state)
{
    struct nm_region_layout layout;
    struct nm_region *kept, *region;
    struct nm_core core;

    (void)state;
    core_begin(&core, false);
    assert_int_equal(nm_region_layout_private(&core, &small, &layout), 0);
    assert_int_equal(nm_region_create(&core, &layout, &kept), 0);
    assert_true(kept->id > NM_REGION_GLOBAL);
    for (uint32_t i = 0; i < 70000; i++) {
        uint16_t before = core.last_region_id;

        assert_int_equal(nm_region_create(&core, &layout, &region), 0);
        assert_true(region->id > NM_REGION_GLOBAL);
        assert_int_not_equal(region->id, kept->id);
        assert_int_not_equal(region->id, before);
        nm_region_put(region);
        assert_null(nm_region_find(&core, region == NULL ? 0 : core.last_region_id));
    }
    nm_region_put(kept);
    core_end(&core);
}

static void test_creation_fails(void **state)
{
    struct nm_region_layout layout;
    struct nm_region *region = NULL;
    struct nm_core core;
    unsigned n = 0;
    int error;

    (void)state;
    core_begin(&core, true);
    assert_int_equal(nm_region_layout_private(&core, &small, &layout), 0);
    do {
        fake_fail_allocation(++n, false);
        error = nm_region_create(&core, &layout, &region);
        assert_int_equal(error, fake.failed > 0 ? NM_ENOMEM : 0);
        if (error != 0)
            assert_null(core.regions);
    } while (error != 0);
    assert_int_equal(n, 6); /* five allocations */
    nm_region_put(region);
    core_end(&core);
}

/* ---- sweeping ---- */


/* A ring without an adapter: only its slots matter here. */
static void loose_ring(struct nm_region *region, struct nm_kring *kring, uint32_t num_slots)
{
    memset(kring, 0, sizeof(*kring));
    kring->num_slots = num_slots;
    kring->ring = nm_region_ring(region, nm_region_ring_alloc(region));
    for (uint32_t i = 0; i < num_slots; i++)
        kring->ring->slot[i].buf_idx = nm_region_buf_alloc(region, 0);
}

/* A descriptor with tag 3 and no list. */
static void loose_handle(struct nm_region *region, struct nm_handle *handle,
                         struct nm_adapter *adapter)
{
    memset(handle, 0, sizeof(*handle));
    memset(adapter, 0, sizeof(*adapter));
    handle->adapter = adapter;
    handle->if_object = 2;
    handle->netmap_if = nm_region_if(region, 2);
}

static void test_sweep_plain(void **state)
{
    struct nm_adapter adapter;
    struct nm_handle handle;
    struct nm_kring rings[2];
    struct nm_region *region;
    struct nm_core core;

    (void)state;
    core_begin(&core, true);
    region = region_with(&core, &small);
    loose_handle(region, &handle, &adapter);
    loose_ring(region, &rings[0], 8);
    loose_ring(region, &rings[1], 8);
    for (int i = 0; i < 5; i++)
        nm_region_buf_alloc(region, 3);
    assert_int_equal(buffers_allocated(region), 21);
    nm_region_sweep(region, NULL, 0, &handle, 5);
    assert_int_equal(buffers_allocated(region), 16);
    for (int i = 0; i < 16; i++)
        assert_true((region->buf_state[rings[i / 8].ring->slot[i % 8].buf_idx] &
                     NM_BUF_ALLOCATED) != 0);
    nm_region_sweep(region, rings, 2, NULL, 16);
    assert_int_equal(buffers_allocated(region), 0);
    for (uint32_t i = 0; i < region->layout.buf_num; i++)
        assert_int_equal(region->buf_state[i] & NM_BUF_LIVE, 0);
    nm_region_put(region);
    core_end(&core);
}

/* Whatever stands in the slots, exactly as many buffers go as belonged to the rings. */
static void test_sweep_hostile(void **state)
{
    uint64_t seed = 88172645463325252ull;

    (void)state;
    for (int round = 0; round < 500; round++) {
        struct nm_adapter adapter;
        struct nm_handle handle;
        struct nm_kring rings[2];
        struct nm_region *region;
        struct nm_core core;

        core_begin(&core, (round & 1) != 0);
        region = region_with(&core, &small);
        loose_handle(region, &handle, &adapter);
        loose_ring(region, &rings[0], 8);
        loose_ring(region, &rings[1], 8);
        for (int i = 0; i < 5; i++)
            nm_region_buf_alloc(region, 3);
        for (int i = 0; i < 16; i++) {
            uint32_t *index = &rings[i / 8].ring->slot[i % 8].buf_idx;

            switch (random_next(&seed) % 5) {
            case 0:
                *index = (uint32_t)random_next(&seed);
                break;
            case 1:
                *index = (uint32_t)(random_next(&seed) % 44); /* duplicates, 0, 1, beyond */
                break;
            case 2:
                *index = rings[0].ring->slot[0].buf_idx;
                break;
            default:
                break;
            }
        }
        nm_region_sweep(region, rings, 2, NULL, 16);
        assert_int_equal(buffers_allocated(region), 5);
        nm_region_sweep(region, NULL, 0, &handle, 5);
        assert_int_equal(buffers_allocated(region), 0);
        nm_region_put(region);
        core_end(&core);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),         cmocka_unit_test(test_layout_limits),
        cmocka_unit_test(test_pools),          cmocka_unit_test(test_buffers),
        cmocka_unit_test(test_activation),     cmocka_unit_test(test_ids),
        cmocka_unit_test(test_creation_fails), cmocka_unit_test(test_sweep_plain),
        cmocka_unit_test(test_sweep_hostile),
    };

    return cmocka_run_group_tests_name("regions and pools", tests, NULL, NULL);
}
