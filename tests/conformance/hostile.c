/* A program that writes rubbish all over its own region: it harms nobody but itself. */
#include "tests/conformance/flow.h"

struct scribbler {
    struct port *port;
    struct port *peer; /* of a pipe: takes what comes, so that it goes on */
    uint64_t words;    /* written */
    uint64_t calls;
    unsigned mode;
};

static unsigned scribble_ms(void)
{
    return env_number("NM_SCRIBBLE_SECONDS", quick() ? 1 : 3) * 1000;
}

/* Values that are wrong in interesting ways, besides random ones. */
static uint64_t bad_word(uint64_t *state)
{
    static const uint64_t words[] = {
        0,          UINT64_MAX, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffff, 0x7fffffff,
        0x80000000, 1,          0x0000000100000001, 0xffffffff00000000,
    };
    uint64_t draw = random_next(state);

    return draw % 4 == 0 ? words[draw / 4 % (sizeof(words) / sizeof(words[0]))]
                         : random_next(state);
}

/* Where to write: mostly into netmap_ifs and rings, which are a small part of the region. */
static uint64_t pick_place(const struct scribbler *scribbler, uint64_t *state)
{
    const struct port *port = scribbler->port;
    uint64_t size = port->reg.nr_memsize;
    uint64_t draw = random_next(state);
    uint64_t slots = sizeof(struct netmap_ring) + port->reg.nr_tx_slots * 16ull;
    uint64_t tx = (uint64_t)((const char *)tx_ring(port, 0) - port->memory);
    uint64_t rx = (uint64_t)((const char *)rx_ring(port, 0) - port->memory);

    switch (draw % 8) {
    case 0:
        return draw / 8 % size;
    case 1:
        return draw / 8 % 4096;
    case 2:
    case 3:
        return tx + draw / 8 % 64; /* positions */
    case 4:
        return rx + draw / 8 % 64;
    case 5:
        return tx + draw / 8 % slots;
    case 6:
        return rx + draw / 8 % slots;
    default:
        return draw / 8 % (size / 8 < 65536 ? size : 65536);
    }
}

static void scribble(void *argument)
{
    struct scribbler *scribbler = argument;
    const struct port *port = scribbler->port;
    /* The port's own layout, read before it is destroyed. */
    uint64_t places[4096];
    uint64_t state = scribbler->mode + 1;
    struct pollfd entry = {.fd = port->fd, .events = POLLIN | POLLOUT};
    struct netmap_ring *tx_at = tx_ring(port, 0);
    struct netmap_ring *rx_at = rx_ring(port, 0);
    struct netmap_ring *peer_at = scribbler->peer != NULL ? rx_ring(scribbler->peer, 0) : NULL;

    for (unsigned i = 0; i < 4096; i++)
        places[i] = pick_place(scribbler, &state) & ~(uint64_t)7;
    while (!threads_should_stop()) {
        for (unsigned i = 0; i < 500; i++) {
            uint64_t place = places[random_next(&state) % 4096];

            if (place + 8 > port->reg.nr_memsize)
                continue;
            *(volatile uint64_t *)(void *)(port->memory + place) = bad_word(&state);
            scribbler->words++;
        }
        /* Positions that pass, so that the host comes to look at the spoiled slots. */
        if (random_next(&state) % 2 == 0) {
            tx_at->head = tx_at->cur = (uint32_t)(random_next(&state) % port->reg.nr_tx_slots);
            rx_at->head = rx_at->cur = rx_at->tail;
            for (unsigned i = 0; i < 64; i++) {
                struct netmap_slot *slot =
                    &tx_at->slot[random_next(&state) % port->reg.nr_tx_slots];

                slot->len = (uint16_t)(random_next(&state) % 2100);
                slot->flags = (uint16_t)(random_next(&state) % 8 == 0 ? random_next(&state) : 0);
                if (random_next(&state) % 2 == 0)
                    slot->buf_idx = (uint32_t)(random_next(&state) % 5000);
            }
        }
        /* What the host answers does not matter here, only that it answers. */
        switch (random_next(&state) % 4) {
        case 0:
            ioctl(port->fd, NIOCTXSYNC, NULL);
            break;
        case 1:
            ioctl(port->fd, NIOCRXSYNC, NULL);
            break;
        case 2:
            poll(&entry, 1, 0);
            break;
        default:
            poll(&entry, 1, 1);
            break;
        }
        if (scribbler->peer != NULL) {
            ioctl(scribbler->peer->fd, NIOCRXSYNC, NULL);
            peer_at->head = peer_at->cur = peer_at->tail;
        }
        scribbler->calls++;
    }
}

static void still_healthy(struct flow *flow)
{
    CHECK_MSG(!flow->failed, "%s failed", flow->name);
    check_note("%s: %llu frames received, %llu lost, %llu of strangers", flow->name,
               (unsigned long long)flow->received, (unsigned long long)flow->lost,
               (unsigned long long)flow->skipped);
    CHECK_MSG(flow->received > 100, "%s received %llu frames only", flow->name,
              (unsigned long long)flow->received);
}

/* Run the scribbler beside two flows; watch them every 100 ms. */
static void run(struct scribbler *scribbler, struct flow *near_by, struct flow *apart)
{
    unsigned milliseconds = scribble_ms();

    REQUIRE(flow_start(apart));
    if (near_by != NULL)
        REQUIRE(flow_start(near_by));
    REQUIRE(thread_start(scribble, scribbler));
    for (unsigned i = 0; i < milliseconds / 100; i++) {
        sleep_ms(100);
        if (!flow_progresses(apart, 3000, "while a program scribbles over its region") ||
            (near_by != NULL &&
             !flow_progresses(near_by, 3000, "while a program scribbles on the same switch")))
            break;
    }
    flow_stop(apart);
    if (near_by != NULL)
        flow_stop(near_by);
    for (unsigned i = 0; i < 100; i++) {
        if (__atomic_load_n(&apart->receiver_done, __ATOMIC_ACQUIRE) &&
            (near_by == NULL || __atomic_load_n(&near_by->receiver_done, __ATOMIC_ACQUIRE)))
            break;
        sleep_ms(50);
    }
    threads_stop_and_join();
    check_note("%llu words, %llu calls", (unsigned long long)scribbler->words,
               (unsigned long long)scribbler->calls);
    still_healthy(apart);
    if (near_by != NULL)
        still_healthy(near_by);
}

/* The port behaves again once it is opened afresh. */
static void check_fresh(const char *from_name, const char *to_name)
{
    struct port *from = port_open(from_name);
    struct port *to = port_open(to_name);
    struct frame frame = {mac_broadcast(), mac_of(77), 9, 1, 200};

    REQUIRE(from != NULL && to != NULL);
    frames_discard(to);
    frame_send(from, &frame);
    CHECK_ERR(port_rxsync(to), 0);
    frame_expect(to, 0, &frame);
}

TEST(hostile_scribbler_on_a_switch, 60)
{
    struct port *ports[2] = {port_open("vale1:a"), port_open("vale1:b")};
    struct port *others[2] = {port_open("vale2:a"), port_open("vale2:b")};
    struct scribbler scribbler = {.mode = 1};
    struct flow near_by = flow_make("same switch", ports[0], ports[1]);
    struct flow apart = flow_make("another switch", others[0], others[1]);

    REQUIRE(ports[0] != NULL && ports[1] != NULL && others[0] != NULL && others[1] != NULL);
    /* The switch knows both before the scribbler comes: it never gets their frames to replay. */
    ports_introduce(ports, 2);
    ports_introduce(others, 2);
    near_by.strangers = true; /* rubbish it sends is flooded, and may fill a ring */
    near_by.lossless = false;
    near_by.min_length = FRAME_MARKED;
    apart.windowed = true;
    scribbler.port = port_open_with("vale1:h", .nr_extra_bufs = 16);
    REQUIRE(scribbler.port != NULL);
    run(&scribbler, &near_by, &apart);
    port_close(scribbler.port);
    port_close(ports[0]);
    port_close(ports[1]);
    check_fresh("vale1:h", "vale1:a");
}

TEST(hostile_scribbler_on_a_pipe, 60)
{
    struct port *others[2] = {port_open("y{1"), port_open("y}1")};
    struct port *vale[2] = {port_open("vale2:a"), port_open("vale2:b")};
    struct scribbler scribbler = {.mode = 2};
    struct port *slave;
    struct flow pipe = flow_make("another pipe", others[0], others[1]);
    struct flow apart = flow_make("a switch", vale[0], vale[1]);

    REQUIRE(others[0] != NULL && others[1] != NULL && vale[0] != NULL && vale[1] != NULL);
    ports_introduce(vale, 2);
    apart.windowed = true;
    scribbler.port = port_open_with("x{1", .nr_extra_bufs = 16);
    slave = port_open("x}1");
    REQUIRE(scribbler.port != NULL && slave != NULL);
    scribbler.peer = slave;
    run(&scribbler, &pipe, &apart);
    port_close(scribbler.port);
    port_close(slave);
    check_fresh("x{1", "x}1");
}

/* Random requests beside traffic: every one is answered, none disturbs the others. */
TEST(hostile_requests, 60)
{
    struct port *ports[2] = {port_open("vale1:a"), port_open("vale1:b")};
    struct flow flow = flow_make("vale", ports[0], ports[1]);
    static uint64_t body[64];
    uint64_t state = 5;
    uint64_t end = now_ns() + scribble_ms() * 1000000ull / 3;
    unsigned count = 0;

    REQUIRE(ports[0] != NULL && ports[1] != NULL);
    ports_introduce(ports, 2);
    flow.windowed = true;
    flow.strangers = true;
    flow.lossless = false;
    flow.min_length = FRAME_MARKED;
    REQUIRE(flow_start(&flow));
    while (now_ns() < end) {
        static const char *const names[] = {
            "vale3:z", "vale3:y{1", "q{1", "vale3:", "lo", "", "vale3:y}1", "q}1"};
        struct nmreq_header header;
        int fd = open(DEVICE, O_RDWR);

        if (!CHECK_MSG(fd >= 0, "open: %s (%s)", errno_name(errno), last_message()))
            break;
        for (unsigned i = 0; i < 8; i++) {
            uint64_t draw = random_next(&state);

            for (unsigned k = 0; k < 64; k++)
                body[k] = random_next(&state) % 3 == 0 ? bad_word(&state) : 0;
            if (draw % 2 == 0) { /* plausible but for a detail */
                memset(body, 0, sizeof(body));
                ((struct nmreq_register *)(void *)body)->nr_mode = (uint32_t)(draw / 2 % 10);
                body[1 + draw / 32 % 5] ^= bad_word(&state);
            }
            /* No START of a sync loop, which would rightly not return. */
            header_set(&header, (uint16_t)(draw / 64 % 13), names[draw / 1024 % 8],
                       draw / 16384 % 16 == 0 ? NULL : body);
            if (draw % 64 == 0)
                header.nr_version = (uint16_t)(draw >> 48);
            header_send(fd, &header);
            ioctl(fd, draw % 3 == 0 ? NIOCTXSYNC : NIOCRXSYNC, NULL);
            count++;
        }
        close(fd);
    }
    check_note("%u requests", count);
    flow_progresses(&flow, 3000, "after random requests");
    flow_stop(&flow);
    threads_join();
    still_healthy(&flow);
}
