/* Option lists: sizes, loops, duplicates, unknown ones, and the statuses written back. */
#include "tests/conformance/ports.h"

#define UNTOUCHED 0x5a5a5a5au /* a status the host has not written */

static uint64_t address_of(const void *memory)
{
    return (uint64_t)(uintptr_t)memory;
}

static void option_set(struct nmreq_option *option, uint32_t type, const void *next)
{
    option->nro_next = address_of(next);
    option->nro_reqtype = type;
    option->nro_status = UNTOUCHED;
    option->nro_size = 0;
}

/* REGISTER of vale1:a with these options, on a descriptor that must stay usable when it fails. */
static int register_with(const struct nmreq_option *first)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC};
    struct nmreq_header header;
    int fd = open(DEVICE, O_RDWR);
    int error;

    if (!CHECK(fd >= 0))
        return errno;
    header_set(&header, NETMAP_REQ_REGISTER, "vale1:a", &reg);
    header.nr_options = address_of(first);
    error = header_send(fd, &header);
    CHECK_MSG(header.nr_options == address_of(first), "nr_options was changed");
    CHECK_MSG(header.nr_body == address_of(&reg), "nr_body was changed");
    if (error != 0) {
        header.nr_options = 0;
        CHECK_ERR(header_send(fd, &header), 0);
    }
    close(fd);
    return error;
}

TEST(options_unknown, 10)
{
    static const uint32_t types[] = {NETMAP_REQ_OPT_MAX, 7, 1000, 0x80000000u, 0xffffffffu};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct nmreq_option option;
        int error;

        option_set(&option, types[i], NULL);
        error = register_with(&option);
        CHECK_MSG(error == EOPNOTSUPP, "option %u: %s, expected EOPNOTSUPP", types[i],
                  errno_name(error));
        CHECK_ERR((int)option.nro_status, EOPNOTSUPP);
        CHECK_EQ(option.nro_reqtype, types[i]);
        CHECK_EQ(option.nro_next, 0);
    }
}

TEST(options_several_unknown, 10)
{
    struct nmreq_option options[3];

    option_set(&options[2], 1002, NULL);
    option_set(&options[1], 1001, &options[2]);
    option_set(&options[0], 1000, &options[1]);
    CHECK_ERR(register_with(&options[0]), EOPNOTSUPP);
    for (int i = 0; i < 3; i++)
        CHECK_ERR((int)options[i].nro_status, EOPNOTSUPP);
    CHECK_EQ(options[0].nro_next, address_of(&options[1]));
    CHECK_EQ(options[1].nro_next, address_of(&options[2]));
}

TEST(options_not_for_this_request, 10)
{
    struct nmreq_port_info_get info = {0};
    struct nmreq_opt_sync_kloop_mode mode = {.mode = 0};
    struct nmreq_header header;
    int fd = open(DEVICE, O_RDWR);

    REQUIRE(fd >= 0);
    option_set(&mode.nro_opt, NETMAP_REQ_OPT_SYNC_KLOOP_MODE, NULL);
    header_set(&header, NETMAP_REQ_PORT_INFO_GET, "vale1:a", &info);
    header.nr_options = address_of(&mode);
    CHECK_ERR(header_send(fd, &header), EOPNOTSUPP);
    CHECK_ERR((int)mode.nro_opt.nro_status, EOPNOTSUPP);
    close(fd);
}

TEST(options_duplicate, 10)
{
    struct nmreq_opt_offsets offsets[2];
    struct nmreq_option between;

    memset(offsets, 0, sizeof(offsets));
    option_set(&offsets[1].nro_opt, NETMAP_REQ_OPT_OFFSETS, NULL);
    option_set(&offsets[0].nro_opt, NETMAP_REQ_OPT_OFFSETS, &offsets[1]);
    CHECK_ERR(register_with(&offsets[0].nro_opt), EINVAL);
    CHECK_ERR((int)offsets[0].nro_opt.nro_status, EINVAL);
    CHECK_ERR((int)offsets[1].nro_opt.nro_status, EINVAL);

    /* Also when they are not neighbours. */
    option_set(&offsets[1].nro_opt, NETMAP_REQ_OPT_OFFSETS, NULL);
    option_set(&between, 1000, &offsets[1]);
    option_set(&offsets[0].nro_opt, NETMAP_REQ_OPT_OFFSETS, &between);
    CHECK_ERR(register_with(&offsets[0].nro_opt), EINVAL);
    CHECK_ERR((int)offsets[0].nro_opt.nro_status, EINVAL);
    CHECK_ERR((int)offsets[1].nro_opt.nro_status, EINVAL);
}

TEST(options_type_zero, 10)
{
    struct nmreq_option option;

    option_set(&option, 0, NULL);
    CHECK_ERR(register_with(&option), EINVAL);
}

TEST(options_loop, 10)
{
    struct nmreq_option options[3];

    option_set(&options[0], 1000, &options[0]);
    CHECK_ERR(register_with(&options[0]), EMSGSIZE);

    option_set(&options[0], 1000, &options[1]);
    option_set(&options[1], 1001, &options[2]);
    option_set(&options[2], 1002, &options[1]);
    CHECK_ERR(register_with(&options[0]), EMSGSIZE);
}

TEST(options_too_large, 10)
{
    /* As many 24-byte options as fit besides the body of REGISTER, and one more. */
    enum {
        FIT = (NETMAP_REQ_MAXSIZE - sizeof(struct nmreq_register)) / sizeof(struct nmreq_option)
    };
    static struct nmreq_option options[FIT + 1];
    static uint64_t eventfds[1024];
    struct nmreq_option *large = (struct nmreq_option *)(void *)eventfds;

    for (unsigned i = 0; i <= FIT; i++)
        option_set(&options[i], 1000 + i, i < FIT ? &options[i + 1] : NULL);
    CHECK_ERR(register_with(&options[0]), EMSGSIZE);
    options[FIT - 1].nro_next = 0;
    CHECK_ERR(register_with(&options[0]), EOPNOTSUPP);
    CHECK_ERR((int)options[0].nro_status, EOPNOTSUPP);
    CHECK_ERR((int)options[FIT - 1].nro_status, EOPNOTSUPP);

    /* One option of variable length. */
    option_set(large, NETMAP_REQ_OPT_SYNC_KLOOP_EVENTFDS, NULL);
    large->nro_size = 5000;
    CHECK_ERR(register_with(large), EMSGSIZE);
    large->nro_size = UINT64_MAX;
    CHECK_ERR(register_with(large), EMSGSIZE);
    large->nro_size = UINT64_MAX - 23;
    CHECK_ERR(register_with(large), EMSGSIZE);
}

TEST(options_unknown_beside_bad_port, 10)
{
    struct nmreq_register reg = {.nr_mode = NR_REG_ALL_NIC};
    struct nmreq_option option;
    struct nmreq_header header;
    int fd = open(DEVICE, O_RDWR);
    int error;

    REQUIRE(fd >= 0);
    option_set(&option, 1000, NULL);
    header_set(&header, NETMAP_REQ_REGISTER, "vale1:", &reg);
    header.nr_options = address_of(&option);
    error = header_send(fd, &header);
    CHECK_MSG(error == EINVAL || error == EOPNOTSUPP, "both wrong: %s", errno_name(error));
    /* Statuses come back whatever made the request fail. */
    CHECK_ERR((int)option.nro_status, EOPNOTSUPP);
    close(fd);
}
