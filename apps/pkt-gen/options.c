#include "apps/pkt-gen/options.h"

#include "apps/pkt-gen/packet.h"
#include "apps/pkt-gen/report.h"
#include "apps/platform.h"

#include <getopt.h>
#include <net/netmap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_JSON = 256, LONG_VERIFY, LONG_ALLOW_FOREIGN, LONG_SECONDS, LONG_VERSION };

static const char short_options[] = "46a:f:F:Nn:i:Il:d:s:D:S:b:c:o:p:T:w:WvR:XC:H:rP:zZAhBM:";

static const struct option long_options[] = {
    {"json", no_argument, NULL, LONG_JSON},
    {"verify", no_argument, NULL, LONG_VERIFY},
    {"allow-foreign", no_argument, NULL, LONG_ALLOW_FOREIGN},
    {"seconds", required_argument, NULL, LONG_SECONDS},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, LONG_VERSION},
    {NULL, 0, NULL, 0},
};

static const char *const function_names[] = {
    [FUNCTION_RX] = "rx",     [FUNCTION_TX] = "tx",       [FUNCTION_PING] = "ping",
    [FUNCTION_PONG] = "pong", [FUNCTION_TXSEQ] = "txseq", [FUNCTION_RXSEQ] = "rxseq",
};

/* What was said on the command line, where that differs from saying nothing. */
struct said {
    int lengths; /* how often -l */
    bool burst, family, source, target;
};

const char *function_name(enum function function)
{
    return function_names[function];
}

bool function_sends(enum function function)
{
    return function == FUNCTION_TX || function == FUNCTION_TXSEQ || function == FUNCTION_PING;
}

static void set_defaults(struct options *options)
{
    static const char *reason;

    memset(options, 0, sizeof(*options));
    options->function = FUNCTION_RX;
    options->length = options->length_min = 60;
    options->burst = 512;
    options->family = 4;
    options->first_cpu = -1;
    options->threads = 1;
    options->report_ms = 1000;
    options->link_wait = -1;
    options->fragments = 1;
    endpoint_parse("10.0.0.1:1234", &options->source, &reason);
    endpoint_parse("10.1.0.1:1234", &options->target, &reason);
    memset(options->target_mac, 0xff, MAC_BYTES);
}

/* A whole number in [low, high], with an optional decimal k, M or G behind it. */
static bool parse_number(int letter, const char *text, uint64_t low, uint64_t high,
                         uint64_t *number)
{
    uint64_t unit = 1;
    unsigned long long value;
    char *end;

    value = strtoull(text, &end, 0);
    if (end != text && *end != '\0' && end[1] == '\0') {
        unit = *end == 'k' || *end == 'K' ? 1000
               : *end == 'M'              ? 1000000
               : *end == 'G'              ? 1000000000
                                          : 0;
        end++;
    }
    if (*text < '0' || *text > '9' || *end != '\0' || unit == 0 || value > UINT64_MAX / unit ||
        value * unit < low || value * unit > high) {
        complain("-%c %s: not a number from %llu to %llu", letter, text, (unsigned long long)low,
                 (unsigned long long)high);
        return false;
    }
    *number = value * unit;
    return true;
}

static bool parse_unsigned(int letter, const char *text, unsigned low, unsigned high,
                           unsigned *number)
{
    uint64_t value;

    if (!parse_number(letter, text, low, high, &value))
        return false;
    *number = (unsigned)value;
    return true;
}

static bool parse_int(int letter, const char *text, int low, int high, int *number)
{
    uint64_t value;

    if (!parse_number(letter, text, (uint64_t)low, (uint64_t)high, &value))
        return false;
    *number = (int)value;
    return true;
}

static bool parse_seconds(const char *text, double *seconds)
{
    char *end;

    *seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(*seconds > 0) || *seconds > 1e9) {
        complain("--seconds %s: not a time above 0", text);
        return false;
    }
    return true;
}

static bool parse_function(const char *text, enum function *function)
{
    unsigned i;

    for (i = 0; i < sizeof(function_names) / sizeof(function_names[0]); i++) {
        if (strcmp(text, function_names[i]) == 0) {
            *function = (enum function)i;
            return true;
        }
    }
    complain("-f %s: no such function; there are rx, tx, ping, pong, txseq, rxseq", text);
    return false;
}

/* Accepts a name without a subsystem as people are used to: -i eth0 means netmap:eth0. */
static bool parse_port_name(const char *text, char name[PORT_NAME_BYTES])
{
    static const char *const missing[] = {"tap:", "pcap:"};
    bool complete = strncmp(text, "netmap:", 7) == 0 || strncmp(text, "vale", 4) == 0;
    unsigned i;

    for (i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        if (strncmp(text, missing[i], strlen(missing[i])) == 0) {
            complain("-i %s: %s ports are not there yet; use a netmap: or vale port", text,
                     missing[i]);
            return false;
        }
    }
    if (strcmp(text, "null") == 0) {
        complain("-i null: the null port is not there yet; use a netmap: or vale port");
        return false;
    }
    if (snprintf(name, PORT_NAME_BYTES, "%s%s", complete ? "" : "netmap:", text) >=
        PORT_NAME_BYTES) {
        complain("-i %s: the name is too long", text);
        return false;
    }
    return true;
}

static bool parse_endpoint(int letter, const char *text, struct endpoint *endpoint)
{
    const char *reason;

    if (endpoint_parse(text, endpoint, &reason))
        return true;
    complain("-%c %s: %s; the form is IP[:PORT[-IP:PORT]]", letter, text, reason);
    return false;
}

static bool parse_mac(int letter, const char *text, uint8_t mac[MAC_BYTES])
{
    if (mac_parse(text, mac))
        return true;
    complain("-%c %s: not an Ethernet address like 02:00:00:00:00:01", letter, text);
    return false;
}

static bool parse_ring_config(const char *text, struct ring_config *rings)
{
    int used = 0;
    int values;

    memset(rings, 0, sizeof(*rings));
    values = sscanf(text, "%u%n,%u%n,%u%n,%u%n", &rings->tx_slots, &used, &rings->rx_slots, &used,
                    &rings->tx_rings, &used, &rings->rx_rings, &used);
    if (values < 1 || text[used] != '\0') {
        complain("-C %s: the form is TX_SLOTS[,RX_SLOTS[,TX_RINGS[,RX_RINGS]]]", text);
        return false;
    }
    if (values < 2)
        rings->rx_slots = rings->tx_slots;
    complain("-C is deprecated: write PORT@conf:tx-slots=...,rx-slots=... instead");
    return true;
}

static bool parse_bits(const char *text, unsigned *what)
{
    unsigned bits;

    if (!parse_unsigned('o', text, 0, DO_ALL, &bits))
        return false;
    if ((bits & ~(unsigned)DO_ALL) != 0) {
        complain("-o %s: bit %u has no meaning", text, bits & ~(unsigned)DO_ALL);
        return false;
    }
    *what |= bits;
    return true;
}

/* -l gives the length; a second -l the other end of a range of random lengths. */
static bool parse_length(const char *text, struct options *options, struct said *said)
{
    unsigned length;

    if (!parse_unsigned('l', text, 1, MAX_FRAME_BYTES, &length))
        return false;
    if (said->lengths++ == 0) {
        options->length = options->length_min = length;
    } else if (length <= options->length) {
        options->length_min = length;
    } else {
        options->length_min = options->length;
        options->length = length;
    }
    return true;
}

/* Options that only switch something on. */
static bool set_switch(int letter, struct options *options, struct said *said)
{
    switch (letter) {
    case '4':
    case '6':
        options->family = letter - '0';
        said->family = true;
        return true;
    case 'N':
        options->plain_numbers = true;
        return true;
    case 'I':
        options->what |= DO_INDIRECT;
        return true;
    case 'W':
        options->exit_if_empty = true;
        return true;
    case 'v':
        options->verbose++;
        return true;
    case 'X':
        options->what |= DO_DUMP;
        return true;
    case 'r':
        options->what |= DO_RUBBISH;
        return true;
    case 'z':
        options->what |= DO_RANDOM_SOURCE;
        return true;
    case 'Z':
        options->what |= DO_RANDOM_TARGET;
        return true;
    case 'A':
        options->what |= DO_STATISTICS;
        return true;
    case 'B':
        options->count_framing = true;
        return true;
    case LONG_JSON:
        options->json = true;
        return true;
    case LONG_VERIFY:
        options->verify = true;
        return true;
    case LONG_ALLOW_FOREIGN:
        options->allow_foreign = true;
        return true;
    default:
        return false;
    }
}

static bool set_value(int letter, const char *text, struct options *options, struct said *said)
{
    switch (letter) {
    case 'a':
        return parse_int('a', text, 0, 4095, &options->first_cpu);
    case 'b':
        said->burst = true;
        return parse_unsigned('b', text, 1, MAX_BURST, &options->burst);
    case 'c':
        return parse_int('c', text, 1, 4096, &options->cpus);
    case 'C':
        return parse_ring_config(text, &options->rings);
    case 'd':
        said->target = true;
        return parse_endpoint('d', text, &options->target);
    case 'D':
        return parse_mac('D', text, options->target_mac);
    case 'f':
        return parse_function(text, &options->function);
    case 'F':
        return parse_unsigned('F', text, 1, MAX_FRAGMENTS, &options->fragments);
    case 'i':
        return parse_port_name(text, options->port);
    case 'l':
        return parse_length(text, options, said);
    case 'M':
        return parse_unsigned('M', text, 1, MAX_FRAME_BYTES, &options->fragment_bytes);
    case 'n':
        return parse_number('n', text, 0, UINT64_MAX, &options->count);
    case 'o':
        return parse_bits(text, &options->what);
    case 'p':
        return parse_int('p', text, 1, MAX_THREADS, &options->threads);
    case 'R':
        return parse_number('R', text, 1, 1000000000000ULL, &options->rate);
    case 's':
        said->source = true;
        return parse_endpoint('s', text, &options->source);
    case 'S':
        return parse_mac('S', text, options->source_mac);
    case 'T':
        return parse_unsigned('T', text, 10, 86400000, &options->report_ms);
    case 'w':
        return parse_int('w', text, 0, 86400, &options->link_wait);
    case LONG_SECONDS:
        return parse_seconds(text, &options->seconds);
    default:
        break;
    }
    if (letter == 'H' && strcmp(text, "0") == 0)
        return true; /* no header is what everybody has */
    if (letter == 'H')
        complain("-H %s: virtio-net headers are not there yet", text);
    else if (letter == 'P')
        complain("-P %s: reading pcap files is not there yet", text);
    return false;
}

/* Both addresses must be of the family asked for; those not given take its defaults. */
static bool settle_family(struct options *options, const struct said *said)
{
    const char *reason;

    if (!said->family && (said->source || said->target))
        options->family = said->source ? options->source.family : options->target.family;
    if (options->family == 6 && !said->source)
        endpoint_parse("[fd00::10:0:0:1]:1234", &options->source, &reason);
    if (options->family == 6 && !said->target)
        endpoint_parse("[fd00::10:1:0:1]:1234", &options->target, &reason);
    if (options->source.family == options->family && options->target.family == options->family)
        return true;
    complain("-s, -d and -%d must be of the same IP version", options->family);
    return false;
}

/* What the function writes behind the headers. */
static unsigned payload_needed(const struct options *options)
{
    if (options->verify)
        return VERIFY_BYTES;
    if (options->function == FUNCTION_PING)
        return PING_BYTES;
    if (options->function == FUNCTION_TXSEQ)
        return SEQUENCE_BYTES;
    return options->what & DO_TIMESTAMP ? TIMESTAMP_BYTES : 0;
}

static bool settle_lengths(struct options *options, const struct said *said)
{
    unsigned least = packet_header_bytes(options->family) + payload_needed(options);

    if (!function_sends(options->function))
        return true;
    if (options->what & DO_RUBBISH)
        least = 1;
    if (said->lengths == 0 && options->length < least)
        options->length = options->length_min = least;
    if (options->length_min < least) {
        complain("-l %u: these frames need at least %u bytes", options->length_min, least);
        return false;
    }
    return true;
}

static bool check_fragments(const struct options *options)
{
    unsigned pieces;

    if (options->fragment_bytes == 0)
        return true;
    if (options->fragments > 1) {
        complain("-F and -M exclude each other: say how many pieces, or how long");
        return false;
    }
    pieces = (options->length + options->fragment_bytes - 1) / options->fragment_bytes;
    if (pieces > MAX_FRAGMENTS) {
        complain("-M %u: a frame of %u bytes would take %u slots; the limit is %d",
                 options->fragment_bytes, options->length, pieces, MAX_FRAGMENTS);
        return false;
    }
    return true;
}

static bool check_combinations(const struct options *options)
{
    bool plain = options->function == FUNCTION_TX || options->function == FUNCTION_RX;

    if (options->port[0] == '\0')
        complain("which port? say -i PORT, for example -i vale1:a (--help shows the options)");
    else if (options->threads > 1 && !plain)
        complain("-p %d: %s works with one thread only", options->threads,
                 function_name(options->function));
    else if (options->verify && !plain)
        complain("--verify: works with -f tx and -f rx only");
    else if (options->verify && (options->what & (DO_RUBBISH | DO_INDIRECT | DO_TIMESTAMP)))
        complain("--verify: writes its own payload, so it excludes -r, -I and -o 16");
    else if (options->allow_foreign && !(options->verify && options->function == FUNCTION_RX))
        complain("--allow-foreign: means something with -f rx --verify only");
    else if ((options->what & DO_RUBBISH) && (options->what & (DO_INDIRECT | DO_TIMESTAMP)))
        complain("-r: sends the buffers as they are, so it excludes -I and -o 16");
    else
        return true;
    return false;
}

static bool settle(struct options *options, const struct said *said)
{
    if (!said->burst && (options->function == FUNCTION_PING || options->function == FUNCTION_PONG))
        options->burst = 1;
    return check_combinations(options) && settle_family(options, said) &&
           settle_lengths(options, said) && check_fragments(options);
}

enum exit_code options_parse(struct options *options, int argc, char **argv, bool *ended)
{
    struct said said = {0};
    uint64_t seed = platform_seed();
    int letter;

    *ended = false;
    set_defaults(options);
    memcpy(options->source_mac, &seed, MAC_BYTES);
    options->source_mac[0] = 0x02; /* locally administered, so it is nobody else's */
    while ((letter = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        if (letter == '?')
            return EXIT_CODE_USAGE; /* getopt has said why */
        if (letter == 'h' || letter == LONG_VERSION) {
            *ended = true;
            if (letter == 'h')
                usage_print();
            else
                printf("pkt-gen of netmap for Windows, netmap API %d\n", NETMAP_API);
            return EXIT_CODE_OK;
        }
        if (!set_switch(letter, options, &said) && !set_value(letter, optarg, options, &said))
            return EXIT_CODE_USAGE;
    }
    if (optind < argc) {
        complain("%s: not understood; a port is given with -i", argv[optind]);
        return EXIT_CODE_USAGE;
    }
    return settle(options, &said) ? EXIT_CODE_OK : EXIT_CODE_USAGE;
}
