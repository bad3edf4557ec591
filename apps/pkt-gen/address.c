#include "apps/pkt-gen/address.h"

#include "apps/platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool mac_parse(const char *text, uint8_t mac[MAC_BYTES])
{
    unsigned byte[MAC_BYTES];
    int used = 0;
    int i;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4],
               &byte[5], &used) != MAC_BYTES ||
        text[used] != '\0')
        return false;
    for (i = 0; i < MAC_BYTES; i++)
        mac[i] = (uint8_t)byte[i];
    return true;
}

void mac_format(const uint8_t mac[MAC_BYTES], char *text, size_t size)
{
    snprintf(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
}

static uint64_t load_big_endian(const uint8_t *bytes, int count)
{
    uint64_t value = 0;

    while (count-- > 0)
        value = value << 8 | *bytes++;
    return value;
}

/* One end of a range, in the form of struct endpoint. */
struct point {
    int family;
    uint64_t high, low;
    bool has_port;
    uint16_t port;
};

static bool parse_port(const char *text, uint16_t *port)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

/* Cuts text into the address and the port behind it; text is changed. NULL when malformed. */
static const char *split_port(char *text, char **port)
{
    char *colon;

    *port = NULL;
    if (*text == '[') {
        char *bracket = strchr(text, ']');

        if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
            return NULL;
        if (bracket[1] == ':')
            *port = bracket + 2;
        *bracket = '\0';
        return text + 1;
    }
    colon = strchr(text, ':');
    if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        *port = colon + 1; /* one colon only: an IPv4 address and a port */
        *colon = '\0';
    }
    return text;
}

static bool parse_point(char *text, struct point *point, const char **reason)
{
    uint8_t bytes[16];
    char *port;
    const char *address = split_port(text, &port);

    if (address == NULL) {
        *reason = "a ']' is missing, or something else than ':port' follows it";
        return false;
    }
    point->has_port = port != NULL;
    if (port != NULL && !parse_port(port, &point->port)) {
        *reason = "a port is a number from 0 to 65535";
        return false;
    }
    if (platform_parse_ipv4(address, bytes)) {
        point->family = 4;
        point->high = 0;
        point->low = load_big_endian(bytes, 4);
        return true;
    }
    if (platform_parse_ipv6(address, bytes)) {
        point->family = 6;
        point->high = load_big_endian(bytes, 8);
        point->low = load_big_endian(bytes + 8, 8);
        return true;
    }
    *reason = "it holds neither an IPv4 nor an IPv6 address";
    return false;
}

bool endpoint_parse(const char *text, struct endpoint *endpoint, const char **reason)
{
    char copy[ADDRESS_TEXT_BYTES];
    struct point first, last;
    char *dash;

    if (strlen(text) >= sizeof(copy)) {
        *reason = "it is too long";
        return false;
    }
    strcpy(copy, text);
    dash = strchr(copy, '-');
    if (dash != NULL)
        *dash = '\0';
    if (!parse_point(copy, &first, reason))
        return false;
    last = first;
    if (dash != NULL && !parse_point(dash + 1, &last, reason))
        return false;
    if (first.family != last.family || first.high != last.high) {
        *reason = "both ends of a range must be of one family (IPv6: share the first 64 bits)";
        return false;
    }
    endpoint->family = first.family;
    endpoint->high = first.high;
    endpoint->low_first = first.low;
    endpoint->low_last = last.low;
    if (first.has_port)
        endpoint->port_first = endpoint->port_last = first.port;
    if (last.has_port)
        endpoint->port_last = last.port;
    if (endpoint->low_first > endpoint->low_last || endpoint->port_first > endpoint->port_last) {
        *reason = "the range ends before it begins";
        return false;
    }
    return true;
}

static void format_address(int family, uint64_t high, uint64_t low, char *text, size_t size)
{
    if (family == 4)
        snprintf(text, size, "%u.%u.%u.%u", (unsigned)(low >> 24 & 255),
                 (unsigned)(low >> 16 & 255), (unsigned)(low >> 8 & 255), (unsigned)(low & 255));
    else
        snprintf(text, size, "[%x:%x:%x:%x:%x:%x:%x:%x]", (unsigned)(high >> 48),
                 (unsigned)(high >> 32 & 0xffff), (unsigned)(high >> 16 & 0xffff),
                 (unsigned)(high & 0xffff), (unsigned)(low >> 48), (unsigned)(low >> 32 & 0xffff),
                 (unsigned)(low >> 16 & 0xffff), (unsigned)(low & 0xffff));
}

void endpoint_format(const struct endpoint *endpoint, char *text, size_t size)
{
    char first[48], last[48];

    format_address(endpoint->family, endpoint->high, endpoint->low_first, first, sizeof(first));
    format_address(endpoint->family, endpoint->high, endpoint->low_last, last, sizeof(last));
    if (endpoint_varies(endpoint))
        snprintf(text, size, "%s:%u-%s:%u", first, endpoint->port_first, last, endpoint->port_last);
    else
        snprintf(text, size, "%s:%u", first, endpoint->port_first);
}

bool endpoint_varies(const struct endpoint *endpoint)
{
    return endpoint->low_first != endpoint->low_last || endpoint->port_first != endpoint->port_last;
}
