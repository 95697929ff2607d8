/* Certificate directories: what is loaded, and what is said about bad ones. */
#include <sys/stat.h>

#include "tests/unit/certs_world.h"

static void assert_load_fails(const char *dir, int64_t now, enum lg_err_code code,
                              const char *where, const char *text)
{
    struct lg_err err = {0};
    struct lg_keypair *pair = NULL;
    assert_int_equal(lg_keypair_load(dir, now, &pair, &err), code);
    assert_null(pair);
    lg_assert_err(&err, code, where, text);
    assert_int_equal(ERR_peek_error(), 0);
}

static void a_pair_out_of_its_time_is_not_loaded(void **state)
{
    issue(*state);
    lg_keypair_free(load(*state, T0 + YEAR - 1));
    assert_load_fails(*state, T0 + YEAR, LG_E_TLS, *state,
                      "certificate tls.crt expired on 2026-11-23");
    lg_keypair_free(load(*state, T0 - 300));
    assert_load_fails(*state, T0 - 301, LG_E_TLS, *state,
                      "certificate tls.crt is not valid before 2025-11-23T08:42:00Z");
}

static void a_key_of_another_certificate_is_not_loaded(void **state)
{
    const char *dir = *state;
    issue(dir);
    issue(path_of(dir, "other"));
    char *key lg_cleanup(lg_free_cleanup) = text_of(path_of(dir, "other"), "tls.key");
    put(dir, "tls.key", key);
    assert_load_fails(dir, T0, LG_E_TLS, dir, "tls.key does not belong to tls.crt");
}

static void a_pair_needs_no_authority_beside_it(void **state)
{
    issue(*state);
    assert_int_equal(unlink(path_of(*state, "ca.crt")), 0);
    struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = load(*state, T0);
    assert_null(pair->ca_pem.p);
    assert_string_equal(pair->trust_problem, "");
    assert_int_equal(pair->issuers_not_after_unix_s, 0);
}

static void a_pair_of_another_authority_is_loaded_and_said(void **state)
{
    const char *dir = *state;
    issue(dir);
    issue(path_of(dir, "other"));
    char *ca lg_cleanup(lg_free_cleanup) = text_of(path_of(dir, "other"), "ca.crt");
    put(dir, "ca.crt", ca);
    struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = load(dir, T0);
    assert_string_equal(
        pair->trust_problem,
        "tls.crt does not verify against ca.crt: unable to get local issuer certificate");
    assert_int_equal(pair->issuers_not_after_unix_s, 0);
    put(dir, "ca.crt", "nothing");
    struct lg_keypair *next lg_cleanup(lg_keypair_free_cleanup) = load(dir, T0);
    assert_string_equal(next->trust_problem, "ca.crt holds no PEM certificate");
}

static void files_that_are_too_large_are_not_read(void **state)
{
    const char *dir = *state;
    issue(dir);
    static const struct {
        const char *name, *want;
        size_t max;
    } rows[] = {
        {"tls.crt", "is larger than 65536 bytes", 65536},
        {"tls.key", "is larger than 16384 bytes", 16384},
        {"ca.crt", "is larger than 262144 bytes", 262144},
    };
    for (size_t i = 0; i < 3; i++) {
        char *good lg_cleanup(lg_free_cleanup) = text_of(dir, rows[i].name);
        char *text lg_cleanup(lg_free_cleanup) = lg_calloc(rows[i].max + 2, 1);
        memset(text, '\n', rows[i].max + 1);
        memcpy(text, good, strlen(good));
        put(dir, rows[i].name, text);
        assert_load_fails(dir, T0, LG_E_LIMIT, path_of(dir, rows[i].name), rows[i].want);
        text[rows[i].max] = '\0';
        put(dir, rows[i].name, text);
        lg_keypair_free(load(dir, T0));
        put(dir, rows[i].name, good);
    }
}

static void chains_that_are_too_long_are_not_loaded(void **state)
{
    const char *dir = *state;
    issue(dir);
    char *one lg_cleanup(lg_free_cleanup) = text_of(dir, "tls.crt");
    struct lg_buf many lg_cleanup(lg_buf_done) = {0};
    for (int i = 0; i < 64; i++)
        lg_buf_puts(&many, one);
    assert_true(many.n < LG_CERTS_CHAIN_BYTES_MAX);
    put(dir, "tls.crt", many.p);
    lg_keypair_free(load(dir, T0));
    lg_buf_puts(&many, one);
    put(dir, "tls.crt", many.p);
    assert_load_fails(dir, T0, LG_E_TLS, dir, "tls.crt holds more than 64 certificates");
}

static void missing_directories_and_files_are_named(void **state)
{
    struct lg_err err = {0};
    struct lg_keypair *pair = NULL;
    char *none = path_of(*state, "none");
    assert_int_equal(lg_keypair_load(none, T0, &pair, &err), LG_E_NOTFOUND);
    assert_string_equal(err.where, none);
    assert_string_equal(err.text,
                        "cannot open the certificate directory: No such file or directory");
    assert_load_fails(*state, T0, LG_E_NOTFOUND, *state, "tls.crt is missing");
    issue(*state);
    assert_int_equal(unlink(path_of(*state, "tls.key")), 0);
    assert_load_fails(*state, T0, LG_E_NOTFOUND, *state, "tls.key is missing");
    assert_int_equal(mkdir(path_of(*state, "tls.key"), 0700), 0);
    assert_int_equal(lg_keypair_load(*state, T0, &pair, NULL), LG_E_IO);
    assert_int_equal(rmdir(path_of(*state, "tls.key")), 0);
    assert_int_equal(mkfifo(path_of(*state, "tls.key"), 0600), 0);
    assert_load_fails(*state, T0, LG_E_TLS, *state, "tls.key holds no readable PEM private key");
}

static void a_secret_volume_is_read_through_its_data_link(void **state)
{
    const char *dir = *state;
    issue(path_of(dir, "..1"));
    issue(path_of(dir, "..2"));
    assert_int_equal(symlink("..1", path_of(dir, "..data")), 0);
    assert_int_equal(symlink("..data/tls.crt", path_of(dir, "tls.crt")), 0);
    /* A key that is no part of the volume's current data: read through the link it is never
     * seen. */
    put(dir, "tls.key", "old");
    struct lg_keypair *one lg_cleanup(lg_keypair_free_cleanup) = load(dir, T0);
    assert_int_equal(unlink(path_of(dir, "..data")), 0);
    assert_int_equal(symlink("..2", path_of(dir, "..data")), 0);
    struct lg_keypair *two lg_cleanup(lg_keypair_free_cleanup) = load(dir, T0);
    assert_string_not_equal(one->sha256, two->sha256);
}

/* Any damage gives a pair or an error in words; never a crash, and never a pair with another
 * key. */
static void damaged_files_are_loaded_or_refused(void **state)
{
    static const char *const names[] = {"tls.crt", "tls.key", "ca.crt"};
    issue(*state);
    unsigned seed = 12345;
    for (size_t f = 0; f < 3; f++) {
        char *good lg_cleanup(lg_free_cleanup) = text_of(*state, names[f]);
        size_t n = strlen(good);
        for (int i = 0; i < 300; i++) {
            char *bad lg_cleanup(lg_free_cleanup) = lg_memdup(good, n);
            seed = seed * 1103515245 + 12345;
            bad[(seed >> 8) % n] = (char)('!' + (seed >> 24) % 90);
            put(*state, names[f], bad);
            struct lg_err err = {0};
            struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = NULL;
            enum lg_err_code code = lg_keypair_load(*state, T0, &pair, &err);
            assert_true(code == LG_E_OK || code == LG_E_TLS);
            assert_int_equal(err.code, code);
            assert_true((pair != NULL) == (code == LG_E_OK));
            assert_null(strstr(err.text, "BEGIN"));
            assert_int_equal(ERR_peek_error(), 0);
        }
        put(*state, names[f], good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(a_pair_out_of_its_time_is_not_loaded),
        DIR_TEST(a_key_of_another_certificate_is_not_loaded),
        DIR_TEST(a_pair_needs_no_authority_beside_it),
        DIR_TEST(a_pair_of_another_authority_is_loaded_and_said),
        DIR_TEST(files_that_are_too_large_are_not_read),
        DIR_TEST(chains_that_are_too_long_are_not_loaded),
        DIR_TEST(missing_directories_and_files_are_named),
        DIR_TEST(a_secret_volume_is_read_through_its_data_link),
        DIR_TEST(damaged_files_are_loaded_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
