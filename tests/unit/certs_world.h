/* A certificate directory for each test, at a fixed time. Included by one file of a test program;
 * one thread. */
#ifndef LG_TESTS_UNIT_CERTS_WORLD_H
#define LG_TESTS_UNIT_CERTS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "certs/keypair.h"
#include "certs/rotate.h"
#include "rules/core/file.h"
#include "tests/support/asserts.h"

enum { DAY = 86400, YEAR = 365 * DAY };

static const int64_t T0 = 1763887620; /* 2025-11-23T08:47:00Z */

static inline char *path_of(const char *dir, const char *name)
{
    static char path[4][2 * PATH_MAX];
    static unsigned turn;
    char *p = path[turn++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static inline int make_dir(void **state)
{
    char *dir = strdup("/tmp/livegate-certs-XXXXXX");
    *state = dir;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static inline int remove_dir(void **state)
{
    char command[PATH_MAX];
    (void)snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    int rc = system(command);
    free(*state);
    return rc;
}

static inline char *text_of(const char *dir, const char *name)
{
    char *text = NULL;
    size_t n = 0;
    struct lg_err err = {0};
    assert_int_equal(lg_file_read(path_of(dir, name), 1 << 20, &text, &n, &err), LG_E_OK);
    return text;
}

static inline void put(const char *dir, const char *name, const char *text)
{
    struct lg_err err = {0};
    assert_int_equal(lg_file_write(path_of(dir, name), lg_str_of(text), 0600, &err), LG_E_OK);
}

static inline struct lg_issue_options options_of(const char *dir)
{
    return (struct lg_issue_options){.dir = dir, .days = 365, .ca_days = 3650, .now_unix_s = T0};
}

static inline struct lg_issue_result issue_with(const struct lg_issue_options *options)
{
    struct lg_err err = {0};
    struct lg_issue_result result = {0};
    enum lg_err_code code = lg_certs_issue(options, &result, &err);
    if (code != LG_E_OK)
        print_error("%s: %s\n", err.where, err.text);
    assert_int_equal(code, LG_E_OK);
    assert_int_equal(ERR_peek_error(), 0);
    return result;
}

static inline void issue(const char *dir)
{
    struct lg_issue_options options = options_of(dir);
    struct lg_issue_result result = issue_with(&options);
    assert_true(result.authority_made && result.leaf_made && !result.authority_waits);
}

static inline struct lg_keypair *load(const char *dir, int64_t now)
{
    struct lg_err err = {0};
    struct lg_keypair *pair = NULL;
    enum lg_err_code code = lg_keypair_load(dir, now, &pair, &err);
    if (code != LG_E_OK)
        print_error("%s: %s\n", err.where, err.text);
    assert_int_equal(code, LG_E_OK);
    assert_int_equal(ERR_peek_error(), 0);
    return pair;
}

#define DIR_TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

#endif
