#include "loader.h"

#define SERVICE_NAME L"netmap"
#define DEVICE_PATH  L"\\\\.\\netmap"
/* Drivers that are to find each other belong to one group; see docs. */
#define SERVICE_GROUP L"NDIS"
#define PATIENCE_MS   10000
#define STEP_MS       20

struct manager {
    SC_HANDLE manager;
    SC_HANDLE service; /* NULL: there is none */
};

static void manager_close(struct manager *m)
{
    if (m->service != NULL)
        CloseServiceHandle(m->service);
    if (m->manager != NULL)
        CloseServiceHandle(m->manager);
}

/* Connect, and open the service if it exists. False when the user has been told why not. */
static BOOL manager_open(struct manager *m, DWORD manager_access)
{
    DWORD error;

    m->service = NULL;
    m->manager = OpenSCManagerW(NULL, NULL, manager_access);
    if (m->manager == NULL) {
        loader_failed(L"cannot open the service manager", GetLastError());
        return FALSE;
    }
    m->service = OpenServiceW(m->manager, SERVICE_NAME, SERVICE_ALL_ACCESS);
    if (m->service != NULL)
        return TRUE;
    error = GetLastError();
    if (error == ERROR_SERVICE_DOES_NOT_EXIST)
        return TRUE;
    loader_failed(L"cannot open the service \"netmap\"", error);
    manager_close(m);
    return FALSE;
}

static DWORD service_state(SC_HANDLE service)
{
    SERVICE_STATUS status;

    return QueryServiceStatus(service, &status) ? status.dwCurrentState : 0;
}

/* The service's state once it is no longer the passing one, or after the patience is over. */
static DWORD state_after(SC_HANDLE service, DWORD passing)
{
    DWORD state = service_state(service);

    for (int waited = 0; state == passing && waited < PATIENCE_MS; waited += STEP_MS) {
        Sleep(STEP_MS);
        state = service_state(service);
    }
    return state;
}

/* 0, or why the device cannot be opened. */
static DWORD device_error(void)
{
    HANDLE device =
        CreateFileW(DEVICE_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);

    if (device == INVALID_HANDLE_VALUE)
        return GetLastError();
    CloseHandle(device);
    return 0;
}

/* Loaded is what the manager calls running and what programs can open; nothing less. */
static int verify_loaded(SC_HANDLE service, const wchar_t *word)
{
    DWORD state = state_after(service, SERVICE_START_PENDING);
    DWORD error;

    if (state != SERVICE_RUNNING) {
        loader_print(stderr, L"nm-loader: netmap.sys did not start: the service is in state %lu",
                     (unsigned long)state);
        return LOADER_FAILED;
    }
    error = device_error();
    if (error != 0)
        return loader_failed(L"netmap.sys runs, but its device cannot be opened", error);
    loader_print(stdout, L"netmap.sys is %ls", word);
    return LOADER_OK;
}

/* Make the service, or point the one that is there to this file. */
static int prepare_service(struct manager *m, const wchar_t *sys_path, BOOL *created)
{
    *created = FALSE;
    if (m->service != NULL) {
        if (ChangeServiceConfigW(m->service, SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START,
                                 SERVICE_ERROR_NORMAL, sys_path, SERVICE_GROUP, NULL, NULL, NULL,
                                 NULL, NULL))
            return LOADER_OK;
        return loader_failed(L"cannot change the service \"netmap\"", GetLastError());
    }
    m->service = CreateServiceW(m->manager, SERVICE_NAME, L"netmap", SERVICE_ALL_ACCESS,
                                SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL,
                                sys_path, SERVICE_GROUP, NULL, NULL, NULL, NULL);
    if (m->service == NULL)
        return loader_failed(L"cannot create the service \"netmap\"", GetLastError());
    *created = TRUE;
    return LOADER_OK;
}

int loader_load(const wchar_t *sys_path)
{
    struct manager m;
    BOOL created;
    DWORD state;
    int result;

    if (!manager_open(&m, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE))
        return LOADER_FAILED;
    state = m.service != NULL ? service_state(m.service) : 0;
    if (state == SERVICE_RUNNING || state == SERVICE_START_PENDING) {
        result = verify_loaded(m.service, L"loaded already");
        manager_close(&m);
        return result;
    }
    if (GetFileAttributesW(sys_path) == INVALID_FILE_ATTRIBUTES) {
        wchar_t what[MAX_PATH + 32];
        DWORD error = GetLastError();

        _snwprintf(what, sizeof(what) / sizeof(what[0]) - 1, L"cannot load %ls", sys_path);
        what[sizeof(what) / sizeof(what[0]) - 1] = 0;
        manager_close(&m);
        return loader_failed(what, error);
    }

    result = prepare_service(&m, sys_path, &created);
    if (result == LOADER_OK) {
        if (StartServiceW(m.service, 0, NULL) ||
            GetLastError() == ERROR_SERVICE_ALREADY_RUNNING) /* somebody else was faster */
            result = verify_loaded(m.service, L"loaded");
        else
            result = loader_failed(L"netmap.sys cannot be loaded", GetLastError());
        if (result != LOADER_OK && created)
            DeleteService(m.service);
    }
    manager_close(&m);
    return result;
}

/* Ask the driver to go. 0 when it has gone. */
static int stop_service(SC_HANDLE service)
{
    SERVICE_STATUS status;
    DWORD state;

    if (!ControlService(service, SERVICE_CONTROL_STOP, &status) &&
        GetLastError() != ERROR_SERVICE_NOT_ACTIVE)
        return loader_failed(L"netmap.sys cannot be unloaded", GetLastError());
    state = state_after(service, SERVICE_STOP_PENDING);
    if (state == SERVICE_STOPPED)
        return LOADER_OK;
    if (state == SERVICE_STOP_PENDING)
        loader_print(stderr, L"nm-loader: netmap.sys is in use: it unloads when the last program "
                             L"that has netmap open ends, and until then no other can open it");
    else
        loader_print(stderr, L"nm-loader: netmap.sys did not stop: the service is in state %lu",
                     (unsigned long)state);
    return LOADER_FAILED;
}

int loader_unload(void)
{
    struct manager m;
    BOOL was_loaded;
    int result = LOADER_OK;

    if (!manager_open(&m, SC_MANAGER_CONNECT))
        return LOADER_FAILED;
    if (m.service == NULL) {
        loader_print(stdout, L"netmap.sys is not loaded");
        manager_close(&m);
        return LOADER_OK;
    }
    was_loaded = service_state(m.service) != SERVICE_STOPPED;
    if (was_loaded)
        result = stop_service(m.service);
    if (result == LOADER_OK) {
        if (DeleteService(m.service) || GetLastError() == ERROR_SERVICE_MARKED_FOR_DELETE)
            loader_print(stdout, was_loaded ? L"netmap.sys is unloaded"
                                            : L"netmap.sys was not loaded; its service is removed");
        else
            result = loader_failed(L"cannot delete the service \"netmap\"", GetLastError());
    }
    manager_close(&m);
    return result;
}
