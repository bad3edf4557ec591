/* Port names: what is understood, and as what. */
#include "core/name.h"
#include "tests/unit/unit.h"

#define PIPE_OF(role, name, pipe) true, role, name, pipe
#define NO_PIPE(name)             false, 0, name, ""
#define LONG "0123456789012345678901234567890123456789" /* 40 */

static const struct {
    const char *text;
    int error;
    bool is_vale;
    bool is_pipe;
    int role;
    const char *base, *pipe_id, *bridge;
} names[] = {
    {"eth0", 0, false, NO_PIPE("eth0"), ""},
    {"eth0.100", 0, false, NO_PIPE("eth0.100"), ""},
    {"Local Area Connection #2", 0, false, NO_PIPE("Local Area Connection #2"), ""},
    {"Ethernet (Kernel Debugger)", 0, false, NO_PIPE("Ethernet (Kernel Debugger)"), ""},
    {"12", 0, false, NO_PIPE("12"), ""},
    {"vale0:a", 0, true, NO_PIPE("vale0:a"), "vale0"},
    {"vale:a", 0, true, NO_PIPE("vale:a"), "vale"},
    {"vale_x9:port-1", 0, true, NO_PIPE("vale_x9:port-1"), "vale_x9"},
    {"valeABC:1", 0, true, NO_PIPE("valeABC:1"), "valeABC"},
    {"valentine", 0, false, NO_PIPE("valentine"), ""},
    {"valex", 0, false, NO_PIPE("valex"), ""},
    {"x{1", 0, false, PIPE_OF(NM_PIPE_MASTER, "x", "1"), ""},
    {"x}1", 0, false, PIPE_OF(NM_PIPE_SLAVE, "x", "1"), ""},
    {"x{some_Id9", 0, false, PIPE_OF(NM_PIPE_MASTER, "x", "some_Id9"), ""},
    {"vale0:a}1", 0, true, PIPE_OF(NM_PIPE_SLAVE, "vale0:a", "1"), "vale0"},
    {"vale0:a{xyz", 0, true, PIPE_OF(NM_PIPE_MASTER, "vale0:a", "xyz"), "vale0"},
    {"", NM_EINVAL, false, NO_PIPE(""), ""},
    {"vale", NM_EINVAL, false, NO_PIPE(""), ""},
    {"vale0", NM_EINVAL, false, NO_PIPE(""), ""},
    {"vale0:", NM_EINVAL, false, NO_PIPE(""), ""},
    {"vale0:{1", NM_EINVAL, false, NO_PIPE(""), ""},
    {"vale0:a:b", NM_EINVAL, false, NO_PIPE(""), ""},
    {"vale-0:a", NM_EINVAL, false, NO_PIPE(""), ""}, /* an interface with ':' in its name */
    {"x{", NM_EINVAL, false, NO_PIPE(""), ""},
    {"x}", NM_EINVAL, false, NO_PIPE(""), ""},
    {"{1", NM_EINVAL, false, NO_PIPE(""), ""},
    {"}", NM_EINVAL, false, NO_PIPE(""), ""},
    {"x{1}2", NM_EINVAL, false, NO_PIPE(""), ""},
    {"x{1{2", NM_EINVAL, false, NO_PIPE(""), ""},
    {"x{a-b", NM_EINVAL, false, NO_PIPE(""), ""},
    {"x{a b", NM_EINVAL, false, NO_PIPE(""), ""},
    {"netmap:eth0", NM_EINVAL, false, NO_PIPE(""), ""}, /* prefixes are the library's */
    {"eth0^", NM_EINVAL, false, NO_PIPE(""), ""},
    {"eth0/x", NM_EINVAL, false, NO_PIPE(""), ""},
    {"eth0*", NM_EINVAL, false, NO_PIPE(""), ""},
    {"eth0@1", NM_EINVAL, false, NO_PIPE(""), ""},
    {"../x", NM_EINVAL, false, NO_PIPE(""), ""},
    {"a\nb", NM_EINVAL, false, NO_PIPE(""), ""},
    {"a\x7f", NM_EINVAL, false, NO_PIPE(""), ""},
    {"a\xff", NM_EINVAL, false, NO_PIPE(""), ""},
    {"a%n", NM_EINVAL, false, NO_PIPE(""), ""},
};

static void test_table(void **state)
{
    struct nm_handle handle;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct nm_name name;
        int error;

        memset(&handle, 0, sizeof(handle));
        error = nm_name_parse(&handle, names[i].text, &name);
        if (error != names[i].error)
            fail_msg("'%s': error %d, %s", names[i].text, error, handle.message);
        if (error != 0) {
            assert_int_not_equal(handle.message[0], '\0');
            continue;
        }
        assert_int_equal(name.is_vale, names[i].is_vale);
        assert_int_equal(name.is_pipe, names[i].is_pipe);
        if (name.is_pipe)
            assert_int_equal(name.pipe_role, names[i].role);
        assert_string_equal(name.base, names[i].base);
        assert_string_equal(name.pipe_id, names[i].pipe_id);
        assert_string_equal(name.bridge, names[i].bridge);
    }
}

/* Names of every length, with the special characters at every place: no byte beyond the arrays
 * (the sanitised build watches), and what is accepted can be put together again. */
static void test_lengths(void **state)
{
    static const char *const prefixes[] = {"", "v", "vale", "vale1:", "vale1:x{", "x}"};

    (void)state;
    for (size_t p = 0; p < COUNT(prefixes); p++)
        for (size_t length = strlen(prefixes[p]); length < NM_NAME_SIZE; length++)
            for (size_t at = strlen(prefixes[p]); at <= length; at++)
                for (const char *special = "{}:a \\"; *special != '\0'; special++) {
                    char text[NM_NAME_SIZE], again[2 * NM_NAME_SIZE];
                    struct nm_handle handle;
                    struct nm_name name;

                    memset(text, 'b', sizeof(text));
                    memcpy(text, prefixes[p], strlen(prefixes[p]));
                    if (at < length)
                        text[at] = *special;
                    text[length] = '\0';
                    memset(&handle, 0, sizeof(handle));
                    if (nm_name_parse(&handle, text, &name) != 0)
                        continue;
                    snprintf(again, sizeof(again), "%s%s%s", name.base,
                             !name.is_pipe                       ? ""
                             : name.pipe_role == NM_PIPE_MASTER ? "{"
                                                                 : "}",
                             name.pipe_id);
                    assert_string_equal(again, text);
                    assert_int_equal(name.is_vale, strchr(name.base, ':') != NULL);
                }
}

static void test_helpers(void **state)
{
    char copy[NM_NAME_SIZE];

    (void)state;
    assert_true(nm_name_equal("", ""));
    assert_true(nm_name_equal("vale0:a", "vale0:a"));
    assert_false(nm_name_equal("vale0:a", "vale0:ab"));
    assert_false(nm_name_equal("vale0:ab", "vale0:a"));
    assert_false(nm_name_equal("a", "b"));
    memset(copy, 'x', sizeof(copy));
    nm_name_copy(copy, LONG LONG);
    assert_int_equal(strlen(copy), NM_NAME_SIZE - 1);
    nm_name_copy(copy, "ab");
    for (size_t i = 2; i < sizeof(copy); i++) /* nothing of the name before */
        assert_int_equal(copy[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_helpers),
    };

    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
