/* SIGKILL of senders and receivers at any moment: the others never notice. */
#include "tests/conformance/flow.h"
#include "tests/conformance/linux_children.h"

#include <stdlib.h>

/* Nothing received for so long is a stall. The flows, the victims and netmapd want more CPUs than
 * there may be, besides whatever else runs: the notes tell the pauses there really were. */
#define STALL_MS 4000

static unsigned kills(void)
{
    return env_number("NM_KILLS", quick() ? 6 : 20);
}

/* ---- the victims ---- */

/* Send as fast as possible, for ever: name, own address, destination address. */
CHILD(sender)
{
    struct port *port = argc == 3 ? port_open(argv[0]) : NULL;
    uint64_t sequence = 0;
    unsigned from, to;

    if (port == NULL)
        return 1;
    from = (unsigned)atoi(argv[1]);
    to = (unsigned)atoi(argv[2]);
    child_say('R');
    for (;;) {
        for (unsigned i = 0; i < 64; i++) {
            struct frame frame = frame_between(from, to, sequence, 60 + (uint32_t)sequence % 200);

            frame.stream = 99;
            if (!frame_put(port, 0, &frame))
                break;
            sequence++;
        }
        if (sequence / 64 % 2 == 0)
            port_txsync(port);
        else
            port_poll(port, POLLOUT, 100);
    }
}

/* Receive for ever: name, own address. */
CHILD(receiver)
{
    struct port *port = argc == 2 ? port_open(argv[0]) : NULL;
    struct frame hello;

    if (port == NULL)
        return 1;
    hello = (struct frame){mac_broadcast(), mac_of((unsigned)atoi(argv[1])), 98, 0, 60};
    frame_send(port, &hello);
    child_say('R');
    for (;;) {
        struct netmap_ring *ring = rx_ring(port, 0);

        port_poll(port, POLLIN, 100);
        ring->head = ring->cur = ring->tail;
    }
}

struct victim {
    const char *program;
    struct child_options options;
    pid_t pid; /* 0: not running */
};

static bool revive(struct victim *victim, unsigned round)
{
    int from_child = -1;

    if (victim->pid > 0)
        return true;
    victim->pid = child_start(victim->program, &victim->options, &from_child);
    if (victim->pid < 0)
        return false;
    CHECK_MSG(child_byte(from_child, 5000) == 'R', "kill %u: the %s on %s does not start", round,
              victim->program, victim->options.args[0]);
    close(from_child);
    return check_failures() == 0;
}

/* Kill one, the other, or both, again and again, at random moments; watch the flows. */
static void kill_at_random(struct victim victims[2], struct flow *const *flows, unsigned num_flows,
                           uint64_t seed)
{
    uint64_t state = seed;

    for (unsigned round = 0; round < kills(); round++) {
        unsigned which = 1 + (unsigned)(random_next(&state) % 3);

        if (!revive(&victims[round % 2], round) || !revive(&victims[!(round % 2)], round))
            return;
        sleep_us((unsigned)(random_next(&state) % 30000));
        for (unsigned i = 0; i < 2; i++) {
            if ((which & 1u << i) == 0)
                continue;
            child_kill(victims[i].pid);
            victims[i].pid = 0;
        }
        for (unsigned i = 0; i < num_flows; i++)
            if (!flow_progresses(flows[i], STALL_MS, "after a kill"))
                return;
    }
}

static void finish(struct flow *const *flows, unsigned num_flows)
{
    for (unsigned i = 0; i < num_flows; i++)
        flow_stop(flows[i]);
    threads_join();
    for (unsigned i = 0; i < num_flows; i++) {
        check_note("%s: %llu received, %llu lost, %llu of strangers, longest pause %llu ms",
                   flows[i]->name, (unsigned long long)flows[i]->received,
                   (unsigned long long)flows[i]->lost, (unsigned long long)flows[i]->skipped,
                   (unsigned long long)(flows[i]->longest_gap_ns / 1000000u));
        CHECK_MSG(flows[i]->received > 0 && !flows[i]->failed, "%s failed", flows[i]->name);
    }
}

TEST(linux_kill_on_a_switch, 120)
{
    struct port *near_ports[2] = {port_open("vale1:a"), port_open("vale1:b")};
    struct port *far_ports[2] = {port_open("vale2:a"), port_open("vale2:b")};
    static struct flow near_by, apart;
    struct flow *const flows[2] = {&near_by, &apart};
    struct victim victims[2] = {
        {"sender", {.args = {"vale1:s", "11", "12"}}, 0},
        {"receiver", {.args = {"vale1:r", "12"}}, 0},
    };

    REQUIRE(near_ports[0] != NULL && near_ports[1] != NULL);
    REQUIRE(far_ports[0] != NULL && far_ports[1] != NULL);
    near_by = flow_make("same switch", near_ports[0], near_ports[1]);
    apart = flow_make("another switch", far_ports[0], far_ports[1]);
    ports_introduce(near_ports, 2);
    ports_introduce(far_ports, 2);
    /* Without its receiver the victim's frames are flooded, and may fill our ring. */
    near_by.strangers = true;
    near_by.lossless = false;
    apart.windowed = true;
    REQUIRE(flow_start(&near_by) && flow_start(&apart));
    kill_at_random(victims, flows, 2, 1);
    finish(flows, 2);
}

TEST(linux_kill_on_a_pipe, 120)
{
    struct port *vale[2] = {port_open("vale2:a"), port_open("vale2:b")};
    struct port *pipe[2] = {port_open("y{1"), port_open("y}1")};
    static struct flow switched, piped;
    struct flow *const flows[2] = {&switched, &piped};
    struct victim victims[2] = {
        {"sender", {.args = {"x{1", "11", "12"}}, 0},
        {"receiver", {.args = {"x}1", "12"}}, 0},
    };

    REQUIRE(vale[0] != NULL && vale[1] != NULL && pipe[0] != NULL && pipe[1] != NULL);
    switched = flow_make("a switch", vale[0], vale[1]);
    piped = flow_make("another pipe", pipe[0], pipe[1]);
    ports_introduce(vale, 2);
    switched.windowed = true;
    REQUIRE(flow_start(&switched) && flow_start(&piped));
    kill_at_random(victims, flows, 2, 2);
    finish(flows, 2);
}

/* Descriptors in every state die with their process: open, registered, mapped, waiting. */
CHILD(states)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC, .nr_flags = NR_EXCLUSIVE};
    struct pollfd entry;
    int fd;

    (void)argc;
    fd = open(DEVICE, O_RDWR);
    if (fd < 0)
        return 1;
    if (argv[0][0] >= '1' && request_send(fd, NETMAP_REQ_REGISTER, "vale1:x", &reg) != 0)
        return 1;
    if (argv[0][0] >= '2' &&
        mmap(NULL, (size_t)reg.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
        return 1;
    child_say('R');
    entry = (struct pollfd){.fd = fd, .events = POLLIN};
    if (argv[0][0] >= '3')
        poll(&entry, 1, -1);
    for (;;)
        sleep_ms(1000);
}

TEST(linux_kill_releases_the_port, 60)
{
    struct nmreq_register exclusive = {.nr_mode = NR_REG_ALL_NIC, .nr_flags = NR_EXCLUSIVE};
    static const char *const states[] = {"0", "1", "2", "3"};

    for (unsigned round = 0; round < 8; round++) {
        struct child_options options = {.args = {states[round % 4]}};
        int from_child = -1;
        pid_t pid = child_start("states", &options, &from_child);
        uint64_t end;
        int error;

        REQUIRE(pid > 0);
        CHECK_MSG(child_byte(from_child, 5000) == 'R', "the child in state %s does not start",
                  states[round % 4]);
        close(from_child);
        CHECK_ERR(register_outcome("vale1:x", &exclusive), round % 4 == 0 ? 0 : EBUSY);
        sleep_ms(10);
        child_kill(pid);
        /* The host learns of the death from the system, so not before it: but soon. */
        end = now_ns() + 1000000000ull * time_scale();
        do {
            error = register_outcome("vale1:x", &exclusive);
        } while (error == EBUSY && now_ns() < end);
        CHECK_MSG(error == 0, "state %s: a second after the kill the port is still held: %s",
                  states[round % 4], errno_name(error));
    }
}
