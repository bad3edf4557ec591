/* Clients and netmapd as processes; see kill.h. */
#include "tests/kill/kill.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct board *board;
bool test_failed;

static char run_directory[200];
static pid_t netmapd_pid;

uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void sleep_us(uint64_t microseconds)
{
    struct timespec delay = {(time_t)(microseconds / 1000000),
                             (long)(microseconds % 1000000) * 1000};

    while (nanosleep(&delay, &delay) != 0 && errno == EINTR)
        ;
}

uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

uint32_t env_number(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0' ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

bool quick(void)
{
    return env_number("NM_QUICK", 0) != 0;
}

void check(bool good, const char *format, ...)
{
    va_list arguments;

    if (good)
        return;
    if (!test_failed) {
        va_start(arguments, format);
        printf("# ");
        vprintf(format, arguments);
        printf("\n");
        va_end(arguments);
    }
    test_failed = true;
}

/* ---- the board ---- */

void board_map(const char *directory, bool create)
{
    char path[256];
    int fd;

    snprintf(run_directory, sizeof(run_directory), "%s", directory);
    snprintf(path, sizeof(path), "%s/board", directory);
    fd = open(path, O_RDWR | (create ? O_CREAT | O_TRUNC : 0) | O_CLOEXEC, 0600);
    if (fd < 0 || (create && ftruncate(fd, 4096) != 0)) {
        perror(path);
        exit(1);
    }
    board = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    close(fd);
}

/* ---- clients ---- */

void client_is_ready(void)
{
    __atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
}

pid_t client_start(const char *role, const char *a, const char *b, const char *c, const char *d)
{
    const char *const arguments[] = {"kill", role, run_directory, a, b, c, d, NULL};
    uint32_t ready = __atomic_load_n(&board->ready, __ATOMIC_SEQ_CST);
    uint64_t end = now_us() + 10000000;
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execv("/proc/self/exe", (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    while (__atomic_load_n(&board->ready, __ATOMIC_SEQ_CST) == ready) {
        int status;

        if (pid < 0 || now_us() > end || waitpid(pid, &status, WNOHANG) == pid) {
            check(false, "the %s on %s does not start", role, a);
            return -1;
        }
        sleep_us(200);
    }
    return pid;
}

void client_kill(pid_t pid)
{
    if (pid > 0) {
        kill(pid, SIGKILL);
        client_wait(pid);
    }
}

struct blow {
    pid_t pid;
    uint64_t after_us;
};

static void *strike(void *argument)
{
    struct blow blow = *(struct blow *)argument;

    free(argument);
    sleep_us(blow.after_us);
    kill(blow.pid, SIGKILL);
    return NULL;
}

void client_kill_later(pid_t pid, uint64_t microseconds)
{
    struct blow *blow = malloc(sizeof(*blow));
    pthread_t thread;

    if (pid <= 0 || blow == NULL)
        return;
    blow->pid = pid;
    blow->after_us = microseconds;
    if (pthread_create(&thread, NULL, strike, blow) == 0)
        pthread_detach(thread);
}

bool client_is_dead(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};

    if (pid <= 0)
        return true;
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

int client_wait(pid_t pid)
{
    int status = -1;

    if (pid <= 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- netmapd ---- */

void netmapd_begin(const char *directory)
{
    const char *program = getenv("NETMAPD");
    char log_path[256], byte;
    int ready[2];

    snprintf(log_path, sizeof(log_path), "%s/foreground.log", directory);
    if (program == NULL || pipe(ready) != 0) {
        fprintf(stderr, "kill: name netmapd in the environment variable NETMAPD\n");
        exit(1);
    }
    fflush(stdout);
    netmapd_pid = fork();
    if (netmapd_pid == 0) {
        char number[16];
        int log = open(log_path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        snprintf(number, sizeof(number), "%d", ready[1]);
        dup2(log, STDERR_FILENO);
        execl(program, "netmapd", "--foreground", "--directory", directory, "--ready-fd", number,
              (char *)NULL);
        _exit(127);
    }
    close(ready[1]);
    while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
        ;
    close(ready[0]);
    if (!netmapd_alive()) {
        fprintf(stderr, "kill: netmapd does not start; see %s\n", log_path);
        exit(1);
    }
}

bool netmapd_alive(void)
{
    int status;

    if (netmapd_pid > 0 && waitpid(netmapd_pid, &status, WNOHANG) == netmapd_pid) {
        check(false, "netmapd ended with status 0x%x", (unsigned)status);
        netmapd_pid = -1;
    }
    return netmapd_pid > 0;
}

/* Errors in the log: what it prints when something is left over. Its whole text is shown then. */
static bool log_is_clean(void)
{
    char path[256], line[600];
    bool clean = true;
    FILE *log;

    snprintf(path, sizeof(path), "%s/foreground.log", run_directory);
    log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof(line), log) != NULL) {
        if (strstr(line, " error: ") != NULL)
            clean = false;
        if (!clean)
            printf("# %s", line);
    }
    if (log != NULL)
        fclose(log);
    return clean;
}

bool netmapd_end(void)
{
    int status;

    if (!netmapd_alive())
        return false;
    kill(netmapd_pid, SIGTERM);
    status = client_wait(netmapd_pid);
    netmapd_pid = -1;
    check(status == 0, "netmapd ended with status %d; 3 means that something was not released",
          status);
    return log_is_clean() && status == 0;
}
