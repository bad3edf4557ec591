/* Descriptors among the other things of a Linux process: exit, fork, other descriptors, signals. */
#include "tests/conformance/linux_children.h"
#include "tests/conformance/ports.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* ---- frames survive the sender ---- */

CHILD(sends_and_exits)
{
    struct port *port = argc == 1 ? port_open(argv[0]) : NULL;

    if (port == NULL)
        return 1;
    for (uint64_t i = 0; i < 200; i++) {
        struct frame frame = frame_between(1, 2, i, 300);

        frame_put(port, 0, &frame);
    }
    if (port_txsync(port) != 0)
        return 1;
    _exit(0);
}

static void exit_after_sync(const char *from, const char *to)
{
    struct port *receiver = port_open(to);
    struct child_options options = {.args = {from}};

    REQUIRE(receiver != NULL);
    for (unsigned round = 0; round < 5; round++) {
        frames_discard(receiver);
        REQUIRE(child_check("sends_and_exits", &options, 5000));
        REQUIRE_ERR(port_rxsync(receiver), 0);
        for (uint64_t i = 0; i < 200; i++) {
            struct frame frame = frame_between(1, 2, i, 300);

            REQUIRE(frame_expect(receiver, 0, &frame));
        }
        frames_none(receiver);
    }
}

TEST(linux_process_exit_after_sync_vale, 20)
{
    exit_after_sync("vale1:a", "vale1:b");
}

TEST(linux_process_exit_after_sync_pipe, 20)
{
    exit_after_sync("x{1", "x}1");
}

/* ---- the barrier holds between processes ---- */

CHILD(answers)
{
    struct port *port = argc == 1 ? port_open(argv[0]) : NULL;
    uint64_t sequence = 0;

    if (port == NULL)
        return 1;
    child_say('R');
    for (;;) {
        struct netmap_ring *ring = rx_ring(port, 0);

        port_poll(port, POLLIN, -1);
        while (!nm_ring_empty(ring)) {
            struct frame frame = frame_between(2, 1, sequence++, 60);

            ring->head = ring->cur = nm_ring_next(ring, ring->cur);
            frame_put(port, 0, &frame);
        }
        port_txsync(port);
    }
}

static void ask_and_answer(const char *name, const char *other)
{
    struct port *port = port_open(name);
    struct child_options options = {.args = {other}};
    int from_child = -1;
    pid_t pid = child_start("answers", &options, &from_child);

    REQUIRE(port != NULL && pid > 0);
    REQUIRE_EQ(child_byte(from_child, 5000), 'R');
    close(from_child);
    for (unsigned i = 0; i < (quick() ? 500u : 3000u); i++) {
        struct frame question = frame_between(1, 2, i, 60);
        struct frame answer = frame_between(2, 1, i, 60);

        REQUIRE(frame_send(port, &question));
        REQUIRE_MSG(port_poll(port, POLLIN, 2000) == POLLIN, "question %u: no answer", i);
        REQUIRE(frame_expect(port, 0, &answer));
    }
    child_kill(pid);
}

TEST(linux_process_ask_and_answer_vale, 30)
{
    ask_and_answer("vale1:a", "vale1:b");
}

TEST(linux_process_ask_and_answer_pipe, 30)
{
    ask_and_answer("x{1", "x}1");
}

/* ---- poll with other descriptors ---- */

TEST(linux_process_poll_with_others, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct frame frame = frame_between(1, 2, 1, 60);
    struct pollfd entries[3];
    uint64_t start;
    int ends[2];
    char byte = 1;

    REQUIRE(a != NULL && b != NULL && pipe(ends) == 0);
    entries[0] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    entries[1] = (struct pollfd){.fd = b->fd, .events = POLLIN};
    entries[2] = (struct pollfd){.fd = ends[1], .events = 0};
    CHECK_EQ(poll(entries, 3, 0), 0);
    start = now_ns();
    CHECK_EQ(poll(entries, 3, 50), 0);
    CHECK_MSG(now_ns() - start >= 45000000u, "back after %llu us",
              (unsigned long long)((now_ns() - start) / 1000u));
    CHECK(write(ends[1], &byte, 1) == 1);
    CHECK_EQ(poll(entries, 3, 2000), 1);
    CHECK_EQ(entries[0].revents, POLLIN);
    CHECK_EQ(entries[1].revents, 0);
    frame_send(a, &frame);
    CHECK_EQ(poll(entries, 3, 2000), 2);
    CHECK_EQ(entries[1].revents, POLLIN);
    CHECK(read(ends[0], &byte, 1) == 1);
    CHECK_EQ(poll(entries, 3, 2000), 1);
    frame_expect(b, 0, &frame);
    CHECK_EQ(poll(entries, 3, 0), 0);
    close(ends[0]);
    close(ends[1]);
}

struct late_write {
    int fd;
    struct port *port;
};

static void write_later(void *argument)
{
    const struct late_write *late = argument;
    struct frame frame = frame_between(1, 2, 1, 60);
    char byte = 1;

    sleep_ms(50);
    if (late->port != NULL)
        frame_send(late->port, &frame);
    else
        CHECK(write(late->fd, &byte, 1) == 1);
}

TEST(linux_process_poll_is_woken_by_either, 20)
{
    struct port *a = port_open("vale1:a");
    struct port *b = port_open("vale1:b");
    struct pollfd entries[2];
    int ends[2];
    char byte;

    REQUIRE(a != NULL && b != NULL && pipe(ends) == 0);
    entries[0] = (struct pollfd){.fd = b->fd, .events = POLLIN};
    entries[1] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    for (unsigned round = 0; round < 6; round++) {
        struct late_write late = {ends[1], round % 2 == 0 ? a : NULL};
        uint64_t start = now_ns();

        REQUIRE(thread_start(write_later, &late));
        CHECK_EQ(poll(entries, 2, round % 4 < 2 ? -1 : 5000), 1);
        threads_join();
        CHECK_MSG(now_ns() - start < 1000000000u, "woken after %llu ms",
                  (unsigned long long)((now_ns() - start) / 1000000u));
        CHECK_EQ(entries[round % 2].revents, POLLIN);
        if (round % 2 == 0)
            frames_discard(b);
        else
            CHECK(read(ends[0], &byte, 1) == 1);
    }
    close(ends[0]);
    close(ends[1]);
}

/* ---- a signal ends the waiting ---- */

static void on_signal(int number)
{
    (void)number;
}

static void signal_later(void *argument)
{
    sleep_ms(50);
    pthread_kill(*(pthread_t *)argument, SIGUSR1);
}

TEST(linux_process_signal_interrupts_poll, 20)
{
    struct port *port = port_open("vale1:a");
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    pthread_t self = pthread_self();
    struct pollfd entry;

    REQUIRE(port != NULL);
    sigaction(SIGUSR1, &action, &before);
    entry = (struct pollfd){.fd = port->fd, .events = POLLIN};
    CHECK(thread_start(signal_later, &self));
    errno = 0;
    CHECK_EQ(poll(&entry, 1, 5000), -1);
    CHECK_ERR(errno, EINTR);
    threads_join();
    sigaction(SIGUSR1, &before, NULL);
}

/* ---- descriptors are descriptors ---- */

TEST(linux_process_closed_descriptor, 20)
{
    struct port *port = port_open("vale1:a");
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(port != NULL && fd >= 0);
    CHECK_EQ(close(fd), 0);
    errno = 0;
    CHECK_EQ(ioctl(fd, NIOCTXSYNC, NULL), -1);
    CHECK_ERR(errno, EBADF);
    CHECK_EQ(close(fd), -1);
    CHECK_ERR(errno, EBADF);
    CHECK_ERR(port_txsync(port), 0);
}

/* Other files go their usual way. */
TEST(linux_process_other_files, 20)
{
    int fd = open("/dev/null", O_RDWR);
    int created;
    char path[] = "/tmp/nm-conformance-XXXXXX";

    REQUIRE(fd >= 0);
    errno = 0;
    CHECK_EQ(ioctl(fd, NIOCTXSYNC, NULL), -1);
    CHECK_ERR(errno, ENOTTY);
    CHECK_EQ(close(fd), 0);
    created = mkstemp(path);
    REQUIRE(created >= 0);
    close(created);
    unlink(path);
    created = open(path, O_CREAT | O_EXCL | O_RDWR, 0640);
    REQUIRE(created >= 0);
    CHECK_EQ(close(created), 0);
    unlink(path);
    errno = 0;
    CHECK_EQ(open("/dev/netmap-or-not", O_RDWR), -1);
    CHECK_ERR(errno, ENOENT);
}
