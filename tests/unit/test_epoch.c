/* Epochs: a writer waits for every reader that may see the old table, and for no other. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <unistd.h>

static struct nm_epoch epoch;

static void *wait_thread(void *done)
{
    nm_epoch_wait(&epoch);
    nm_store32_release(done, 1);
    return NULL;
}

static void test_no_readers(void **state)
{
    (void)state;
    memset(&epoch, 0, sizeof(epoch));
    for (int i = 0; i < 1000; i++)
        nm_epoch_wait(&epoch);
    for (int i = 0; i < 1000; i++)
        nm_epoch_leave(&epoch, nm_epoch_enter(&epoch));
    nm_epoch_wait(&epoch);
}

static void start_wait(pthread_t *thread, uint32_t *done)
{
    *done = 0;
    assert_int_equal(pthread_create(thread, NULL, wait_thread, done), 0);
}

/* A reader that entered before holds the writer up until it leaves, in either generation. */
static void test_reader_holds_writer(void **state)
{
    (void)state;
    memset(&epoch, 0, sizeof(epoch));
    for (int round = 0; round < 4; round++) {
        nm_epoch_token token = nm_epoch_enter(&epoch);
        uint32_t done;
        pthread_t thread;

        start_wait(&thread, &done);
        usleep(20000);
        assert_int_equal(nm_load32_acquire(&done), 0);
        nm_epoch_leave(&epoch, token);
        pthread_join(thread, NULL);
        assert_int_equal(done, 1);
        if (round % 2 == 0) /* turn the generations once more or not */
            epoch.generation ^= 1;
    }
}

/* Readers that come and go all the time do not keep the writer for ever. */
static void *read_for_ever(void *stop)
{
    while (nm_load32_acquire(stop) == 0) {
        nm_epoch_token outer = nm_epoch_enter(&epoch);
        nm_epoch_token inner = nm_epoch_enter(&epoch); /* may nest */

        nm_epoch_leave(&epoch, outer);
        nm_epoch_leave(&epoch, inner);
    }
    return NULL;
}

static void test_writer_gets_through(void **state)
{
    uint32_t stop = 0;
    pthread_t readers[3];

    (void)state;
    memset(&epoch, 0, sizeof(epoch));
    for (size_t i = 0; i < COUNT(readers); i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_for_ever, &stop), 0);
    for (int i = 0; i < 200; i++)
        nm_epoch_wait(&epoch);
    nm_store32_release(&stop, 1);
    for (size_t i = 0; i < COUNT(readers); i++)
        pthread_join(readers[i], NULL);
    for (int shard = 0; shard < NM_EPOCH_SHARDS; shard++)
        for (int generation = 0; generation < 2; generation++)
            assert_int_equal(epoch.shards[shard].entered[generation],
                             epoch.shards[shard].left[generation]);
}

/* What it is for: nobody reads a table after it was given back. */
static struct table {
    uint64_t good;
} *published;

#define GOOD 0x7461626c65ull

static void *read_table(void *stop)
{
    while (nm_load32_acquire(stop) == 0) {
        nm_epoch_token token = nm_epoch_enter(&epoch);
        const struct table *table =
            nm_load_pointer_acquire((void *const *)(void *)&published);

        for (int i = 0; i < 10; i++)
            if (nm_load64(&table->good) != GOOD)
                abort();
        nm_epoch_leave(&epoch, token);
    }
    return NULL;
}

static void test_table_is_safe(void **state)
{
    static struct table tables[2] = {{GOOD}, {0}};
    uint32_t stop = 0;
    pthread_t readers[3];

    (void)state;
    memset(&epoch, 0, sizeof(epoch));
    published = &tables[0];
    for (size_t i = 0; i < COUNT(readers); i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_table, &stop), 0);
    for (int i = 1; i < 300; i++) {
        struct table *next = &tables[i & 1], *old = &tables[!(i & 1)];

        nm_store64(&next->good, GOOD);
        nm_store_pointer_release((void **)(void *)&published, next);
        nm_epoch_wait(&epoch);
        nm_store64(&old->good, 0);
    }
    nm_store32_release(&stop, 1);
    for (size_t i = 0; i < COUNT(readers); i++)
        pthread_join(readers[i], NULL);
}

/* The counters wrap. */
static void test_wrap(void **state)
{
    (void)state;
    memset(&epoch, 0, sizeof(epoch));
    for (int shard = 0; shard < NM_EPOCH_SHARDS; shard++)
        for (int generation = 0; generation < 2; generation++)
            epoch.shards[shard].entered[generation] =
                epoch.shards[shard].left[generation] = UINT32_MAX - 3;
    for (int i = 0; i < 10; i++) {
        nm_epoch_leave(&epoch, nm_epoch_enter(&epoch));
        nm_epoch_wait(&epoch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_readers),
        cmocka_unit_test(test_reader_holds_writer),
        cmocka_unit_test(test_writer_gets_through),
        cmocka_unit_test(test_table_is_safe),
        cmocka_unit_test(test_wrap),
    };

    return cmocka_run_group_tests_name("epochs", tests, NULL, NULL);
}
