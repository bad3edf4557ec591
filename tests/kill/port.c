/* Ports, and what clients do with them; see kill.h. */
#include "tests/kill/kill.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int port_open(struct port *port, const char *name, uint32_t extra, uint16_t rings, int ring,
              uint16_t slots)
{
    struct nmreq_header header;

    memset(port, 0, sizeof(*port));
    memset(&header, 0, sizeof(header));
    header.nr_version = NETMAP_API;
    header.nr_reqtype = NETMAP_REQ_REGISTER;
    snprintf(header.nr_name, sizeof(header.nr_name), "%s", name);
    header.nr_body = (uintptr_t)&port->reg;
    port->reg.nr_mode = ring >= 0 ? NR_REG_ONE_NIC : NR_REG_ALL_NIC;
    port->reg.nr_ringid = (uint16_t)(ring >= 0 ? ring : 0);
    port->reg.nr_tx_rings = port->reg.nr_rx_rings = rings;
    port->reg.nr_tx_slots = port->reg.nr_rx_slots = slots;
    port->reg.nr_extra_bufs = extra;
    port->fd = open("/dev/netmap", O_RDWR | O_CLOEXEC);
    if (port->fd < 0)
        return errno;
    if (ioctl(port->fd, NIOCCTRL, &header) != 0) {
        int error = errno;

        close(port->fd);
        return error;
    }
    port->memory = mmap(NULL, port->reg.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED, port->fd,
                        0);
    if (port->memory == MAP_FAILED) {
        close(port->fd);
        return errno;
    }
    port->nif = NETMAP_IF(port->memory, port->reg.nr_offset);
    return 0;
}

bool port_open_soon(struct port *port, const char *name, uint32_t extra, uint16_t rings, int ring,
                    uint16_t slots)
{
    int error = 0;

    for (int attempt = 0; attempt < 500; attempt++) {
        error = port_open(port, name, extra, rings, ring, slots);
        if (error == 0)
            return true;
        sleep_us(2000);
    }
    check(false, "%s cannot be opened: %s", name, strerror(error));
    return false;
}

void port_close(struct port *port)
{
    if (port->nif == NULL)
        return;
    munmap(port->memory, port->reg.nr_memsize);
    close(port->fd);
    port->nif = NULL;
}

int port_txsync(const struct port *port)
{
    return ioctl(port->fd, NIOCTXSYNC, NULL) == 0 ? 0 : errno;
}

int port_rxsync(const struct port *port)
{
    return ioctl(port->fd, NIOCRXSYNC, NULL) == 0 ? 0 : errno;
}

/* ---- frames: dst 6, src 6, type 2, flow 4, sequence 8, pattern ---- */

#define HEADER 26u

static void put_station(uint8_t *bytes, unsigned station)
{
    memset(bytes, station == 0xffff ? 0xff : 0, 6);
    if (station == 0xffff)
        return;
    bytes[0] = 2;
    bytes[4] = (uint8_t)(station >> 8);
    bytes[5] = (uint8_t)station;
}

static uint32_t length_of(uint64_t sequence)
{
    return HEADER + (uint32_t)(sequence * 37 % 1400);
}

static bool frame_put(struct netmap_ring *ring, unsigned to, unsigned from, uint32_t flow,
                      uint64_t sequence)
{
    struct netmap_slot *slot = &ring->slot[ring->cur];
    uint8_t *bytes = (uint8_t *)NETMAP_BUF(ring, slot->buf_idx);

    if (nm_ring_empty(ring))
        return false;
    slot->len = (uint16_t)length_of(sequence);
    slot->flags = 0;
    put_station(bytes, to);
    put_station(bytes + 6, from);
    bytes[12] = 0x88;
    bytes[13] = 0xb5;
    memcpy(bytes + 14, &flow, sizeof(flow));
    memcpy(bytes + 18, &sequence, sizeof(sequence));
    for (uint32_t i = HEADER; i < slot->len; i++)
        bytes[i] = (uint8_t)(sequence + i * 3 + flow);
    ring->head = ring->cur = nm_ring_next(ring, ring->cur);
    return true;
}

/* A frame of the flow, whole? *mine is false for frames of others. */
static bool frame_good(const uint8_t *bytes, uint32_t length, uint32_t flow, uint64_t *sequence,
                       bool *mine)
{
    uint32_t told;

    *mine = false;
    if (length < HEADER)
        return true;
    memcpy(&told, bytes + 14, sizeof(told));
    memcpy(sequence, bytes + 18, sizeof(*sequence));
    if (told != flow)
        return true;
    *mine = true;
    if (length != length_of(*sequence))
        return false;
    for (uint32_t i = HEADER; i < length; i++)
        if (bytes[i] != (uint8_t)(*sequence + i * 3 + flow))
            return false;
    return true;
}

/* ---- roles ---- */

static bool stopped(void)
{
    return __atomic_load_n(&board->stop, __ATOMIC_SEQ_CST) != 0;
}

static void open_or_exit(struct port *port, const char *name, uint32_t extra, uint16_t rings,
                         int ring, uint16_t slots)
{
    if (!port_open_soon(port, name, extra, rings, ring, slots))
        exit(1);
    client_is_ready();
}

static int wait_for(const struct port *port, short events, int timeout)
{
    struct pollfd poll_fd = {.fd = port->fd, .events = events};

    return poll(&poll_fd, 1, timeout);
}

int role_flow_sender(char **arguments)
{
    unsigned own = (unsigned)atoi(arguments[1]), other = (unsigned)atoi(arguments[2]);
    uint32_t flow = (uint32_t)atoi(arguments[3]);
    uint64_t sequence = 0;
    struct port port;
    struct netmap_ring *ring;

    open_or_exit(&port, arguments[0], 0, 0, -1, 0);
    ring = NETMAP_TXRING(port.nif, 0);
    while (!stopped()) {
        for (unsigned i = 0; i < 64 && frame_put(ring, other, own, flow, sequence); i++)
            sequence++;
        if (sequence / 64 % 2 == 0)
            port_txsync(&port);
        else
            wait_for(&port, POLLOUT, 100);
    }
    port_close(&port);
    return 0;
}

int role_flow_receiver(char **arguments)
{
    unsigned own = (unsigned)atoi(arguments[1]);
    uint32_t flow = (uint32_t)atoi(arguments[2]);
    uint64_t next = 0, hello_at = 0;
    struct port port;
    struct netmap_ring *ring;

    open_or_exit(&port, arguments[0], 0, 0, -1, 0);
    ring = NETMAP_RXRING(port.nif, 0);
    while (!stopped()) {
        if (now_us() >= hello_at) { /* others may say they were this station */
            frame_put(NETMAP_TXRING(port.nif, 0), 0xffff, own, 0, 0);
            port_txsync(&port);
            hello_at = now_us() + 10000;
        }
        wait_for(&port, POLLIN, 20);
        for (; !nm_ring_empty(ring); ring->head = ring->cur = nm_ring_next(ring, ring->cur)) {
            const struct netmap_slot *slot = &ring->slot[ring->cur];
            const uint8_t *bytes = (const uint8_t *)NETMAP_BUF(ring, slot->buf_idx);
            uint64_t sequence;
            bool mine;

            if (!frame_good(bytes, slot->len, flow, &sequence, &mine) || (mine && sequence < next))
                __atomic_fetch_add(&board->damaged[flow], 1, __ATOMIC_SEQ_CST);
            if (!mine)
                continue;
            next = sequence + 1;
            __atomic_fetch_add(&board->received[flow], 1, __ATOMIC_RELAXED);
        }
    }
    port_close(&port);
    return 0;
}

int role_victim_sender(char **arguments)
{
    unsigned own = (unsigned)atoi(arguments[1]), other = (unsigned)atoi(arguments[2]);
    uint64_t sequence = 0;
    struct port port;

    open_or_exit(&port, arguments[0], 4, 0, -1, 0);
    for (;;) {
        for (unsigned i = 0; i < 200; i++) /* now and then to everybody */
            if (frame_put(NETMAP_TXRING(port.nif, 0), i == 100 ? 0xffff : other, own, 999,
                          sequence))
                sequence++;
        if (sequence % 3 == 0)
            wait_for(&port, POLLOUT, 100);
        else
            port_txsync(&port);
    }
}

int role_victim_receiver(char **arguments)
{
    unsigned own = (unsigned)atoi(arguments[1]);
    struct port port;
    struct netmap_ring *ring;

    open_or_exit(&port, arguments[0], 4, 0, -1, 0);
    ring = NETMAP_RXRING(port.nif, 0);
    frame_put(NETMAP_TXRING(port.nif, 0), 0xffff, own, 999, 0);
    port_txsync(&port);
    for (;;) {
        wait_for(&port, POLLIN, 100);
        ring->head = ring->cur = ring->tail;
    }
}

/* ---- a pipe's end that is going to die ---- */

/* A good moment to die: between two stores that belong together. */
static void linger(uint64_t *state)
{
    if (random_next(state) % 64 == 0)
        sleep_us(200);
}

static void store(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void swap_slots(struct netmap_slot *a, struct netmap_slot *b, uint64_t *state)
{
    uint32_t index = a->buf_idx;

    store(&a->buf_idx, b->buf_idx);
    linger(state);
    store(&b->buf_idx, index);
    a->flags = b->flags = NS_BUF_CHANGED;
}

/* The tx slot's buffer goes to the front of the list, the list's first into the slot. */
static void swap_extra(const struct port *port, struct netmap_ring *ring, uint64_t *state)
{
    uint32_t *head = (uint32_t *)(uintptr_t)&port->nif->ni_bufs_head;
    struct netmap_slot *slot = &ring->slot[ring->cur];
    uint32_t from_list = *head, from_slot = slot->buf_idx;

    store((uint32_t *)(void *)NETMAP_BUF(ring, from_slot),
          *(uint32_t *)(void *)NETMAP_BUF(ring, from_list));
    linger(state);
    store(head, from_slot);
    linger(state);
    store(&slot->buf_idx, from_list);
    slot->flags = NS_BUF_CHANGED;
}

static void victim_turn(const struct port *port, uint32_t r, int habits, uint64_t *state)
{
    struct netmap_ring *tx = NETMAP_TXRING(port->nif, r), *rx = NETMAP_RXRING(port->nif, r);

    while (!nm_ring_empty(rx) && !nm_ring_empty(tx) && (habits & HABIT_FORWARDS) != 0 &&
           random_next(state) % 32 != 0) {
        swap_slots(&rx->slot[rx->cur], &tx->slot[tx->cur], state);
        tx->slot[tx->cur].len = rx->slot[rx->cur].len;
        rx->head = rx->cur = nm_ring_next(rx, rx->cur);
        tx->head = tx->cur = nm_ring_next(tx, tx->cur);
    }
    if ((habits & HABIT_EXTRA) != 0 && !nm_ring_empty(tx))
        swap_extra(port, tx, state);
    /* Frames nobody looks at: it shall spend its time exchanging, not filling. */
    while (!nm_ring_empty(tx)) {
        tx->slot[tx->cur].len = 60;
        tx->head = tx->cur = nm_ring_next(tx, tx->cur);
    }
    rx->head = rx->cur = rx->tail;
}

int role_pipe_victim(char **arguments)
{
    int only = atoi(arguments[1]), habits = atoi(arguments[3]);
    uint32_t extra = (uint32_t)atoi(arguments[2]);
    uint64_t state = (uint32_t)getpid() * 0x9e3779b97f4a7c15ull;
    struct port port;

    open_or_exit(&port, arguments[0], extra, 2, only, PIPE_SLOTS);
    for (;;) {
        for (unsigned r = 0; r < 2; r++)
            if (only < 0 || r == (unsigned)only)
                victim_turn(&port, r, habits, &state);
        port_txsync(&port);
        port_rxsync(&port);
    }
}

/* ---- the scribbler ---- */

/* All that is mapped at the address, doors and all: more than the program asked for. */
static size_t mapped_size(const void *address)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long from, to;
    char line[400];
    size_t size = 0;

    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
        if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from == (uintptr_t)address)
            size = to - from;
    if (maps != NULL)
        fclose(maps);
    return size;
}

int role_scribbler(char **arguments)
{
    uint64_t end = now_us() + (uint64_t)atoi(arguments[1]) * 1000000;
    uint64_t state = strtoull(arguments[2], NULL, 0);
    struct port port;
    uint64_t *words, small;
    size_t number;

    open_or_exit(&port, arguments[0], 8, 2, -1, 256);
    words = (uint64_t *)(void *)port.memory;
    number = mapped_size(port.memory) / sizeof(uint64_t);
    if (number == 0)
        return 2;
    while (now_us() < end && !stopped()) {
        for (unsigned i = 0; i < 2000; i++) {
            uint64_t word = random_next(&state);
            size_t at = random_next(&state) % number;

            /* Most of a region is buffers: half of the words go where the objects are, in front,
             * and the doors, behind; half of the values are small, and so may be believed. */
            small = random_next(&state) % 5000;
            if (i % 4 == 0)
                at %= 40000;
            else if (i % 4 == 1)
                at = number - 1 - at % 40000;
            words[at % number] = word % 2 == 0 ? small | small << 32 : word;
        }
        if (random_next(&state) % 2 == 0)
            ioctl(port.fd, NIOCRXSYNC, NULL);
        else
            wait_for(&port, POLLIN | POLLOUT, 0);
        __atomic_fetch_add(&board->scribbles, 2000, __ATOMIC_RELAXED);
    }
    return 0;
}
