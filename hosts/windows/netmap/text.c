/* Text without a C library: nm_os_vformat and nm_os_log of core/os.h. */
#include "core/os.h"
#include "ddk.h"

struct text_sink {
    char *text;
    size_t size;
    size_t length; /* of the whole text, whether it fits or not */
};

struct text_directive {
    bool left;
    bool zeros;
    int width;
    int precision;  /* -1: none */
    unsigned bytes; /* of an integer argument */
};

static void put(struct text_sink *sink, char c)
{
    if (sink->length + 1 < sink->size)
        sink->text[sink->length] = c;
    sink->length++;
}

static void pad(struct text_sink *sink, char c, int count)
{
    while (count-- > 0)
        put(sink, c);
}

static void put_string(struct text_sink *sink, const struct text_directive *directive,
                       const char *string)
{
    int length = 0;

    if (string == NULL)
        string = "(null)";
    while ((directive->precision < 0 || length < directive->precision) && string[length] != 0)
        length++;
    if (!directive->left)
        pad(sink, ' ', directive->width - length);
    for (int i = 0; i < length; i++)
        put(sink, string[i]);
    if (directive->left)
        pad(sink, ' ', directive->width - length);
}

static void put_number(struct text_sink *sink, const struct text_directive *directive,
                       uint64_t value, unsigned base, bool capital, bool negative)
{
    const char *digits = capital ? "0123456789ABCDEF" : "0123456789abcdef";
    char reversed[24];
    int count = 0, zeros, length;

    do {
        reversed[count++] = digits[value % base];
        value /= base;
    } while (value != 0);
    zeros = directive->precision > count ? directive->precision - count : 0;
    length = count + zeros + (negative ? 1 : 0);
    if (directive->zeros && !directive->left && directive->precision < 0 &&
        length < directive->width) {
        zeros += directive->width - length;
        length = directive->width;
    }
    if (!directive->left)
        pad(sink, ' ', directive->width - length);
    if (negative)
        put(sink, '-');
    pad(sink, '0', zeros);
    while (count > 0)
        put(sink, reversed[--count]);
    if (directive->left)
        pad(sink, ' ', directive->width - length);
}

static int parse_decimal(const char **format)
{
    int value = 0;

    while (**format >= '0' && **format <= '9') {
        if (value < 10000)
            value = value * 10 + (**format - '0');
        (*format)++;
    }
    return value;
}

/* The length modifier; a plain int when there is none. */
static unsigned parse_length(const char **format)
{
    switch (**format) {
    case 'h':
        (*format)++;
        if (**format == 'h')
            (*format)++;
        return sizeof(int); /* promoted */
    case 'l':
        (*format)++;
        if (**format == 'l') {
            (*format)++;
            return sizeof(long long);
        }
        return sizeof(long);
    case 'z':
    case 'j':
    case 't':
        (*format)++;
        return sizeof(uint64_t);
    default:
        return sizeof(int);
    }
}

/*
 * %d %i %u %x %X %c %s %p %% with the flags - and 0, width, precision (both may be *), and the
 * lengths hh h l ll z j t. Any level, although the contract asks for PASSIVE only.
 */
int nm_os_vformat(char *text, size_t size, const char *format, va_list arguments)
{
    struct text_sink sink = {text, size, 0};

    while (*format != 0) {
        struct text_directive directive = {.precision = -1};

        if (*format != '%') {
            put(&sink, *format++);
            continue;
        }
        format++;
        for (; *format == '-' || *format == '0' || *format == '#' || *format == '+'; format++) {
            directive.left |= *format == '-';
            directive.zeros |= *format == '0';
        }
        if (*format == '*') {
            directive.width = va_arg(arguments, int);
            format++;
        } else {
            directive.width = parse_decimal(&format);
        }
        if (*format == '.') {
            format++;
            if (*format == '*') {
                directive.precision = va_arg(arguments, int);
                format++;
            } else {
                directive.precision = parse_decimal(&format);
            }
        }
        directive.bytes = parse_length(&format);

        switch (*format) {
        case 'd':
        case 'i': {
            int64_t value =
                directive.bytes == 8 ? va_arg(arguments, int64_t) : va_arg(arguments, int32_t);
            put_number(&sink, &directive, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10,
                       false, value < 0);
            break;
        }
        case 'u':
        case 'x':
        case 'X': {
            uint64_t value =
                directive.bytes == 8 ? va_arg(arguments, uint64_t) : va_arg(arguments, uint32_t);
            put_number(&sink, &directive, value, *format == 'u' ? 10 : 16, *format == 'X', false);
            break;
        }
        case 'p':
            put_number(&sink, &directive, (uintptr_t)va_arg(arguments, void *), 16, false, false);
            break;
        case 'c':
            put(&sink, (char)va_arg(arguments, int));
            break;
        case 's':
            put_string(&sink, &directive, va_arg(arguments, const char *));
            break;
        case '%':
            put(&sink, '%');
            break;
        default:
            /* Unknown: what follows cannot be trusted to match its argument. */
            put(&sink, '?');
            goto out;
        }
        format++;
    }
out:
    if (size > 0)
        text[sink.length < size ? sink.length : size - 1] = 0;
    return (int)sink.length;
}

void nm_os_log(enum nm_log_level level, const char *format, ...)
{
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    char line[256];
    va_list arguments;

    va_start(arguments, format);
    (void)nm_os_vformat(line, sizeof(line), format, arguments);
    va_end(arguments);
    DbgPrint("netmap: %s%s\n", words[level], line);
}
