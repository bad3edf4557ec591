/* Ports, opened and used through the public calls. */
#include "tests/conformance/ports.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Exported by libnetmap on both systems. */
const char *netmap_last_message(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the list */
static struct port *ports;
static bool cleanup_added;

const char *last_message(void)
{
    const char *message = netmap_last_message();

    return message != NULL ? message : "";
}

void header_set(struct nmreq_header *header, uint16_t reqtype, const char *name, void *body)
{
    memset(header, 0, sizeof(*header));
    header->nr_version = NETMAP_API;
    header->nr_reqtype = reqtype;
    snprintf(header->nr_name, sizeof(header->nr_name), "%s", name);
    header->nr_body = (uint64_t)(uintptr_t)body;
}

int header_send(int fd, struct nmreq_header *header)
{
    errno = 0;
    return ioctl(fd, NIOCCTRL, header) == 0 ? 0 : errno;
}

int request_send(int fd, uint16_t reqtype, const char *name, void *body)
{
    struct nmreq_header header;

    header_set(&header, reqtype, name, body);
    return header_send(fd, &header);
}

int register_outcome(const char *name, const struct nmreq_register *want)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC};
    int fd = open(DEVICE, O_RDWR);
    int error;

    if (fd < 0)
        return errno;
    if (want != NULL)
        reg = *want;
    error = request_send(fd, NETMAP_REQ_REGISTER, name, &reg);
    close(fd);
    return error;
}

static void release(struct port *port)
{
    if (port->memory != NULL)
        munmap(port->memory, (size_t)port->reg.nr_memsize);
    if (port->fd >= 0)
        close(port->fd);
    free(port);
}

int port_try(const char *name, const struct nmreq_register *want, struct port **result)
{
    struct port *port = calloc(1, sizeof(*port));
    void *memory;
    int error;

    *result = NULL;
    if (port == NULL)
        return ENOMEM;
    snprintf(port->name, sizeof(port->name), "%s", name);
    port->reg.nr_mode = NR_REG_ALL_NIC;
    if (want != NULL)
        port->reg = *want;
    port->fd = open(DEVICE, O_RDWR);
    if (port->fd < 0) {
        error = errno;
        free(port);
        return error;
    }
    error = request_send(port->fd, NETMAP_REQ_REGISTER, name, &port->reg);
    if (error == 0) {
        memory = mmap(NULL, (size_t)port->reg.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED,
                      port->fd, 0);
        if (memory == MAP_FAILED)
            error = errno != 0 ? errno : ENOMEM;
        else
            port->memory = memory;
    }
    if (error != 0) {
        release(port);
        return error;
    }
    port->nifp = NETMAP_IF(port->memory, port->reg.nr_offset);
    pthread_mutex_lock(&lock);
    if (!cleanup_added)
        cleanup_add(ports_close_all);
    cleanup_added = true;
    port->next = ports;
    ports = port;
    pthread_mutex_unlock(&lock);
    *result = port;
    return 0;
}

struct port *port_open_at(const char *file, int line, const char *name,
                          const struct nmreq_register *want)
{
    struct port *port;
    int error = port_try(name, want, &port);

    if (error != 0)
        check_fail(file, line, "%s cannot be opened: %s (%s)", name, errno_name(error),
                   last_message());
    return port;
}

void port_close(struct port *port)
{
    struct port **link;

    if (port == NULL)
        return;
    pthread_mutex_lock(&lock);
    for (link = &ports; *link != NULL && *link != port; link = &(*link)->next)
        ;
    if (*link != NULL)
        *link = port->next;
    pthread_mutex_unlock(&lock);
    release(port);
}

void ports_close_all(void)
{
    while (ports != NULL)
        port_close(ports);
}

int port_txsync(const struct port *port)
{
    errno = 0;
    return ioctl(port->fd, NIOCTXSYNC, NULL) == 0 ? 0 : errno;
}

int port_rxsync(const struct port *port)
{
    errno = 0;
    return ioctl(port->fd, NIOCRXSYNC, NULL) == 0 ? 0 : errno;
}

int port_poll(const struct port *port, short events, int timeout_ms)
{
    struct pollfd entry = {.fd = port->fd, .events = events};
    int count = poll(&entry, 1, timeout_ms);

    if (!CHECK_MSG(count >= 0, "poll on %s fails: %s", port->name, errno_name(errno)))
        return -1;
    CHECK_MSG(count == (entry.revents != 0), "poll on %s counts %d descriptors, revents 0x%x",
              port->name, count, (unsigned)entry.revents);
    return entry.revents;
}

struct netmap_ring *tx_ring(const struct port *port, unsigned ring)
{
    return NETMAP_TXRING(port->nifp, ring);
}

struct netmap_ring *rx_ring(const struct port *port, unsigned ring)
{
    return NETMAP_RXRING(port->nifp, ring);
}

uint32_t ring_room(const struct netmap_ring *ring)
{
    uint32_t head = ring->head;
    uint32_t tail = ring->tail;

    return tail >= head ? tail - head : tail + ring->num_slots - head;
}

uint32_t port_buffer_limit(const struct port *port)
{
    const struct netmap_ring *ring = tx_ring(port, 0);
    int64_t first = (const char *)ring - port->memory + ring->buf_ofs;

    if (first < 0 || (uint64_t)first > port->reg.nr_memsize)
        return 0;
    return (uint32_t)((port->reg.nr_memsize - (uint64_t)first) / ring->nr_buf_size);
}

/* ---- frames ---- */

struct mac mac_of(unsigned number)
{
    return (struct mac){{0x02, 0, 0x5e, 0x10, (uint8_t)(number >> 8), (uint8_t)number}};
}

struct mac mac_multicast(void)
{
    return (struct mac){{0x01, 0, 0x5e, 0, 0, 1}};
}

struct mac mac_broadcast(void)
{
    return (struct mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
}

struct frame frame_between(unsigned from, unsigned to, uint64_t sequence, uint32_t length)
{
    return (struct frame){mac_of(to), mac_of(from), 1, sequence, length};
}

#define HEAD_SIZE FRAME_MARKED /* bytes before the pattern */

static void build_head(uint8_t head[HEAD_SIZE], const struct frame *frame)
{
    memcpy(head, frame->destination.bytes, 6);
    memcpy(head + 6, frame->source.bytes, 6);
    head[12] = 0x88; /* local experimental ethertype */
    head[13] = 0xb5;
    memcpy(head + 14, &frame->stream, 4);
    memcpy(head + 18, &frame->sequence, 8);
}

static uint64_t pattern_seed(const struct frame *frame)
{
    return (frame->sequence + 1) * 0x9E3779B97F4A7C15u ^ (uint64_t)frame->stream << 32 ^
           frame->length;
}

static uint64_t pattern_next(uint64_t word)
{
    return word * 6364136223846793005u + 1442695040888963407u;
}

void frame_build(uint8_t *data, const struct frame *frame)
{
    uint8_t head[HEAD_SIZE];
    uint64_t word = pattern_seed(frame);
    uint32_t length = frame->length;

    build_head(head, frame);
    if (length <= HEAD_SIZE) {
        memcpy(data, head, length);
        return;
    }
    memcpy(data, head, HEAD_SIZE);
    for (uint32_t i = HEAD_SIZE; i < length; i += 8) {
        word = pattern_next(word);
        memcpy(data + i, &word, length - i < 8 ? length - i : 8);
    }
}

bool frame_matches(const uint8_t *data, const struct frame *frame)
{
    uint8_t head[HEAD_SIZE];
    uint64_t word = pattern_seed(frame);
    uint64_t difference = 0;
    uint32_t length = frame->length;
    uint32_t i = HEAD_SIZE;

    build_head(head, frame);
    if (length <= HEAD_SIZE)
        return memcmp(data, head, length) == 0;
    if (memcmp(data, head, HEAD_SIZE) != 0)
        return false;
    for (; i + 8 <= length; i += 8) {
        uint64_t seen;

        word = pattern_next(word);
        memcpy(&seen, data + i, 8);
        difference |= seen ^ word;
    }
    word = pattern_next(word);
    return difference == 0 && memcmp(data + i, &word, length - i) == 0;
}

uint32_t frame_mixed_length(uint64_t sequence, uint32_t min, uint32_t max)
{
    uint64_t state = sequence;

    /* Every length turns up sooner or later; the limits themselves often. */
    switch (sequence % 16) {
    case 3:
        return min;
    case 11:
        return max;
    default:
        return min + (uint32_t)(random_next(&state) % (max - min + 1));
    }
}

bool frame_read_mark(const uint8_t *data, uint32_t length, uint32_t *stream, uint64_t *sequence)
{
    if (length < FRAME_MARKED || data[12] != 0x88 || data[13] != 0xb5)
        return false;
    memcpy(stream, data + 14, 4);
    memcpy(sequence, data + 18, 8);
    return true;
}

bool frame_put(const struct port *port, unsigned ring_number, const struct frame *frame)
{
    struct netmap_ring *ring = tx_ring(port, ring_number);
    struct netmap_slot *slot = &ring->slot[ring->cur];

    if (nm_ring_empty(ring))
        return false;
    frame_build((uint8_t *)NETMAP_BUF(ring, slot->buf_idx), frame);
    slot->len = (uint16_t)frame->length;
    slot->flags = 0;
    ring->head = ring->cur = nm_ring_next(ring, ring->cur);
    return true;
}

bool frame_send_at(const char *file, int line, const struct port *port, const struct frame *frame)
{
    if (!frame_put(port, 0, frame)) {
        check_fail(file, line, "no free slot to send from %s", port->name);
        return false;
    }
    return check_errno(file, line, "NIOCTXSYNC", port_txsync(port), 0);
}

bool frame_expect_at(const char *file, int line, const struct port *port, unsigned ring_number,
                     const struct frame *frame)
{
    struct netmap_ring *ring = rx_ring(port, ring_number);
    struct netmap_slot *slot = &ring->slot[ring->cur];
    const uint8_t *data;
    uint32_t stream = 0;
    uint64_t sequence = 0;
    bool good;

    if (nm_ring_empty(ring)) {
        check_fail(file, line, "%s rx ring %u is empty, expected frame %llu of %u bytes",
                   port->name, ring_number, (unsigned long long)frame->sequence, frame->length);
        return false;
    }
    data = (const uint8_t *)NETMAP_BUF(ring, slot->buf_idx);
    good = slot->len == frame->length && frame_matches(data, frame);
    if (!good) {
        frame_read_mark(data, slot->len, &stream, &sequence);
        check_fail(file, line,
                   "%s rx ring %u: a frame of %u bytes, stream %u number %llu; expected %u bytes, "
                   "stream %u number %llu",
                   port->name, ring_number, slot->len, stream, (unsigned long long)sequence,
                   frame->length, frame->stream, (unsigned long long)frame->sequence);
    }
    ring->head = ring->cur = nm_ring_next(ring, ring->cur);
    return good;
}

bool frames_none_at(const char *file, int line, const struct port *port)
{
    bool none = check_errno(file, line, "NIOCRXSYNC", port_rxsync(port), 0);

    for (unsigned i = 0; i < port->nifp->ni_rx_rings; i++) {
        uint32_t room = ring_room(rx_ring(port, i));

        if (room == 0)
            continue;
        check_fail(file, line, "%s rx ring %u holds %u frames, expected none", port->name, i, room);
        none = false;
    }
    return none;
}

uint32_t frames_discard(const struct port *port)
{
    uint32_t count = 0;

    CHECK_ERR(port_rxsync(port), 0);
    for (unsigned i = 0; i < port->nifp->ni_rx_rings; i++) {
        struct netmap_ring *ring = rx_ring(port, i);

        count += ring_room(ring);
        ring->head = ring->cur = ring->tail;
    }
    CHECK_ERR(port_rxsync(port), 0);
    return count;
}

void ports_introduce(struct port *const *introduced, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct frame hello = {mac_broadcast(), mac_of(i + 1), 0, i, 60};

        frame_send(introduced[i], &hello);
    }
    for (unsigned i = 0; i < count; i++)
        frames_discard(introduced[i]);
}
