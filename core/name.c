/* Port names: vale<switch>:<port>, <port>{<id>, <port>}<id>, <nic>. */
#include "core/name.h"

bool nm_name_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

void nm_name_copy(char destination[NM_NAME_SIZE], const char *source)
{
    uint32_t i = 0;

    for (; i < NM_NAME_SIZE - 1 && source[i] != '\0'; i++)
        destination[i] = source[i];
    for (; i < NM_NAME_SIZE; i++)
        destination[i] = '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_id_character(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* What interface names are made of besides; never a character with a meaning in the grammar. */
static bool is_port_character(char c)
{
    return is_id_character(c) || c == '-' || c == '.' || c == ' ' || c == '#' || c == '(' ||
           c == ')';
}

static int parse_pipe_suffix(struct nm_handle *handle, const char *text, struct nm_name *name)
{
    uint32_t i = 0;

    while (name->base[i] != '\0' && name->base[i] != '{' && name->base[i] != '}')
        i++;
    if (name->base[i] == '\0')
        return 0;
    name->is_pipe = true;
    name->pipe_role = name->base[i] == '{' ? NM_PIPE_MASTER : NM_PIPE_SLAVE;
    nm_name_copy(name->pipe_id, name->base + i + 1);
    for (uint32_t j = i; j < NM_NAME_SIZE; j++)
        name->base[j] = '\0';
    for (const char *c = name->pipe_id; *c != '\0'; c++)
        if (!is_id_character(*c))
            return nm_fail(handle, NM_EINVAL,
                           "%s: a pipe id is letters, digits and '_', not '%c'", text, *c);
    if (name->pipe_id[0] == '\0' || name->base[0] == '\0')
        return nm_fail(handle, NM_EINVAL, "%s: a pipe is <port>{<id> or <port>}<id>", text);
    return 0;
}

static int parse_vale(struct nm_handle *handle, const char *text, struct nm_name *name)
{
    uint32_t i = 4;
    bool digits = true;

    for (; is_id_character(name->base[i]); i++)
        digits = digits && is_digit(name->base[i]);
    if (name->base[i] != ':') {
        if (name->base[i] == '\0' && digits)
            return nm_fail(handle, NM_EINVAL, "%s: a port of a switch is %s:<port>", text,
                           name->base);
        return 0; /* an interface whose name happens to begin that way */
    }
    name->is_vale = true;
    nm_name_copy(name->bridge, name->base);
    for (uint32_t j = i; j < NM_NAME_SIZE; j++)
        name->bridge[j] = '\0';
    if (name->base[i + 1] == '\0')
        return nm_fail(handle, NM_EINVAL, "%s: the port's name is missing after '%s:'", text,
                       name->bridge);
    return 0;
}

int nm_name_parse(struct nm_handle *handle, const char *text, struct nm_name *name)
{
    const char *c;
    int error;

    memset(name, 0, sizeof(*name));
    nm_name_copy(name->base, text);
    error = parse_pipe_suffix(handle, text, name);
    if (error == 0 && memcmp(name->base, "vale", 4) == 0)
        error = parse_vale(handle, text, name);
    if (error != 0)
        return error;
    c = name->base;
    if (name->is_vale)
        while (*c++ != ':')
            ;
    for (const char *d = c; *d != '\0'; d++)
        if (!is_port_character(*d))
            return nm_fail(handle, NM_EINVAL, "%s: '%c' cannot be part of a port's name", text,
                           *d);
    if (*c == '\0')
        return nm_fail(handle, NM_EINVAL, "the request names no port");
    return 0;
}
