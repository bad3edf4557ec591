/* netmapd: options and the life of the process. */
#include "hosts/linux/netmapd/netmapd.h"
#include "hosts/linux/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "netmapd: the user-space host of netmap: VALE switches and pipes without a kernel module\n"
    "\n"
    "Programs start it when they first open /dev/netmap, and it leaves when nothing needs it.\n"
    "\n"
    "  --foreground        stay in the foreground and log to stderr\n"
    "  --directory DIR     where the socket, the lock and the log live\n"
    "                      (default: " NM_SYSTEM_DIRECTORY " for root, a directory of one's own\n"
    "                      under $XDG_RUNTIME_DIR or /tmp for others)\n"
    "  --idle MS           leave after that many milliseconds without an open descriptor;\n"
    "                      0: stay (default: 3000, in the foreground 0)\n"
    "  --verbose           log more\n"
    "  --help, --version\n"
    "\n"
    "exit status: 0 ended as asked, 1 could not start, 2 usage, 3 something was not released\n";

static void on_signal(int signal)
{
    (void)signal;
    netmapd_stop();
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

static void default_directory(struct netmapd_options *options)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0)
        snprintf(options->directory, sizeof(options->directory), "%s", NM_SYSTEM_DIRECTORY);
    else if (runtime != NULL && runtime[0] == '/' && strlen(runtime) < 64)
        snprintf(options->directory, sizeof(options->directory), "%s/netmap", runtime);
    else
        snprintf(options->directory, sizeof(options->directory), "/tmp/netmap-%u", geteuid());
}

static void detach_stdio(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
}

static int parse(int argc, char **argv, struct netmapd_options *options)
{
    static const struct option names[] = {
        {"foreground", no_argument, NULL, 'f'}, {"directory", required_argument, NULL, 'd'},
        {"idle", required_argument, NULL, 'i'}, {"verbose", no_argument, NULL, 'v'},
        {"ready-fd", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0},
    };
    bool idle_given = false;
    int letter;

    while ((letter = getopt_long(argc, argv, "hv", names, NULL)) != -1) {
        switch (letter) {
        case 'f':
            options->foreground = true;
            break;
        case 'd':
            if (strlen(optarg) >= sizeof(options->directory)) {
                fprintf(stderr, "netmapd: --directory %s is longer than %zu characters\n", optarg,
                        sizeof(options->directory) - 1);
                return 2;
            }
            snprintf(options->directory, sizeof(options->directory), "%s", optarg);
            break;
        case 'i':
            options->idle_ms = (unsigned)strtoul(optarg, NULL, 10);
            idle_given = true;
            break;
        case 'v':
            options->verbose++;
            break;
        case 'r':
            options->ready_fd = atoi(optarg);
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        case 'V':
            puts("netmapd " NM_VERSION);
            exit(0);
        default:
            fputs("netmapd: try --help\n", stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "netmapd: unexpected argument '%s'; try --help\n", argv[optind]);
        return 2;
    }
    if (options->foreground && !idle_given)
        options->idle_ms = 0;
    return 0;
}

int main(int argc, char **argv)
{
    struct netmapd_options options = {.idle_ms = 3000, .ready_fd = -1};
    int status = parse(argc, argv, &options);

    if (status != 0)
        return status;
    if (options.directory[0] == '\0')
        default_directory(&options);
    options.system = strcmp(options.directory, NM_SYSTEM_DIRECTORY) == 0;
    catch_signals();
    if (!options.foreground) {
        detach_stdio();
        if (chdir("/") != 0)
            return 1;
    } else {
        os_log_open(NULL, options.verbose);
    }
    return netmapd_run(&options);
}
