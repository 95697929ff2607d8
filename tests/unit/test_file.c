#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"

static const char *const yaml_names[] = {".yaml", ".yml", NULL};

/* A directory of its own for each test, below the build's. */
static int make_dir(void **state)
{
    char *dir = strdup(LG_BINARY_DIR "/file-test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    *state = dir;
    return 0;
}

static int remove_dir(void **state)
{
    char *dir = *state;
    char command[512];
    assert_int_equal(chdir(LG_BINARY_DIR), 0);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    free(dir);
    return 0;
}

static void put(const char *path, struct lg_str text)
{
    struct lg_err err = {0};
    assert_int_equal(lg_file_write(path, text, 0644, &err), LG_E_OK);
    assert_int_equal(err.code, LG_E_OK);
}

static void assert_text(const char *path, struct lg_str want)
{
    char *text lg_cleanup(lg_free_cleanup) = NULL;
    size_t n = 0;
    struct lg_err err = {0};
    assert_int_equal(lg_file_read(path, 1 << 24, &text, &n, &err), LG_E_OK);
    assert_int_equal(n, want.n);
    assert_memory_equal(text, want.p, n);
    assert_int_equal(text[n], '\0');
}

static void text_is_written_and_read_back(void **state)
{
    (void)state;
    put("a", LG_STR("some\0text\n"));
    assert_text("a", LG_STR("some\0text\n"));
    put("a", LG_STR(""));
    assert_text("a", LG_STR(""));
    struct lg_buf large lg_cleanup(lg_buf_done) = {0};
    for (int i = 0; i < 50000; i++)
        lg_buf_printf(&large, "line %d\n", i);
    put("a", lg_buf_view(&large));
    assert_text("a", lg_buf_view(&large));
}

static void a_written_file_has_its_mode_and_leaves_nothing_beside_it(void **state)
{
    (void)state;
    struct stat st;
    mode_t was = umask(077);
    assert_int_equal(lg_file_write("key", LG_STR("k"), 0640, NULL), LG_E_OK);
    umask(was);
    assert_int_equal(stat("key", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    static const char *const any[] = {"", NULL};
    char **paths = NULL;
    assert_int_equal(lg_file_list(".", any, &paths, NULL), LG_E_OK);
    assert_string_equal(paths[0], "./key");
    assert_null(paths[1]);
    lg_file_list_free(paths);
}

static void a_link_stays_a_link_to_what_was_written(void **state)
{
    (void)state;
    struct stat st;
    put("target", LG_STR("old"));
    assert_int_equal(symlink("target", "link"), 0);
    put("link", LG_STR("new"));
    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_text("target", LG_STR("new"));
}

static void what_cannot_be_written_is_said(void **state)
{
    (void)state;
    struct lg_err err = {0};
    assert_int_equal(lg_file_write("no/such/a", LG_STR("t"), 0644, &err), LG_E_NOTFOUND);
    assert_int_equal(err.code, LG_E_NOTFOUND);
    assert_int_equal(err.os_errno, ENOENT);
    assert_string_equal(err.where, "no/such/a");
    assert_string_equal(err.text, "cannot write: No such file or directory");
    assert_false(err.truncated);
}

static void assert_read_fails(const char *path, size_t max, enum lg_err_code code, int os_errno,
                              const char *said)
{
    char *text = NULL;
    size_t n = 77;
    struct lg_err err = {0};
    assert_int_equal(lg_file_read(path, max, &text, &n, &err), code);
    assert_null(text);
    assert_int_equal(n, 77);
    assert_int_equal(err.code, code);
    assert_int_equal(err.os_errno, os_errno);
    assert_string_equal(err.where, path);
    assert_string_equal(err.text, said);
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    assert_int_equal(mkdir("dir", 0755), 0);
    assert_read_fails("none", 10, LG_E_NOTFOUND, ENOENT, "cannot open: No such file or directory");
    assert_read_fails("dir", 10, LG_E_INVALID, 0, "is a directory, not a file");
    put("a", LG_STR("0123456789"));
    assert_read_fails("a", 9, LG_E_LIMIT, 0, "is larger than 9 bytes");
    assert_read_fails("/dev/zero", 100000, LG_E_INVALID, 0, "is a device, not a file");
    assert_int_equal(mkfifo("pipe", 0644), 0); /* nobody writes: it is not waited for */
    assert_read_fails("pipe", 10, LG_E_INVALID, 0, "is a named pipe, not a file");
    char *text lg_cleanup(lg_free_cleanup) = NULL;
    size_t n = 0;
    assert_int_equal(lg_file_read("a", 10, &text, &n, NULL), LG_E_OK);
    assert_int_equal(n, 10);
}

static void a_pipe_is_read_to_its_end(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "piped", 5), 5);
    close(ends[1]);
    int standard_input = dup(STDIN_FILENO);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    assert_text("-", LG_STR("piped"));
    /* As the shell's <(command) names one. */
    assert_int_equal(pipe(ends), 0);
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(write(ends[1], "named", 5), 5);
    close(ends[1]);
    assert_text(path, LG_STR("named"));
    close(ends[0]);
    if (standard_input >= 0)
        assert_int_equal(dup2(standard_input, STDIN_FILENO), STDIN_FILENO);
}

static void a_name_is_read_within_an_open_directory(void **state)
{
    (void)state;
    assert_int_equal(mkdir("dir", 0755), 0);
    put("dir/tls.crt", LG_STR("pem"));
    FILE *dir = fopen("dir", "r");
    assert_non_null(dir);
    char *text lg_cleanup(lg_free_cleanup) = NULL;
    size_t n = 0;
    struct lg_err err = {0};
    assert_int_equal(lg_file_read_at(fileno(dir), "tls.crt", 100, &text, &n, &err), LG_E_OK);
    assert_string_equal(text, "pem");
    char *none = NULL;
    assert_int_equal(lg_file_read_at(fileno(dir), "tls.key", 100, &none, &n, &err), LG_E_NOTFOUND);
    assert_string_equal(err.where, "tls.key");
    assert_null(none);
    fclose(dir);
}

static void assert_listed(const char *path, const char *const *want)
{
    char **paths = NULL;
    struct lg_err err = {0};
    assert_int_equal(lg_file_list(path, yaml_names, &paths, &err), LG_E_OK);
    size_t n = 0;
    for (; want[n] != NULL; n++)
        assert_string_equal(paths[n], want[n]);
    assert_null(paths[n]);
    lg_file_list_free(paths);
}

static void a_directory_is_listed_sorted_and_deep(void **state)
{
    (void)state;
    assert_int_equal(mkdir("d", 0755), 0);
    assert_int_equal(mkdir("d/b", 0755), 0);
    assert_int_equal(mkdir("d/b/c", 0755), 0);
    assert_int_equal(mkdir("d/.git", 0755), 0);
    static const char *const files[] = {"d/z.yaml",     "d/a.yml",       "d/b/x.yaml",
                                        "d/b/c/y.yaml", "d/.git/h.yaml", "d/.hidden.yaml",
                                        "d/notes.txt"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put(files[i], LG_STR("a"));
    assert_int_equal(symlink("../z.yaml", "d/b/link.yaml"), 0);
    assert_int_equal(symlink("..", "d/b/up"), 0);
    assert_int_equal(mkfifo("d/pipe", 0644), 0);
    assert_listed("d", (const char *[]){"d/a.yml", "d/b/c/y.yaml", "d/b/link.yaml", "d/b/x.yaml",
                                        "d/z.yaml", NULL});
    assert_listed("d/b/", (const char *[]){"d/b/c/y.yaml", "d/b/link.yaml", "d/b/x.yaml", NULL});
    assert_listed("d/.git", (const char *[]){"d/.git/h.yaml", NULL});
}

static void a_file_is_itself_whatever_its_name(void **state)
{
    (void)state;
    put("notes.txt", LG_STR("a"));
    assert_listed("notes.txt", (const char *[]){"notes.txt", NULL});
    assert_listed("-", (const char *[]){"-", NULL});
    assert_int_equal(mkdir("empty", 0755), 0);
    assert_listed("empty", (const char *[]){NULL});
}

static void what_cannot_be_listed_is_said(void **state)
{
    (void)state;
    char **paths = NULL;
    struct lg_err err = {0};
    assert_int_equal(lg_file_list("none", yaml_names, &paths, &err), LG_E_NOTFOUND);
    assert_null(paths);
    assert_string_equal(err.where, "none");
    assert_string_equal(err.text, "cannot open: No such file or directory");
    assert_int_equal(err.os_errno, ENOENT);

    assert_int_equal(mkdir("d", 0755), 0);
    assert_int_equal(symlink("gone", "d/a.yaml"), 0);
    struct lg_err dangling = {0};
    assert_int_equal(lg_file_list("d", yaml_names, &paths, &dangling), LG_E_NOTFOUND);
    assert_null(paths);
    assert_string_equal(dangling.where, "d/a.yaml");

    assert_int_equal(mkdir("p", 0755), 0);
    assert_int_equal(mkfifo("p/pipe.yaml", 0644), 0);
    struct lg_err piped = {0};
    assert_int_equal(lg_file_list("p", yaml_names, &paths, &piped), LG_E_INVALID);
    assert_null(paths);
    assert_string_equal(piped.where, "p/pipe.yaml");
    assert_string_equal(piped.text, "is a named pipe, not a file");

    static const char *const kernels[] = {"/proc", "/sys/class"};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        struct lg_err kernel = {0};
        assert_int_equal(lg_file_list(kernels[i], yaml_names, &paths, &kernel), LG_E_INVALID);
        assert_null(paths);
        assert_string_equal(kernel.where, kernels[i]);
        assert_string_equal(kernel.text,
                            "is a file system of the kernel, not a directory of manifests");
    }
    lg_file_list_free(NULL);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(text_is_written_and_read_back),
        FILE_TEST(a_written_file_has_its_mode_and_leaves_nothing_beside_it),
        FILE_TEST(a_link_stays_a_link_to_what_was_written),
        FILE_TEST(what_cannot_be_written_is_said),
        FILE_TEST(what_cannot_be_read_is_said),
        FILE_TEST(a_pipe_is_read_to_its_end),
        FILE_TEST(a_name_is_read_within_an_open_directory),
        FILE_TEST(a_directory_is_listed_sorted_and_deep),
        FILE_TEST(a_file_is_itself_whatever_its_name),
        FILE_TEST(what_cannot_be_listed_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
