/* Who may open what: another user beside root's instance, and users with instances of their own. */
#include "tests/conformance/linux_children.h"
#include "tests/conformance/ports.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SYSTEM_DIRECTORY "/run/netmap"

static uid_t nobody(void)
{
    const struct passwd *entry = getpwnam("nobody");

    return entry != NULL ? entry->pw_uid : 65534;
}

/* ---- beside root's instance ---- */

CHILD(is_refused)
{
    int fd = open(DEVICE, O_RDWR);

    (void)argc;
    (void)argv;
    CHECK_MSG(geteuid() != 0, "still root");
    CHECK_MSG(fd < 0, "open works");
    CHECK_ERR(fd < 0 ? errno : 0, EACCES);
    CHECK_MSG(strstr(last_message(), "group 'netmap'") != NULL,
              "the message does not name the group: \"%s\"", last_message());
    return check_failures() == 0 ? 0 : 1;
}

TEST(linux_permissions_refused, 20)
{
    struct child_options options = {.user = nobody()};
    struct port *port;

    if (geteuid() != 0)
        SKIP("only root can be another user");
    if (instance_own_directory() == NULL)
        SKIP("NETMAP_DIR is not set");
    port = port_open("vale1:a"); /* root's instance runs */
    REQUIRE(port != NULL);
    child_check("is_refused", &options, 10000);
}

/* ---- an instance of one's own ---- */

/* Count how often a word is on the stderr of this process since it went into the file. */
static unsigned count_said(FILE *file, const char *word)
{
    char text[4096];
    size_t size;
    unsigned count = 0;

    rewind(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

CHILD(own_instance)
{
    FILE *said = tmpfile();
    struct port *a, *b;
    struct frame frame = frame_between(1, 2, 1, 60);
    unsigned expected = (unsigned)atoi(argv[0]); /* times it is said on stderr */
    int error;

    (void)argc;
    if (said == NULL || dup2(fileno(said), 2) < 0)
        return 1;
    a = port_open("vale1:a");
    b = port_open("vale1:b");
    if (a == NULL || b == NULL)
        return 1;
    frame_send(a, &frame);
    CHECK_ERR(port_rxsync(b), 0);
    frame_expect(b, 0, &frame);
    error = register_outcome("nosuchnic0", NULL);
    if (geteuid() != 0)
        CHECK_MSG(error == EPERM || error == ENXIO, "a NIC in a user's own instance: %s",
                  errno_name(error));
    CHECK_MSG(last_message()[0] != '\0', "a NIC is refused without a message");
    CHECK_MSG(count_said(said, "instance") == expected,
              "said %u times on stderr that this is an instance of one's own, expected %u",
              count_said(said, "instance"), expected);
    return check_failures() == 0 ? 0 : 1;
}

/* A place that the other user owns, and a netmapd that the other user may run. */
struct place {
    char directory[64];
    char runtime[160]; /* XDG_RUNTIME_DIR=... */
    char netmapd[160]; /* NETMAPD=... */
};

static bool copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    char block[65536];
    size_t size;
    bool good = in != NULL && out != NULL;

    while (good && (size = fread(block, 1, sizeof(block), in)) > 0)
        good = fwrite(block, 1, size, out) == size;
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        good = fclose(out) == 0 && good;
    return good && chmod(to, 0755) == 0;
}

static bool make_place(struct place *place, uid_t user)
{
    char path[128];

    snprintf(place->directory, sizeof(place->directory), "/tmp/nm-conformance-XXXXXX");
    if (!CHECK(mkdtemp(place->directory) != NULL) || !CHECK(chmod(place->directory, 0755) == 0))
        return false;
    snprintf(path, sizeof(path), "%s/run", place->directory);
    if (!CHECK(mkdir(path, 0700) == 0) || !CHECK(user == 0 || chown(path, user, (gid_t)user) == 0))
        return false;
    snprintf(place->runtime, sizeof(place->runtime), "XDG_RUNTIME_DIR=%s", path);
    snprintf(path, sizeof(path), "%s/netmapd", place->directory);
    snprintf(place->netmapd, sizeof(place->netmapd), "NETMAPD=%s", path);
    return CHECK(copy_file(getenv("NETMAPD"), path));
}

static void remove_place(const struct place *place)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/run/netmap", place->directory);
    CHECK_MSG(instance_wait_count(path, 0, 5000), "the user's netmapd does not leave");
    snprintf(path, sizeof(path), "rm -rf '%s'", place->directory);
    CHECK_EQ(system(path), 0);
}

static void check_own_instance(uid_t user, const char *instance, const char *said)
{
    struct place place;
    struct child_options options = {.directory = "", .user = user, .args = {said}};

    if (getenv("NETMAPD") == NULL)
        SKIP("NETMAPD does not name the program");
    REQUIRE(make_place(&place, user));
    options.environment[0] = place.runtime;
    options.environment[1] = place.netmapd;
    options.environment[2] = "NETMAP_IDLE_MS=300";
    options.environment[3] = instance;
    child_check("own_instance", &options, 10000);
    remove_place(&place);
}

TEST(linux_permissions_own_instance, 30)
{
    if (geteuid() != 0)
        SKIP("only root can be another user");
    if (instance_count(SYSTEM_DIRECTORY, NULL) != 0)
        SKIP("a system instance runs");
    check_own_instance(nobody(), NULL, "1");
}

TEST(linux_permissions_own_instance_on_request, 30)
{
    if (geteuid() != 0)
        SKIP("only root can be another user");
    check_own_instance(nobody(), "NETMAP_INSTANCE=user", "0");
}

TEST(linux_permissions_own_instance_of_root, 30)
{
    check_own_instance(geteuid() == 0 ? 0 : geteuid(), "NETMAP_INSTANCE=user", "0");
}

/* A directory that belongs to somebody else is a trap, not an instance. */
CHILD(is_trapped)
{
    int fd = open(DEVICE, O_RDWR);

    (void)argc;
    (void)argv;
    CHECK_MSG(fd < 0, "open works through another user's directory");
    CHECK_MSG(last_message()[0] != '\0', "refused without a message");
    return check_failures() == 0 ? 0 : 1;
}

TEST(linux_permissions_trap, 30)
{
    struct place place;
    char trap[160];
    struct child_options options = {.directory = "", .user = nobody()};

    if (geteuid() != 0)
        SKIP("only root can be another user");
    if (getenv("NETMAPD") == NULL)
        SKIP("NETMAPD does not name the program");
    REQUIRE(make_place(&place, nobody()));
    snprintf(trap, sizeof(trap), "%s/run/netmap", place.directory);
    CHECK(mkdir(trap, 0777) == 0 && chmod(trap, 0777) == 0); /* root's, and open to all */
    options.environment[0] = place.runtime;
    options.environment[1] = place.netmapd;
    options.environment[2] = "NETMAP_IDLE_MS=300";
    options.environment[3] = "NETMAP_INSTANCE=user";
    child_check("is_trapped", &options, 10000);
    remove_place(&place);
}
