/* Life of the core, counted memory, messages. */
#include "core/core.h"
#include "core/vale.h"

#include <stdarg.h>

static const char *const kind_names[NM_MEM_KINDS] = {
    "descriptors", "adapters", "rings", "regions", "switches", "pipes", "scratch", "segments",
};

void nm_config_defaults(struct nm_config *config)
{
    memset(config, 0, sizeof(*config));
    config->vale_slots = 1024;
    config->max_bridges = 8;
    config->bridge_batch = 1024;
    config->default_pipes = 2;
    config->buf_size = 2048;
    config->if_num = 256;
    config->max_region = 4ull << 30;
    config->max_memory = 1ull << 40;
}

void *nm_alloc(struct nm_core *core, size_t size, enum nm_memory_kind kind)
{
    void *memory = nm_os_alloc(size);

    if (memory != NULL) {
        nm_add64(&core->memory_count[kind], 1);
        nm_add64(&core->memory_bytes[kind], size);
    }
    return memory;
}

void nm_free(struct nm_core *core, void *memory, size_t size, enum nm_memory_kind kind)
{
    if (memory == NULL)
        return;
    nm_add64(&core->memory_count[kind], (uint64_t)-1);
    nm_add64(&core->memory_bytes[kind], 0 - (uint64_t)size);
    nm_os_free(memory, size);
}

int nm_core_start(struct nm_core *core, const struct nm_config *config)
{
    core->config = *config;
    if (core->config.max_bridges < 1 || core->config.max_bridges > 64)
        core->config.max_bridges = 8;
    core->last_region_id = NM_REGION_GLOBAL;
    nm_os_mutex_init(&core->control);
    core->started = true;
    core->switches =
        nm_alloc(core, core->config.max_bridges * sizeof(*core->switches), NM_MEM_SWITCH);
    return core->switches == NULL ? NM_ENOMEM : 0;
}

uint64_t nm_core_stop(struct nm_core *core)
{
    uint64_t alive = 0;

    if (!core->started)
        return 0;
    nm_free(core, core->switches, core->config.max_bridges * sizeof(*core->switches),
            NM_MEM_SWITCH);
    core->switches = NULL;
    for (int kind = 0; kind < NM_MEM_KINDS; kind++) {
        if (core->memory_count[kind] != 0)
            nm_os_log(NM_LOG_ERROR, "%llu %s (%llu bytes) not released",
                      (unsigned long long)core->memory_count[kind], kind_names[kind],
                      (unsigned long long)core->memory_bytes[kind]);
        alive += core->memory_count[kind];
    }
    nm_os_mutex_destroy(&core->control);
    core->started = false;
    return alive;
}

int nm_fail(struct nm_handle *handle, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    nm_os_vformat(handle->message, sizeof(handle->message), format, arguments);
    va_end(arguments);
    return error;
}
