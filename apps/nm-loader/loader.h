/* nm-loader: loads and unloads netmap.sys through the service control manager. */
#ifndef NM_LOADER_H
#define NM_LOADER_H

#include <stdio.h>
#include <windows.h>

/* Exit codes. */
#define LOADER_OK     0
#define LOADER_FAILED 1
#define LOADER_USAGE  2

/* message.c: a line of text to a stream, in the console's own encoding. */
void loader_print(FILE *stream, const wchar_t *format, ...);

/*
 * message.c: report on stderr that `what` failed: the number and text of the Windows error, and
 * what to do about it. Returns LOADER_FAILED.
 */
int loader_failed(const wchar_t *what, DWORD error);

/* service.c: both return an exit code and have told the user what happened. */
int loader_load(const wchar_t *sys_path);
int loader_unload(void);

#endif
