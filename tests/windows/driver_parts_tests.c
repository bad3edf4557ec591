/* Parts of the driver that can be linked into a program and tried by themselves. */
#include "harness.h"

#include "core/os.h"

/* ---- text.c ---- */

static char text[64];

static int format(size_t size, const char *pattern, ...) __attribute__((format(gnu_printf, 2, 3)));

static int format(size_t size, const char *pattern, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, pattern);
    length = nm_os_vformat(text, size, pattern, arguments);
    va_end(arguments);
    return length;
}

#define IS(expected, ...)                                                                          \
    do {                                                                                           \
        int length_ = format(sizeof(text), __VA_ARGS__);                                           \
        if (strcmp(text, (expected)) != 0 || length_ != (int)strlen(expected))                     \
            test_fail(__FILE__, __LINE__, "\"%s\" (%d), not \"%s\"", text, length_, (expected));   \
    } while (0)

static void formats(void)
{
    IS("plain 100%", "plain %d%%", 100);
    IS("-2147483648 2147483647", "%d %i", -2147483647 - 1, 2147483647);
    IS("4294967295 ffffffff FF", "%u %x %X", 4294967295u, 0xffffffffu, 0xffu);
    IS("18446744073709551615", "%llu", 18446744073709551615ull);
    IS("-9223372036854775808", "%lld", -9223372036854775807ll - 1);
    IS("7 8", "%lu %zu", 7ul, (size_t)8);
    IS("[   42] [42   ] [00042] [-0042]", "[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
    IS("[  ab] [ab  ] [abc]", "[%4s] [%-4s] [%.3s]", "ab", "ab", "abcdef");
    IS("[ab] x", "[%.*s] %c", 2, "abcdef", 'x');
    IS("(null)", "%s", (const char *)NULL);
    IS("0", "%u", 0u);

    CHECK_EQUAL(format(4, "%s", "abcdef"), 6);
    CHECK(strcmp(text, "abc") == 0);
    CHECK_EQUAL(format(0, "%s", "abcdef"), 6);
    CHECK(strcmp(text, "abc") == 0);
    CHECK_EQUAL(format(1, "%d", 12), 2);
    CHECK(text[0] == 0);
}

/* text.c writes its log with this. */
unsigned long DbgPrint(const char *pattern, ...);

unsigned long DbgPrint(const char *pattern, ...)
{
    (void)pattern;
    return 0;
}

/* ---- guard.S ---- */

long nm_guarded_lock_pages(void *mdl, char mode, int operation);

static int calls;

static void fake_lock_pages(void *mdl, char mode, int operation)
{
    calls++;
    CHECK_EQUAL(mode, 1);
    CHECK_EQUAL(operation, 2);
    if (mdl == NULL)
        RaiseException(0xc00000a1, 0, 0, NULL); /* STATUS_WORKING_SET_QUOTA */
}

/* What the thunk calls through, as if imported. */
extern void (*const __imp_MmProbeAndLockPages)(void *mdl, char mode, int operation);
void (*const __imp_MmProbeAndLockPages)(void *mdl, char mode, int operation) = fake_lock_pages;

static void guard(void)
{
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL((uint32_t)nm_guarded_lock_pages(&calls, 1, 2), 0);
        CHECK_EQUAL((uint32_t)nm_guarded_lock_pages(NULL, 1, 2), 0xc000009au);
    }
    CHECK_EQUAL(calls, 6);
}

/* ---- runtime.c, as far as the linker takes it from there: by other names ---- */

void *driver_memset(void *destination, int value, size_t size);
void *driver_memcpy(void *destination, const void *source, size_t size);
void *driver_memmove(void *destination, const void *source, size_t size);
int driver_memcmp(const void *a, const void *b, size_t size);

static void memory_functions(void)
{
    static uint8_t a[256], b[256], c[256];

    for (size_t size = 0; size < 100; size++) {
        for (size_t offset = 0; offset < 20; offset++) {
            for (unsigned i = 0; i < 256; i++)
                a[i] = (uint8_t)(i * 7 + size);
            memset(b, 0xee, sizeof(b));
            memset(c, 0xee, sizeof(c));
            memcpy(b + offset, a + 3, size);
            driver_memcpy(c + offset, a + 3, size);
            CHECK(memcmp(b, c, sizeof(b)) == 0);
            CHECK(driver_memcmp(b, c, sizeof(b)) == 0);
            if (size > 0) {
                c[offset + size - 1]++;
                CHECK(driver_memcmp(b + offset, c + offset, size) != 0);
                CHECK((driver_memcmp(b + offset, c + offset, size) < 0) ==
                      (memcmp(b + offset, c + offset, size) < 0));
                c[offset + size - 1]--;
            }
            memmove(b + 10 + offset, b + 10, size);
            driver_memmove(c + 10 + offset, c + 10, size);
            memmove(b, b + offset, size);
            driver_memmove(c, c + offset, size);
            memset(b + offset, 5, size);
            driver_memset(c + offset, 5, size);
            CHECK(memcmp(b, c, sizeof(b)) == 0);
        }
    }
}

void tests_driver_parts(void)
{
    test_run("driver parts: formats", formats);
    test_run("driver parts: exceptions of MmProbeAndLockPages", guard);
    test_run("driver parts: memcpy and its kin", memory_functions);
}
