#include "loader.h"

#include <wchar.h>

#define DRIVER_FILE L"netmap.sys"

static const wchar_t usage[] =
    L"nm-loader l [FILE]   load netmap.sys: FILE, or the one beside nm-loader.exe or in the "
    L"folder\n"
    L"                     above it; makes the service \"netmap\" when there is none\n"
    L"nm-loader u          unload it and remove the service\n"
    L"nm-loader --help     this text\n"
    L"\n"
    L"Needs an administrator. Exit status: 0 done, 1 failed, 2 wrong usage.";

/* Where the driver is expected when nobody says: beside this program, or one folder up. */
static void default_path(wchar_t *path, DWORD size)
{
    DWORD length = GetModuleFileNameW(NULL, path, size);
    wchar_t *end;

    for (int up = 0; up < 2; up++) {
        path[length < size ? length : size - 1] = 0;
        end = wcsrchr(path, L'\\');
        if (end == NULL || (size_t)(end - path) + wcslen(DRIVER_FILE) + 2 > size)
            break;
        wcscpy(end + 1, DRIVER_FILE);
        if (GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES)
            return;
        length = (DWORD)(end - path);
    }
    /* Nowhere: name the first place in what follows. */
    length = GetModuleFileNameW(NULL, path, size);
    end = wcsrchr(path, L'\\');
    if (end != NULL && (size_t)(end - path) + wcslen(DRIVER_FILE) + 2 <= size)
        wcscpy(end + 1, DRIVER_FILE);
}

static int load(const wchar_t *file)
{
    wchar_t path[MAX_PATH];

    if (file == NULL) {
        default_path(path, MAX_PATH);
    } else {
        DWORD length = GetFullPathNameW(file, MAX_PATH, path, NULL);

        if (length == 0 || length >= MAX_PATH)
            return loader_failed(L"cannot use that file name",
                                 length == 0 ? GetLastError() : ERROR_FILENAME_EXCED_RANGE);
    }
    return loader_load(path);
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    if (argc == 2 && (wcscmp(argv[1], L"--help") == 0 || wcscmp(argv[1], L"-h") == 0)) {
        loader_print(stdout, L"%ls", usage);
        return LOADER_OK;
    }
    if ((argc == 2 || argc == 3) && wcscmp(argv[1], L"l") == 0)
        return load(argc == 3 ? argv[2] : NULL);
    if (argc == 2 && wcscmp(argv[1], L"u") == 0)
        return loader_unload();
    loader_print(stderr, L"%ls", usage);
    return LOADER_USAGE;
}
