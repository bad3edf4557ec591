/* The text of the last error, per thread. */
#include "hosts/linux/client/edge.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_message[NM_REQUEST_MESSAGE];

void edge_message(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(last_message, sizeof(last_message), format, arguments);
    va_end(arguments);
}

void edge_message_clear(void)
{
    last_message[0] = '\0';
}

__attribute__((visibility("default"))) const char *netmap_last_message(void)
{
    return last_message;
}
