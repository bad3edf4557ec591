/*
 * lib/nmreq_options.c - reading @OPTION:KEY=VALUE,... with tables of what may be there.
 *
 * Copyright (c) 2026, the netmap for Windows authors.  BSD 2-Clause, see LICENSE.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/internal.h"

int nm_number(struct nmctx *ctx, const char *what, const char *text, uint64_t maximum,
              uint64_t *number)
{
    int hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hexadecimal ? text + 2 : text;
    unsigned long long value;
    char *end;

    /* strtoull takes blanks, signs and a second 0x: only digits may come first. */
    errno = 0;
    value = strtoull(digits, &end, hexadecimal ? 16 : 10);
    if (strspn(digits, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789") == 0 ||
        (hexadecimal && (digits[1] == 'x' || digits[1] == 'X')) || *end != '\0' || errno != 0 ||
        value > maximum) {
        nmctx_ferror(ctx, "%s=%s: want a number 0..%llu", what, text, (unsigned long long)maximum);
        errno = EINVAL;
        return -1;
    }
    *number = value;
    return 0;
}

static int bad_option(struct nmctx *ctx, const struct nmreq_opt_parser *parser, const char *key,
                      const char *problem)
{
    nmctx_ferror(ctx, "option @%s: %s%s", parser->prefix, key, problem);
    errno = EINVAL;
    return -1;
}

static const struct nmreq_opt_key *find_key(const struct nmreq_opt_parser *parser, const char *name)
{
    for (int i = 0; i < parser->nr_keys; i++) {
        if (strcmp(parser->keys[i].key, name) == 0)
            return &parser->keys[i];
    }
    return NULL;
}

static const struct nmreq_opt_key *find_default(const struct nmreq_opt_parser *parser)
{
    for (int i = 0; i < parser->nr_keys; i++) {
        if ((parser->keys[i].flags & NMREQ_OPTK_DEFAULT) ||
            parser->keys[i].id == parser->default_key)
            return &parser->keys[i];
    }
    return NULL;
}

static int set_key(struct nmreq_parse_ctx *parse, const struct nmreq_opt_parser *parser,
                   const struct nmreq_opt_key *key, const char *value)
{
    if (value == NULL)
        value = "";
    if (*value == '\0' && !(key->flags & NMREQ_OPTK_ALLOWEMPTY))
        return bad_option(parse->ctx, parser, key->key, " has no value; write KEY=VALUE");
    if (parse->keys[key->id] != NULL)
        return bad_option(parse->ctx, parser, key->key, " is given twice");
    parse->keys[key->id] = value;
    return 0;
}

/* Handles one option: `text` is what comes after '@', and is cut into pieces. */
static int decode_one(char *text, struct nmreq_opt_parser *parsers, struct nmreq_parse_ctx *parse)
{
    struct nmreq_opt_parser *parser;
    const struct nmreq_opt_key *key;
    size_t name_length = strcspn(text, "=:");
    char separator = text[name_length];
    char *next = separator != '\0' ? text + name_length + 1 : NULL;
    char *word, *value;

    text[name_length] = '\0';
    for (parser = parsers; parser != NULL; parser = parser->next) {
        if (strcmp(parser->prefix, text) == 0)
            break;
    }
    if (parser == NULL) {
        nmctx_ferror(parse->ctx,
                     "option @%s: no such option (a region number comes before all options)", text);
        errno = EINVAL;
        return -1;
    }
    if (parser->flags & NMREQ_OPTF_DISABLED) {
        nmctx_ferror(parse->ctx, "option @%s: this program does not support it", text);
        errno = EOPNOTSUPP;
        return -1;
    }
    if ((next == NULL || *next == '\0') && !(parser->flags & NMREQ_OPTF_ALLOWEMPTY))
        return bad_option(parse->ctx, parser, "", "nothing is said; write =VALUE or :KEY=VALUE");

    memset(parse->keys, 0, sizeof(parse->keys));
    if (separator == '=') {
        word = next;
        next = strchr(word, ',');
        if (next != NULL)
            *next++ = '\0';
        key = find_default(parser);
        if (key == NULL)
            return bad_option(parse->ctx, parser, "", "takes no plain value; write :KEY=VALUE");
        if (set_key(parse, parser, key, word) != 0)
            return -1;
    }
    while (next != NULL && *next != '\0') {
        word = next;
        next = strchr(word, ',');
        if (next != NULL)
            *next++ = '\0';
        value = strchr(word, '=');
        if (value != NULL)
            *value++ = '\0';
        key = find_key(parser, word);
        if (key == NULL)
            return bad_option(parse->ctx, parser, word, " is not one of its keys");
        if (set_key(parse, parser, key, value) != 0)
            return -1;
    }
    for (int i = 0; i < parser->nr_keys; i++) {
        key = &parser->keys[i];
        if ((key->flags & NMREQ_OPTK_MUSTSET) && parse->keys[key->id] == NULL)
            return bad_option(parse->ctx, parser, key->key, " has to be given");
    }
    return parser->parse(parse);
}

int nmreq_options_decode(const char *opt, struct nmreq_opt_parser *parsers, void *token,
                         struct nmctx *ctx)
{
    struct nmreq_parse_ctx parse = {.ctx = ctx, .token = token};
    size_t size = strlen(opt) + 1;
    char *copy, *text, *next;
    int result = 0, saved;

    if (*opt == '\0')
        return 0;
    if (*opt != '@') {
        nmctx_ferror(ctx, "%s: an option begins with '@'", opt);
        errno = EINVAL;
        return -1;
    }
    copy = nmctx_malloc(ctx, size);
    if (copy == NULL) {
        nmctx_ferror(ctx, "%s: out of memory", opt);
        errno = ENOMEM;
        return -1;
    }
    memcpy(copy, opt, size);
    for (text = copy + 1; text != NULL && result == 0; text = next) {
        next = strchr(text, '@');
        if (next != NULL)
            *next++ = '\0';
        result = decode_one(text, parsers, &parse);
    }
    saved = errno;
    nmctx_free(ctx, copy);
    errno = saved;
    return result;
}
