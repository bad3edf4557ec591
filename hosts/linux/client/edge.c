/* Descriptors in the client: open, requests, mappings, close. */
#include "hosts/linux/client/edge.h"
#include "core/errors.h"
#include "hosts/linux/client/real.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Mappings the program may still use after it closed the descriptor. */
static struct {
    pthread_mutex_t lock;
    struct edge_map *maps[1024];
    uint32_t number; /* changed under the lock, but munmap looks at it first */
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void map_put(struct edge_map *map)
{
    pthread_mutex_lock(&table.lock);
    if (--map->references > 0) {
        pthread_mutex_unlock(&table.lock);
        return;
    }
    for (unsigned i = 0; i < table.number; i++) {
        if (table.maps[i] == map) {
            table.maps[i] = table.maps[table.number - 1];
            nm_store32(&table.number, table.number - 1);
            break;
        }
    }
    pthread_mutex_unlock(&table.lock);
    real_munmap(map->base, map->total_size);
    free(map);
}

int edge_open(struct edge **result)
{
    struct edge *edge = calloc(1, sizeof(*edge));
    int error;

    if (edge == NULL)
        return ENOMEM;
    edge_message_clear();
    edge->event_fd = -1;
    pthread_mutex_init(&edge->lock, NULL);
    error = edge_connect(&edge->fd, edge->directory);
    if (error != 0) {
        pthread_mutex_destroy(&edge->lock);
        free(edge);
        return error;
    }
    *result = edge;
    return 0;
}

void edge_close(struct edge *edge)
{
    if (edge->bound) {
        real_close(edge->event_fd);
        free(edge->rings[0]);
        free(edge->rings[1]);
        map_put(edge->map);
    }
    real_close(edge->fd);
    if (!edge->dead)
        edge_wait_served(edge->directory);
    pthread_mutex_destroy(&edge->lock);
    free(edge);
}

static int died(struct edge *edge)
{
    edge->dead = true;
    edge_message("%s: netmapd ended; close the port and open it again, which starts a new one",
                 edge->name[0] != '\0' ? edge->name : "/dev/netmap");
    return EIO;
}

bool edge_alive(struct edge *edge)
{
    char byte;
    ssize_t got;

    if (edge->dead)
        return false;
    got = recv(edge->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        died(edge);
    return !edge->dead;
}

/* ---- messages ---- */

static int send_message(struct edge *edge, enum nm_message_type type, const void *payload,
                        size_t size)
{
    struct nm_message header = {(uint32_t)type, (uint32_t)size};
    struct iovec vectors[2] = {{&header, sizeof(header)}, {(void *)(uintptr_t)payload, size}};
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = size > 0 ? 2 : 1};

    while (sendmsg(edge->fd, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return died(edge);
    return 0;
}

/* Take the descriptors that came with a message; close what was not expected. */
static void take_fds(struct msghdr *message, int fds[2])
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS &&
            part->cmsg_len == CMSG_LEN(2 * sizeof(int)))
            memcpy(fds, CMSG_DATA(part), 2 * sizeof(int));
    }
}

static int receive_message(struct edge *edge, enum nm_message_type type, void *payload,
                           size_t *size, int fds[2])
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct nm_message header;
    struct iovec vectors[2] = {{&header, sizeof(header)}, {payload, *size}};
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2,
                             .msg_control = control.bytes, .msg_controllen = sizeof(control)};
    ssize_t got;

    fds[0] = fds[1] = -1;
    do {
        got = recvmsg(edge->fd, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) {
        edge_message("netmapd does not answer");
        return EIO;
    }
    if (got < (ssize_t)sizeof(header) || header.type != (uint32_t)type ||
        (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return died(edge);
    take_fds(&message, fds);
    *size = (size_t)got - sizeof(header);
    return 0;
}

/* ---- attaching ---- */

static int map_region(struct edge *edge, const struct nm_attach *attach, int fd)
{
    struct edge_map *map = calloc(1, sizeof(*map));
    void *base;

    if (map == NULL)
        return ENOMEM;
    base = real_mmap(NULL, attach->total_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        free(map);
        return errno;
    }
    map->base = base;
    map->total_size = attach->total_size;
    map->memsize = attach->memsize;
    map->references = 1;
    pthread_mutex_lock(&table.lock);
    if (table.number == sizeof(table.maps) / sizeof(table.maps[0])) {
        pthread_mutex_unlock(&table.lock);
        real_munmap(base, attach->total_size);
        free(map);
        edge_message("%s: this process has %u regions mapped, the most it can", attach->name,
                     table.number);
        return ENOMEM;
    }
    table.maps[table.number] = map;
    nm_store32(&table.number, table.number + 1);
    pthread_mutex_unlock(&table.lock);
    edge->map = map;
    return 0;
}

/* After a request that bound the descriptor netmapd says how to drive it. */
static int receive_attach(struct edge *edge)
{
    static const size_t most = sizeof(struct nm_attach) + 512 * sizeof(struct nm_attach_ring);
    struct nm_attach *attach = malloc(most);
    size_t size = most;
    int fds[2], error;

    if (attach == NULL)
        return ENOMEM;
    error = receive_message(edge, NM_MSG_ATTACH, attach, &size, fds);
    if (error == 0 && (size < sizeof(*attach) || fds[0] < 0))
        error = died(edge);
    if (error == 0)
        error = map_region(edge, attach, fds[0]);
    if (error == 0) {
        for (int direction = 0; direction < 2; direction++)
            edge->rings[direction] = calloc(attach->num_rings[direction] + 1u,
                                            sizeof(struct edge_ring));
        if (edge->rings[0] == NULL || edge->rings[1] == NULL) {
            free(edge->rings[0]);
            free(edge->rings[1]);
            map_put(edge->map);
            error = ENOMEM;
        }
    }
    if (error == 0) {
        edge->event_fd = fds[1];
        edge_rings_init(edge, attach);
        edge->bound = true;
        fds[1] = -1;
    }
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            real_close(fds[i]);
    free(attach);
    return error;
}

/* ---- requests ---- */

static bool binds(const struct nm_request *request)
{
    return request->error == 0 &&
           (request->op == NM_OP_REGIF ||
            (request->op == NM_OP_CTRL && request->u.header.nr_reqtype == NETMAP_REQ_REGISTER));
}

static int execute(struct edge *edge, struct nm_request *request)
{
    size_t size = sizeof(*request);
    int fds[2], error;

    if (edge->dead)
        return died(edge);
    error = send_message(edge, NM_MSG_REQUEST, request, request->size);
    if (error == 0)
        error = receive_message(edge, NM_MSG_REQUEST, request, &size, fds);
    if (error != 0)
        return error;
    if (size < offsetof(struct nm_request, u) || request->size != size)
        return died(edge);
    if (request->error != 0) {
        request->message[sizeof(request->message) - 1] = '\0';
        edge_message("%s", request->message);
    } else if (binds(request) && !edge->bound) {
        error = receive_attach(edge);
        if (error != 0)
            return error;
    }
    return request->error;
}

int edge_control(struct edge *edge, struct nmreq_header *header)
{
    struct nm_request *request = malloc(sizeof(*request));
    int error;

    if (request == NULL)
        return ENOMEM;
    edge_message_clear();
    error = nm_request_pack(request, header);
    if (error != 0) {
        edge_message("request %u, API version %u: %s", header->nr_reqtype, header->nr_version,
                     nm_request_problem(header, error));
    } else {
        pthread_mutex_lock(&edge->lock);
        error = execute(edge, request);
        pthread_mutex_unlock(&edge->lock);
        if (error == 0 || error == request->error)
            nm_request_unpack(request, header);
    }
    free(request);
    return error;
}

int edge_legacy(struct edge *edge, enum nm_request_op op, struct nmreq *legacy)
{
    struct nm_request *request = malloc(sizeof(*request));
    int error;

    if (request == NULL)
        return ENOMEM;
    edge_message_clear();
    nm_request_pack_legacy(request, op, legacy);
    pthread_mutex_lock(&edge->lock);
    error = execute(edge, request);
    pthread_mutex_unlock(&edge->lock);
    if (error == 0)
        *legacy = request->u.legacy;
    free(request);
    return error;
}

int edge_counters(struct edge *edge, const char *port, bool is_tx, uint32_t ring,
                  struct netmap_counters *counters)
{
    struct nm_request *request = malloc(sizeof(*request));
    int error;

    if (request == NULL)
        return ENOMEM;
    edge_message_clear();
    nm_request_pack_counters(request, port, is_tx, ring);
    pthread_mutex_lock(&edge->lock);
    error = execute(edge, request);
    pthread_mutex_unlock(&edge->lock);
    if (error == 0)
        *counters = request->u.counters.counters;
    free(request);
    return error;
}

/* ---- mappings ---- */

int edge_mmap(struct edge *edge, size_t length, void **address)
{
    int error = 0;

    pthread_mutex_lock(&edge->lock);
    if (!edge->bound) {
        edge_message("a descriptor must be bound to a port before its memory is mapped");
        error = EINVAL;
    } else if (length > edge->map->total_size) {
        edge_message("%s: %zu bytes to map, its region has %llu", edge->name, length,
                     (unsigned long long)edge->map->memsize);
        error = EINVAL;
    } else {
        pthread_mutex_lock(&table.lock);
        edge->map->references++;
        pthread_mutex_unlock(&table.lock);
        *address = edge->map->base;
    }
    pthread_mutex_unlock(&edge->lock);
    return error;
}

bool edge_munmap(void *address, size_t length, int *error)
{
    struct edge_map *found = NULL;

    if (nm_load32(&table.number) == 0) /* most programs' munmap is none of ours: no lock for it */
        return false;
    pthread_mutex_lock(&table.lock);
    for (unsigned i = 0; i < table.number; i++)
        if (table.maps[i]->base == address)
            found = table.maps[i];
    pthread_mutex_unlock(&table.lock);
    if (found == NULL)
        return false;
    (void)length;
    *error = 0;
    map_put(found);
    return true;
}
