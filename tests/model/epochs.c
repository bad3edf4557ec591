/*
 * core/epoch.c: a writer replaces a table, waits, and destroys the old one; readers enter, fetch
 * the table, use it, leave. No reader may use a table that is being destroyed.
 *
 * nm_epoch_enter counts on its read-modify-write being a full fence. It is on x86, the only
 * machine of the product, but not in the letter of C11 (nor on ARM), and with less this does not
 * hold: so these checks run with such read-modify-writes.
 */
#include "tests/model/checks.h"
#include "tests/model/simulated.h"

#include <string.h>

/* Instead of core/os.h. */
#define NM_CORE_OS_H
unsigned nm_os_cpu_hint(void);
void nm_os_sleep_us(unsigned microseconds);
#include "core/epoch.c"

#define TABLES 3

struct shape {
    unsigned readers;
    unsigned rounds;   /* of each reader */
    unsigned replaced; /* tables the writer replaces */
};

static struct nm_epoch epoch;
static uint32_t tables[TABLES]; /* 1 while in use */
static void *published;         /* the same on all machines this runs on: 8 bytes */

unsigned nm_os_cpu_hint(void)
{
    return model_self();
}

void nm_os_sleep_us(unsigned microseconds)
{
    (void)microseconds;
    model_forget();
}

static void epoch_start(void)
{
    const struct shape *shape = model_parameters();
    unsigned writer = shape->readers;

    model_word(&epoch.generation, 0, "generation");
    for (unsigned i = 0; i < NM_EPOCH_SHARDS; i++) {
        model_shared_by(1u << writer | (i < shape->readers ? 1u << i : 0));
        for (unsigned j = 0; j < 2; j++) {
            model_word(&epoch.shards[i].entered[j], 0, "entered");
            model_word(&epoch.shards[i].left[j], 0, "left");
        }
    }
    model_shared_by(~0u);
    model_word(&published, (uintptr_t)&tables[0], "published");
    for (unsigned i = 0; i < TABLES; i++) {
        tables[i] = i == 0;
        model_plain(&tables[i], sizeof(tables[i]), "table");
    }
}

static const uint32_t *fetch_table(void)
{
    return (const uint32_t *)(uintptr_t)NM_LOAD_ACQUIRE_AT(fetch_table, &published);
}

static void reader(void)
{
    const struct shape *shape = model_parameters();

    for (unsigned i = 0; i < shape->rounds; i++) {
        nm_epoch_token token;

        model_point(__LINE__, &i, sizeof(i));
        token = nm_epoch_enter(&epoch);
        model_assert(nm_load32(fetch_table()) == 1, "a dead table is used");
        nm_epoch_leave(&epoch, token);
    }
    model_point(__LINE__, NULL, 0);
}

static void writer(void)
{
    const struct shape *shape = model_parameters();

    for (unsigned i = 0; i < shape->replaced; i++) {
        model_point(__LINE__, &i, sizeof(i));
        nm_store32(&tables[i + 1], 1);
        model_store_at("publish_table", &published, 8, (uintptr_t)&tables[i + 1]);
        nm_epoch_wait(&epoch);
        nm_store32(&tables[i], 0);
    }
    model_point(__LINE__, NULL, 0);
}

static void nothing_to_check(void)
{
}

void check_epochs(void)
{
    static const struct shape one = {1, 2, 1}, many = {1, 3, 2}, two = {2, 1, 1};
    struct model_program program = {.name = "epoch: 1 reader, 2 rounds",
                                    .parameters = &one,
                                    .start = epoch_start,
                                    .thread = {reader, writer},
                                    .finish = nothing_to_check,
                                    .rmw = MODEL_RMW_FULL};

    check_holds(&program);
    program.name = "epoch: 1 reader, 3 rounds, 2 tables";
    program.parameters = &many;
    check_holds(&program);
    program.name = "epoch: 2 readers";
    program.parameters = &two;
    program.thread[1] = reader;
    program.thread[2] = writer;
    check_holds(&program);
    check_needs_some(&program, "core/epoch.c"); /* they cover for one another */
    check_needs(&program, "publish_table");
    check_needs(&program, "fetch_table");
}
