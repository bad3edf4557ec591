/* The life of netmapd: started by the first open, gone when idle; and what its death does. Each
 * test uses instances of its own, in children of its own. */
#include "tests/conformance/flow.h"
#include "tests/conformance/linux_children.h"

#include <signal.h>
#include <stdlib.h>

/* ---- netmapd is killed ---- */

/* Fill a pipe, so that poll has to wait for room. */
static void fill(const struct port *port)
{
    for (unsigned full = 0; full < 4;) {
        struct frame frame = frame_between(1, 2, 0, 60);

        if (!frame_put(port, 0, &frame)) {
            full++;
            port_txsync(port);
        }
    }
}

static void kill_netmapd(void *argument)
{
    uint64_t *killed_ns = argument;
    pid_t pid = 0;

    sleep_ms(100);
    if (!CHECK_MSG(instance_count(instance_own_directory(), &pid) == 1, "no netmapd to kill"))
        return;
    __atomic_store_n(killed_ns, now_ns(), __ATOMIC_RELEASE);
    kill(pid, SIGKILL);
}

/* EIO at once, or at the latest a second after the death, with a message that says what to do. */
static void check_dead_sync(const struct port *port, int (*sync)(const struct port *),
                            const char *what)
{
    uint64_t end = now_ns() + 1000000000ull * time_scale();
    int error;

    do {
        error = sync(port);
    } while (error == 0 && now_ns() < end);
    CHECK_MSG(error == EIO, "%s on %s gives %s, expected EIO", what, port->name, errno_name(error));
    CHECK_MSG(strstr(last_message(), "netmapd") != NULL,
              "the message after %s does not name netmapd: \"%s\"", what, last_message());
}

CHILD(outlives_netmapd)
{
    struct port *port = port_open(argv[0]);
    struct port *other = port_open(argv[1]);
    short events = argv[2][0] == 'w' ? POLLOUT : POLLIN;
    uint64_t killed_ns = 0;
    uint64_t waited_ms;
    int revents;

    (void)argc;
    if (port == NULL || other == NULL)
        return 1;
    if (events == POLLOUT)
        fill(port);
    if (!thread_start(kill_netmapd, &killed_ns))
        return 1;
    revents = port_poll(port, events, 10000);
    waited_ms = (now_ns() - __atomic_load_n(&killed_ns, __ATOMIC_ACQUIRE)) / 1000000u;
    threads_join();
    CHECK_MSG(killed_ns != 0 && waited_ms < 1000 * time_scale(),
              "%s: told of netmapd's death after %llu ms", argv[0], (unsigned long long)waited_ms);
    CHECK_MSG((revents & POLLERR) != 0, "%s: poll says 0x%x, expected POLLERR", argv[0],
              (unsigned)revents);
    check_dead_sync(port, port_txsync, "NIOCTXSYNC");
    check_dead_sync(port, port_rxsync, "NIOCRXSYNC");
    check_dead_sync(other, port_rxsync, "NIOCRXSYNC");
    /* Frames that were there already may still be read; then poll has nothing but the error. */
    for (unsigned i = 0; i < 10 && ((revents = port_poll(other, POLLIN, 1000)) & POLLERR) == 0; i++)
        rx_ring(other, 0)->head = rx_ring(other, 0)->cur = rx_ring(other, 0)->tail;
    CHECK_MSG((revents & POLLERR) != 0, "%s: poll says 0x%x, expected POLLERR", argv[1],
              (unsigned)revents);
    /* The memory is still there, for a program that looks at its frames first. */
    tx_ring(port, 0)->slot[0].len = 1;
    CHECK_EQ(tx_ring(port, 0)->slot[0].len, 1);
    port_close(port);
    port_close(other);

    /* The next open starts another one. */
    port = port_open(argv[0]);
    other = port_open(argv[1]);
    if (port != NULL && other != NULL) {
        struct frame frame = frame_between(1, 2, 1, 60);

        frame_send(port, &frame);
        CHECK_ERR(port_rxsync(other), 0);
        frame_expect(other, 0, &frame);
    }
    return check_failures() == 0 ? 0 : 1;
}

static void outlive(const char *name, const char *other, const char *how)
{
    struct child_options options = {.directory = instance_directory("killed"),
                                    .args = {name, other, how}};

    child_check("outlives_netmapd", &options, 15000);
}

TEST(linux_daemon_killed_reader_of_a_switch, 30)
{
    outlive("vale1:a", "vale1:b", "read");
}

TEST(linux_daemon_killed_reader_of_a_pipe, 30)
{
    outlive("x{1", "x}1", "read");
}

TEST(linux_daemon_killed_writer_of_a_pipe, 30)
{
    outlive("x{1", "x}1", "write");
}

/* ---- idle ---- */

CHILD(opens_once)
{
    struct port *port = argc == 1 ? port_open(argv[0]) : NULL;

    if (port == NULL)
        return 1;
    port_close(port);
    return 0;
}

CHILD(holds_open)
{
    struct port *port = argc == 1 ? port_open(argv[0]) : NULL;

    if (port == NULL)
        return 1;
    child_say('R');
    for (;;)
        sleep_ms(1000);
}

TEST(linux_daemon_leaves_when_idle, 30)
{
    const char *directory = instance_directory("idle");
    struct child_options options = {
        .directory = directory, .environment = {"NETMAP_IDLE_MS=300"}, .args = {"vale1:a"}};
    int from_child = -1;
    pid_t pid;

    for (unsigned round = 0; round < 3; round++) {
        REQUIRE(child_check("opens_once", &options, 5000));
        CHECK_MSG(instance_count(directory, NULL) == 1, "netmapd leaves before it is idle");
        CHECK_MSG(instance_wait_count(directory, 0, 3000), "an idle netmapd does not leave");
    }
    /* An open descriptor holds it. */
    pid = child_start("holds_open", &options, &from_child);
    REQUIRE(pid > 0);
    CHECK_EQ(child_byte(from_child, 5000), 'R');
    close(from_child);
    sleep_ms(1000);
    CHECK_MSG(instance_count(directory, NULL) == 1, "netmapd leaves while a descriptor is open");
    child_kill(pid);
    CHECK_MSG(instance_wait_count(directory, 0, 3000), "netmapd stays after a client was killed");
}

/* An open that comes when netmapd is about to leave gets a good descriptor all the same. */
TEST(linux_daemon_open_at_the_last_moment, 60)
{
    const char *directory = instance_directory("last");
    struct child_options options = {
        .directory = directory, .environment = {"NETMAP_IDLE_MS=30"}, .args = {"vale1:a"}};

    for (unsigned i = 0; i < (quick() ? 15u : 40u); i++) {
        REQUIRE_MSG(child_check("opens_once", &options, 5000), "open number %u", i);
        sleep_us(20000 + i % 20 * 1000);
    }
    CHECK_MSG(instance_wait_count(directory, 0, 3000), "an idle netmapd does not leave");
}

/* ---- two first opens ---- */

/* Wait for the start signal (the end of stdin), open, say so, stay. */
CHILD(opens_on_signal)
{
    struct port *port;
    char byte;

    (void)argc;
    child_say('R');
    while (read(0, &byte, 1) > 0)
        ;
    port = port_open(argv[0]);
    child_say(port != NULL ? 'O' : 'F');
    if (port == NULL)
        return 1;
    for (;;)
        sleep_ms(1000);
}

TEST(linux_daemon_simultaneous_first_opens, 60)
{
    enum { OPENERS = 6 };
    static const char *const names[] = {"vale1:a", "vale1:b", "x{1", "x}1", "vale1:c", "vale2:a"};
    const char *directory = instance_directory("first");
    int saved_input = dup(0);

    for (unsigned round = 0; round < (quick() ? 2u : 5u); round++) {
        int outputs[OPENERS];
        int start[2];
        pid_t pids[OPENERS];
        uint64_t began;

        REQUIRE(pipe(start) == 0);
        dup2(start[0], 0);
        close(start[0]);
        fcntl(start[1], F_SETFD, FD_CLOEXEC);
        for (unsigned i = 0; i < OPENERS; i++) {
            struct child_options options = {
                .directory = directory, .environment = {"NETMAP_IDLE_MS=200"}, .args = {names[i]}};

            pids[i] = child_start("opens_on_signal", &options, &outputs[i]);
            REQUIRE(pids[i] > 0);
        }
        for (unsigned i = 0; i < OPENERS; i++)
            CHECK_EQ(child_byte(outputs[i], 5000), 'R');
        close(start[1]); /* all at once */
        began = now_ns();
        for (unsigned i = 0; i < OPENERS; i++)
            CHECK_EQ(child_byte(outputs[i], 10000), 'O');
        CHECK_MSG(now_ns() - began < 3000000000ull * time_scale(), "the opens took %llu ms",
                  (unsigned long long)((now_ns() - began) / 1000000u));
        CHECK_EQ(instance_count(directory, NULL), 1);
        for (unsigned i = 0; i < OPENERS; i++) {
            child_kill(pids[i]);
            close(outputs[i]);
        }
        CHECK_MSG(instance_wait_count(directory, 0, 5000), "round %u: netmapd does not leave",
                  round);
        dup2(saved_input, 0);
    }
    close(saved_input);
}

/* ---- netmapd accounts for what it gave ---- */

/* Many kinds of use, some of it ended by SIGKILL. */
CHILD(uses_everything)
{
    struct port *a = port_open_with("vale1:a", .nr_tx_rings = 2, .nr_extra_bufs = 10);
    struct port *b = port_open("vale1:b");
    struct port *master = port_open("vale1:a{1");
    struct port *slave = port_open("vale1:a}1");
    struct port *alone = port_open("x{1");
    struct frame frame = frame_between(1, 2, 1, 60);
    struct nmreq_port_info_get info = {0};
    int unbound = open(DEVICE, O_RDWR);

    (void)argv;
    if (a == NULL || b == NULL || master == NULL || slave == NULL || alone == NULL || unbound < 0)
        return 1;
    request_send(unbound, NETMAP_REQ_PORT_INFO_GET, "vale3:nobody", &info);
    register_outcome("vale1:", NULL);
    register_outcome("x{", NULL);
    frame_send(a, &frame);
    frame_send(master, &frame);
    frame_put(alone, 0, &frame);
    tx_ring(b, 0)->head = 0xffffffffu;
    port_txsync(b);
    child_say('R');
    if (argc == 1) /* to be killed like this */
        for (;;)
            sleep_ms(1000);
    return 0;
}

TEST(linux_daemon_releases_everything, 60)
{
    const char *netmapd = getenv("NETMAPD");
    const char *directory = instance_directory("count");
    struct child_options daemon = {
        .args = {"--foreground", "--directory", directory, "--idle", "500"}};
    struct child_options client = {.directory = directory};
    pid_t pid;
    int status;

    if (netmapd == NULL)
        SKIP("NETMAPD does not name the program");
    pid = child_start_program(netmapd, &daemon);
    REQUIRE(pid > 0);
    REQUIRE(instance_wait_count(directory, 1, 3000));
    sleep_ms(100);
    for (unsigned i = 0; i < 6; i++) {
        int from_child = -1;
        pid_t user;

        client.args[0] = i % 2 == 1 ? "stay" : NULL;
        user = child_start("uses_everything", &client, &from_child);
        REQUIRE(user > 0);
        CHECK_EQ(child_byte(from_child, 5000), 'R');
        close(from_child);
        if (i % 2 == 1)
            child_kill(user);
        else
            CHECK_EQ(child_wait(user, 5000), 0);
    }
    status = child_wait(pid, 5000);
    CHECK_MSG(status == 0, "netmapd ended with status %d; 3 says that something was not released",
              status);
}
