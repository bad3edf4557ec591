#include "harness.h"

#define READY_EVENT "netmap-test-ready-%lu"

bool child_start(struct child *child, const char *role)
{
    static unsigned long serial;
    char path[MAX_PATH], command[2 * MAX_PATH], event[64];
    STARTUPINFOA startup = {.cb = sizeof(startup)};

    snprintf(event, sizeof(event), READY_EVENT, (unsigned long)GetCurrentProcessId() + ++serial);
    child->ready = CreateEventA(NULL, TRUE, FALSE, event);
    SetEnvironmentVariableA("NETMAP_TEST_READY", event);
    GetModuleFileNameA(NULL, path, sizeof(path));
    snprintf(command, sizeof(command), "\"%s\" --child %s", path, role);
    return CreateProcessA(path, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup,
                          &child->process) != 0;
}

bool child_wait_ready(struct child *child)
{
    HANDLE either[2] = {child->ready, child->process.hProcess};

    return WaitForMultipleObjects(2, either, FALSE, 20000) == WAIT_OBJECT_0;
}

DWORD child_end(struct child *child, DWORD patience_ms)
{
    DWORD status = WAIT_TIMEOUT;

    if (WaitForSingleObject(child->process.hProcess, patience_ms) == WAIT_OBJECT_0)
        GetExitCodeProcess(child->process.hProcess, &status);
    CloseHandle(child->process.hThread);
    CloseHandle(child->process.hProcess);
    CloseHandle(child->ready);
    return status;
}

void child_ready(void)
{
    char event[64];
    HANDLE ready;

    if (GetEnvironmentVariableA("NETMAP_TEST_READY", event, sizeof(event)) == 0)
        return;
    ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, event);
    SetEvent(ready);
    CloseHandle(ready);
}

int loader_run(const char *arguments, char *output, size_t size)
{
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
    STARTUPINFOA startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    char path[MAX_PATH], command[3 * MAX_PATH];
    PROCESS_INFORMATION process;
    HANDLE reader, writer;
    DWORD status = 99, got;
    size_t used = 0;
    char *end;

    /* build/windows/tests/driver-test.exe -> build/windows/bin/nm-loader.exe */
    GetModuleFileNameA(NULL, path, sizeof(path));
    for (int up = 0; up < 2; up++) {
        end = strrchr(path, '\\');
        if (end != NULL)
            *end = 0;
    }
    snprintf(command, sizeof(command), "\"%s\\bin\\nm-loader.exe\" %s", path, arguments);
    if (!CreatePipe(&reader, &writer, &inherit, 65536))
        return -1;
    SetHandleInformation(reader, HANDLE_FLAG_INHERIT, 0);
    startup.hStdOutput = startup.hStdError = writer;
    if (!CreateProcessA(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) {
        CloseHandle(reader);
        CloseHandle(writer);
        return -1;
    }
    CloseHandle(writer);
    while (used + 1 < size &&
           ReadFile(reader, output + used, (DWORD)(size - 1 - used), &got, NULL) && got > 0)
        used += got;
    output[used] = 0;
    CloseHandle(reader);
    WaitForSingleObject(process.hProcess, 20000);
    GetExitCodeProcess(process.hProcess, &status);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return (int)status;
}
