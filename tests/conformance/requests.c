/* Rules that every request obeys: version, type, name, body, and descriptors bound to nothing. */
#include "tests/conformance/ports.h"

TEST(requests_version, 10)
{
    static const struct {
        uint16_t version;
        int expected;
    } cases[] = {{0, EINVAL}, {11, EINVAL}, {13, EINVAL},   {14, 0},
                 {15, 0},     {16, EINVAL}, {65535, EINVAL}};
    int fd = open(DEVICE, O_RDWR);

    REQUIRE_MSG(fd >= 0, "open(%s): %s (%s)", DEVICE, errno_name(errno), last_message());
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nmreq_port_info_get info = {0};
        struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC};
        struct nmreq_header header;
        int fresh = open(DEVICE, O_RDWR);
        int error;

        header_set(&header, NETMAP_REQ_PORT_INFO_GET, "vale1:a", &info);
        header.nr_version = cases[i].version;
        error = header_send(fd, &header);
        CHECK_MSG(error == cases[i].expected, "PORT_INFO_GET, version %u: %s, expected %s",
                  cases[i].version, errno_name(error), errno_name(cases[i].expected));

        header_set(&header, NETMAP_REQ_REGISTER, "vale1:a", &reg);
        header.nr_version = cases[i].version;
        error = header_send(fresh, &header);
        CHECK_MSG(error == cases[i].expected, "REGISTER, version %u: %s, expected %s",
                  cases[i].version, errno_name(error), errno_name(cases[i].expected));
        if (error != 0)
            CHECK_MSG(last_message()[0] != '\0', "no message about version %u", cases[i].version);
        close(fresh);
    }
    close(fd);
}

TEST(requests_unknown_type, 10)
{
    static const uint16_t types[] = {0, 16, 17, 100, 0x7fff, 0xffff};
    int fd = open(DEVICE, O_RDWR);
    uint64_t body[64] = {0};

    REQUIRE(fd >= 0);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        int error = request_send(fd, types[i], "vale1:a", NULL);

        CHECK_MSG(error == EINVAL, "type %u without a body: %s, expected EINVAL", types[i],
                  errno_name(error));
        error = request_send(fd, types[i], "vale1:a", body);
        CHECK_MSG(error == EINVAL, "type %u with a body: %s, expected EINVAL", types[i],
                  errno_name(error));
    }
    close(fd);
}

TEST(requests_body_missing_or_unwanted, 10)
{
    static const uint16_t with_body[] = {
        NETMAP_REQ_REGISTER,         NETMAP_REQ_PORT_INFO_GET,
        NETMAP_REQ_VALE_ATTACH,      NETMAP_REQ_VALE_DETACH,
        NETMAP_REQ_VALE_LIST,        NETMAP_REQ_PORT_HDR_SET,
        NETMAP_REQ_PORT_HDR_GET,     NETMAP_REQ_VALE_NEWIF,
        NETMAP_REQ_POOLS_INFO_GET,   NETMAP_REQ_VALE_POLLING_ENABLE,
        NETMAP_REQ_SYNC_KLOOP_START,
    };
    static const uint16_t without_body[] = {NETMAP_REQ_VALE_DELIF, NETMAP_REQ_SYNC_KLOOP_STOP,
                                            NETMAP_REQ_CSB_ENABLE};
    int fd = open(DEVICE, O_RDWR);
    uint64_t body[64] = {0};

    REQUIRE(fd >= 0);
    for (size_t i = 0; i < sizeof(with_body) / sizeof(with_body[0]); i++) {
        int error = request_send(fd, with_body[i], "vale1:a", NULL);

        CHECK_MSG(error == EINVAL, "type %u without its body: %s, expected EINVAL", with_body[i],
                  errno_name(error));
    }
    for (size_t i = 0; i < sizeof(without_body) / sizeof(without_body[0]); i++) {
        int error = request_send(fd, without_body[i], "vale1:a", body);

        CHECK_MSG(error == EINVAL, "type %u with a body it has not: %s, expected EINVAL",
                  without_body[i], errno_name(error));
    }
    close(fd);
}

TEST(requests_reserved_word, 10)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC};
    struct nmreq_header header;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    header_set(&header, NETMAP_REQ_REGISTER, "vale1:a", &reg);
    header.nr_reserved = 1;
    CHECK_ERR(header_send(fd, &header), EINVAL);
    header.nr_reserved = 0;
    CHECK_ERR(header_send(fd, &header), 0);
    close(fd);
}

TEST(requests_name_without_end, 10)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC};
    struct nmreq_port_info_get info = {0};
    struct nmreq_header header;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    header_set(&header, NETMAP_REQ_REGISTER, "vale1:", &reg);
    memset(header.nr_name + 6, 'a', sizeof(header.nr_name) - 6);
    CHECK_ERR(header_send(fd, &header), EINVAL);
    header_set(&header, NETMAP_REQ_PORT_INFO_GET, "", &info);
    memset(header.nr_name, 'a', sizeof(header.nr_name));
    CHECK_ERR(header_send(fd, &header), EINVAL);
    close(fd);
}

TEST(requests_header_is_left_alone, 10)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC};
    struct nmreq_header header, before;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    header_set(&header, NETMAP_REQ_REGISTER, "vale1:a", &reg);
    before = header;
    CHECK_ERR(header_send(fd, &header), 0);
    CHECK_MSG(memcmp(&header, &before, sizeof(header)) == 0, "REGISTER changed the header");
    close(fd);
}

TEST(requests_descriptor_not_bound, 10)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC};
    struct pollfd entry = {.events = POLLIN | POLLOUT};
    void *memory;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    errno = 0;
    CHECK_EQ(ioctl(fd, NIOCTXSYNC, NULL), -1);
    CHECK_ERR(errno, ENXIO);
    errno = 0;
    CHECK_EQ(ioctl(fd, NIOCRXSYNC, NULL), -1);
    CHECK_ERR(errno, ENXIO);
    memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK_MSG(memory == MAP_FAILED, "mmap of a descriptor without a port works");
    entry.fd = fd;
    CHECK_EQ(poll(&entry, 1, 0), 1);
    CHECK_MSG((entry.revents & POLLERR) != 0, "poll says 0x%x, expected POLLERR",
              (unsigned)entry.revents);
    /* None of that harms the descriptor. */
    CHECK_ERR(request_send(fd, NETMAP_REQ_REGISTER, "vale1:a", &reg), 0);
    CHECK_EQ(ioctl(fd, NIOCTXSYNC, NULL), 0);
    close(fd);
}

TEST(requests_unknown_ioctl, 10)
{
    int fd = open(DEVICE, O_RDWR);
    uint64_t argument[64] = {0};

    REQUIRE(fd >= 0);
    errno = 0;
    CHECK_EQ(ioctl(fd, 0x69ff, argument), -1);
    CHECK_MSG(errno == EINVAL || errno == ENOTTY, "an unknown ioctl: %s, expected ENOTTY or EINVAL",
              errno_name(errno));
    close(fd);
}

TEST(requests_many_descriptors, 20)
{
    int fds[100];
    unsigned opened = 0;

    while (opened < 100) {
        fds[opened] = open(DEVICE, O_RDWR);
        if (!CHECK_MSG(fds[opened] >= 0, "descriptor %u: %s (%s)", opened, errno_name(errno),
                       last_message()))
            break;
        opened++;
    }
    for (unsigned i = 0; i < opened; i++)
        CHECK_EQ(close(fds[i]), 0);
}
