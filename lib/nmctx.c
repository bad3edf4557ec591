/*
 * lib/nmctx.c - contexts: messages, memory, lock.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/internal.h"

#ifdef _WIN32
#include <windows.h>

static SRWLOCK own_lock = SRWLOCK_INIT;

static void lock_own(struct nmctx *ctx, int take)
{
    (void)ctx;
    if (take)
        AcquireSRWLockExclusive(&own_lock);
    else
        ReleaseSRWLockExclusive(&own_lock);
}
#else
#include <pthread.h>

static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;

static void lock_own(struct nmctx *ctx, int take)
{
    (void)ctx;
    if (take)
        pthread_mutex_lock(&own_lock);
    else
        pthread_mutex_unlock(&own_lock);
}
#endif

static struct nmctx own_context = {.lock = lock_own};

static struct nmctx *current_context = &own_context;

struct nmctx *nmctx_get(void)
{
    return current_context;
}

struct nmctx *nmctx_set_default(struct nmctx *ctx)
{
    struct nmctx *before = current_context;

    current_context = ctx != NULL ? ctx : &own_context;
    return before;
}

int nmctx_set_threadsafe(void)
{
    if (current_context->lock == NULL)
        current_context->lock = lock_own;
    return 0;
}

void nmctx_ferror(struct nmctx *ctx, const char *format, ...)
{
    int saved = errno;
    char message[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (ctx->error != NULL)
        ctx->error(ctx, message);
    else
        fprintf(stderr, "%s\n", message);
    errno = saved;
}

void *nmctx_malloc(struct nmctx *ctx, size_t size)
{
    return ctx->malloc != NULL ? ctx->malloc(ctx, size) : malloc(size);
}

void nmctx_free(struct nmctx *ctx, void *memory)
{
    if (memory == NULL)
        return;
    if (ctx->free != NULL)
        ctx->free(ctx, memory);
    else
        free(memory);
}

void nmctx_lock(struct nmctx *ctx)
{
    if (ctx->lock != NULL)
        ctx->lock(ctx, 1);
}

void nmctx_unlock(struct nmctx *ctx)
{
    if (ctx->lock != NULL)
        ctx->lock(ctx, 0);
}
