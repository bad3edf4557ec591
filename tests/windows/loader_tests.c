/* nm-loader and the life of the driver. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <netmap_posix.h>

#define PARAMETERS "SYSTEM\\CurrentControlSet\\Services\\netmap\\Parameters"

static char output[4096];

static bool said(const char *text)
{
    if (strstr(output, text) != NULL)
        return true;
    printf("# nm-loader said: %s\n", output);
    return false;
}

/* A file of build/windows/tests. */
static const char *file_here(const char *name)
{
    static char path[MAX_PATH + 64];
    char *end;

    GetModuleFileNameA(NULL, path, MAX_PATH);
    end = strrchr(path, '\\');
    snprintf(end != NULL ? end + 1 : path, 64, "%s", name);
    return path;
}

static void usage(void)
{
    CHECK_EQUAL(loader_run("--help", output, sizeof(output)), 0);
    CHECK(said("nm-loader l"));
    CHECK_EQUAL(loader_run("", output, sizeof(output)), 2);
    CHECK_EQUAL(loader_run("x", output, sizeof(output)), 2);
    CHECK_EQUAL(loader_run("l a b", output, sizeof(output)), 2);
}

static void not_loaded(void)
{
    CHECK(device_open() == INVALID_HANDLE_VALUE);
    errno = 0;
    CHECK_EQUAL(open("/dev/netmap", O_RDWR), -1);
    CHECK_EQUAL(errno, ENXIO);
    CHECK(strstr(netmap_last_message(), "nm-loader l") != NULL);
    CHECK_EQUAL(loader_run("u", output, sizeof(output)), 0);
    CHECK(said("not loaded"));
}

static void missing_file(void)
{
    CHECK_EQUAL(loader_run("l C:\\no\\such\\netmap.sys", output, sizeof(output)), 1);
    CHECK(said("C:\\no\\such\\netmap.sys"));
    CHECK(strstr(output, "error 2:") != NULL || said("error 3:"));
    CHECK(said("nm-loader l C:\\path\\netmap.sys"));
    CHECK(strstr(output, "is loaded") == NULL);
}

/* A file that is no driver, and a driver whose DriverEntry fails. */
static void cannot_load(void)
{
    static const char *const files[] = {"nodriver.sys", "broken.sys"};
    char arguments[MAX_PATH + 80];

    for (unsigned i = 0; i < 2; i++) {
        snprintf(arguments, sizeof(arguments), "l \"%s\"", file_here(files[i]));
        CHECK_EQUAL(loader_run(arguments, output, sizeof(output)), 1);
        CHECK(strstr(output, "is loaded") == NULL);
        CHECK(strstr(output, "did not start") != NULL || said("Windows error"));
        printf("# %s: %s", files[i], output);
        CHECK(device_open() == INVALID_HANDLE_VALUE);
        /* Nothing is left behind. */
        CHECK_EQUAL(loader_run("u", output, sizeof(output)), 0);
        CHECK(said("netmap.sys is not loaded"));
    }
}

static void load(void)
{
    HANDLE device;

    CHECK_EQUAL(loader_run("l", output, sizeof(output)), 0);
    CHECK(said("netmap.sys is loaded"));
    device = device_open();
    CHECK(device != INVALID_HANDLE_VALUE);
    CloseHandle(device);
}

static void load_again(void)
{
    CHECK_EQUAL(loader_run("l", output, sizeof(output)), 0);
    CHECK(said("loaded already"));
}

static void unload(void)
{
    CHECK_EQUAL(loader_run("u", output, sizeof(output)), 0);
    CHECK(said("netmap.sys is unloaded"));
    CHECK(device_open() == INVALID_HANDLE_VALUE);
}

static void load_and_unload_often(void)
{
    for (int i = 0; i < 10; i++) {
        HANDLE device;

        CHECK_EQUAL(loader_run("l", output, sizeof(output)), 0);
        device = device_open();
        CHECK_EQUAL(device_register(device, "vale0:a", 0), 0);
        CloseHandle(device);
        CHECK_EQUAL(loader_run("u", output, sizeof(output)), 0);
    }
}

void tests_loader(void)
{
    test_run("nm-loader: usage", usage);
    test_run("not loaded: errors say so and name the remedy", not_loaded);
    test_run("nm-loader: missing file", missing_file);
    test_run("nm-loader: files that cannot be loaded", cannot_load);
    test_run("load", load);
    test_run("load twice", load_again);
    test_run("unload", unload);
    test_run("load and unload ten times", load_and_unload_often);
    test_run("load for the tests that follow", load);
}

/* Stop the driver without deleting its service: it leaves its count there. */
static void nothing_left(void)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = OpenServiceA(manager, "netmap", SERVICE_ALL_ACCESS);
    SERVICE_STATUS status;
    DWORD left = 12345, size = sizeof(left);

    CHECK(service != NULL);
    CHECK(ControlService(service, SERVICE_CONTROL_STOP, &status));
    for (int i = 0; i < 100 && QueryServiceStatus(service, &status) &&
                    status.dwCurrentState != SERVICE_STOPPED;
         i++)
        Sleep(50);
    CHECK_EQUAL(status.dwCurrentState, SERVICE_STOPPED);
    CHECK_EQUAL(RegGetValueA(HKEY_LOCAL_MACHINE, PARAMETERS, "UnloadAllocations", RRF_RT_REG_DWORD,
                             NULL, &left, &size),
                0);
    CHECK_EQUAL(left, 0);
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    CHECK_EQUAL(loader_run("u", output, sizeof(output)), 0);
    CHECK(said("its service is removed"));
}

void tests_unload(void)
{
    test_run("unload: no allocation is left", nothing_left);
}
