/* What a process has used of the CPUs, from /proc: exact to the nanosecond, unlike getrusage. */
#include "bench/flow.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool add_run_time(const char *task, struct cpu_use *use)
{
    char path[320];
    uint64_t run_ns;
    FILE *file;
    bool good;

    snprintf(path, sizeof(path), "%s/schedstat", task);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    good = fscanf(file, "%" SCNu64, &run_ns) == 1;
    fclose(file);
    if (good)
        use->run_ns += run_ns;
    return good;
}

static void add_sleeps(const char *task, struct cpu_use *use)
{
    static const char key[] = "voluntary_ctxt_switches:";
    char path[320], line[256];
    uint64_t sleeps;
    FILE *file;

    snprintf(path, sizeof(path), "%s/status", task);
    file = fopen(path, "r");
    if (file == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, key, sizeof(key) - 1) == 0 &&
            sscanf(line + sizeof(key) - 1, "%" SCNu64, &sleeps) == 1)
            use->sleeps += sleeps;
    fclose(file);
}

bool cpu_use_of(pid_t process, struct cpu_use *use)
{
    char directory[32], task[300];
    struct dirent *entry;
    bool found = false;
    DIR *tasks;

    memset(use, 0, sizeof(*use));
    snprintf(directory, sizeof(directory), "/proc/%d/task", (int)process);
    tasks = process > 0 ? opendir(directory) : NULL;
    if (tasks == NULL)
        return false;
    while ((entry = readdir(tasks)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(task, sizeof(task), "%s/%s", directory, entry->d_name);
        if (add_run_time(task, use)) {
            add_sleeps(task, use);
            found = true;
        }
    }
    closedir(tasks);
    return found;
}
