/* Certificate directories: what is issued, renewed, left alone, and under which names. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "certs/bundle.h"
#include "certs/names.h"
#include "tests/unit/certs_world.h"

static bool same(const char *dir, const char *name, const char *before)
{
    char *now lg_cleanup(lg_free_cleanup) = text_of(dir, name);
    return strcmp(now, before) == 0;
}

static void assert_issue_fails(const struct lg_issue_options *options, enum lg_err_code code,
                               const char *where, const char *text)
{
    struct lg_err err = {0};
    struct lg_issue_result result = {.leaf_made = true};
    assert_int_equal(lg_certs_issue(options, &result, &err), code);
    lg_assert_err(&err, code, where, text);
    assert_true(result.leaf_made); /* left as it was */
    assert_int_equal(ERR_peek_error(), 0);
}

static void inspect(const char *dir, int64_t now, struct lg_arena *arena,
                    struct lg_cert_report *ret)
{
    struct lg_cert_files files lg_cleanup(lg_cert_files_done) = {0};
    struct lg_err err = {0};
    int fd = -1;
    assert_int_equal(lg_cert_dir_open(dir, &fd, &err), LG_E_OK);
    assert_int_equal(lg_cert_files_read(fd, dir, true, &files, &err), LG_E_OK);
    close(fd);
    lg_arena_init(arena);
    lg_cert_inspect(&files, now, arena, ret);
}

static bool issuer_is(const char *dir, const char *wanted)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_cert_report report;
    inspect(dir, T0, &arena, &report);
    assert_true(report.count >= 1);
    return lg_str_is(report.certs[0].issuer, wanted);
}

static char *authority_of(const char *dir, size_t position)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_cert_report report;
    inspect(dir, T0, &arena, &report);
    assert_true(report.count > position);
    return lg_memdup(report.certs[position].subject.p, report.certs[position].subject.n);
}

/* --- issue --- */

static void a_fresh_directory_gets_an_authority_and_a_pair(void **state)
{
    const char *dir = *state;
    issue(dir);
    struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = load(dir, T0);
    assert_int_equal(pair->not_before_unix_s, T0 - 300);
    assert_int_equal(pair->not_after_unix_s, T0 + YEAR);
    assert_int_equal(pair->issuers_not_after_unix_s, T0 + 10 * (int64_t)YEAR);
    assert_string_equal(pair->trust_problem, "");
    assert_int_equal(strlen(pair->sha256), 64);
    assert_true(lg_str_starts(pair->chain_pem, "-----BEGIN CERTIFICATE-----\n"));
    assert_true(lg_str_starts(pair->key_pem, "-----BEGIN PRIVATE KEY-----\n"));
    assert_true(lg_str_starts(pair->ca_pem, "-----BEGIN CERTIFICATE-----\n"));
    assert_int_equal(pair->chain_pem.p[pair->chain_pem.n], '\0');
    static const struct {
        const char *name;
        mode_t mode;
    } files[] = {{"tls.crt", 0644}, {"tls.key", 0600}, {"ca.crt", 0644}, {"ca.key", 0600}};
    for (size_t i = 0; i < 4; i++) {
        struct stat st;
        assert_int_equal(stat(path_of(dir, files[i].name), &st), 0);
        assert_int_equal(st.st_mode & 07777, files[i].mode);
    }
}

static void the_directory_is_made_for_its_owner_only(void **state)
{
    char *dir = path_of(*state, "new");
    issue(dir);
    struct stat st;
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void the_pair_bears_the_service_and_further_names(void **state)
{
    static const char *const sans[] = {"LocalHost", "127.0.0.1", "::1", "*.example.org",
                                       "localhost"};
    struct lg_issue_options options = options_of(*state);
    options.service = "gate";
    options.namespace_name = "virt";
    options.sans = sans;
    options.san_count = 5;
    assert_true(issue_with(&options).leaf_made);
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_cert_report report;
    inspect(*state, T0, &arena, &report);
    assert_int_equal(report.problems.count, 0);
    assert_int_equal(report.count, 2);
    const struct lg_cert_info *leaf = &report.certs[0];
    static const char *const want[] = {"gate.virt.svc", "gate.virt.svc.cluster.local",
                                       "gate.virt",     "localhost",
                                       "127.0.0.1",     "::1",
                                       "*.example.org"};
    assert_int_equal(leaf->name_count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_true(lg_str_is(leaf->names[i], want[i]));
    assert_string_equal(leaf->file, "tls.crt");
    assert_int_equal(leaf->position, 1);
    assert_true(lg_str_is(leaf->subject, "CN=gate.virt.svc"));
    assert_true(lg_str_eq(leaf->issuer, report.certs[1].subject));
    assert_true(lg_str_is(leaf->key, "EC 256"));
    assert_int_equal(leaf->serial.n, 40);
    assert_false(leaf->authority);
    assert_string_equal(report.certs[1].file, "ca.crt");
    assert_true(report.certs[1].authority);
    assert_int_equal(report.certs[1].name_count, 0);
    assert_true(lg_str_starts(report.certs[1].subject, "CN=livegate CA "));
}

static void a_good_pair_is_left_alone(void **state)
{
    const char *dir = *state;
    issue(dir);
    char *chain lg_cleanup(lg_free_cleanup) = text_of(dir, "tls.crt");
    char *key lg_cleanup(lg_free_cleanup) = text_of(dir, "tls.key");
    char *ca lg_cleanup(lg_free_cleanup) = text_of(dir, "ca.crt");
    struct lg_issue_options options = options_of(dir);
    options.now_unix_s = T0 + YEAR - 1; /* its last second */
    struct lg_issue_result result = issue_with(&options);
    assert_false(result.authority_made || result.leaf_made || result.authority_waits);
    assert_true(same(dir, "tls.crt", chain) && same(dir, "tls.key", key) &&
                same(dir, "ca.crt", ca));
}

static void a_good_pair_without_a_name_that_is_asked_for_is_said(void **state)
{
    static const char *const sans[] = {"127.0.0.1"};
    issue(*state);
    struct lg_issue_options options = options_of(*state);
    options.sans = sans;
    options.san_count = 1;
    assert_issue_fails(&options, LG_E_TLS, *state,
                       "tls.crt is not for \"127.0.0.1\"; --renew replaces it");
    options.renew = LG_RENEW_NOW;
    assert_true(issue_with(&options).leaf_made);
    options.renew = LG_RENEW_NO;
    assert_false(issue_with(&options).leaf_made);
}

static void a_missing_pair_is_signed_by_the_authority_that_is_there(void **state)
{
    const char *dir = *state;
    issue(dir);
    char *ca lg_cleanup(lg_free_cleanup) = text_of(dir, "ca.crt");
    assert_int_equal(unlink(path_of(dir, "tls.crt")), 0);
    assert_int_equal(unlink(path_of(dir, "tls.key")), 0);
    struct lg_issue_options options = options_of(dir);
    struct lg_issue_result result = issue_with(&options);
    assert_true(result.leaf_made && !result.authority_made);
    assert_true(same(dir, "ca.crt", ca));
    lg_keypair_free(load(dir, T0));
}

static void bad_pairs_are_said_and_replaced_on_renewal(void **state)
{
    static const struct {
        const char *file, *text; /* NULL: removed */
        const char *want;
    } rows[] = {
        {"tls.crt", NULL, "tls.crt is missing; --renew replaces it"},
        {"tls.key", NULL, "tls.key is missing; --renew replaces it"},
        {"tls.crt", "", "tls.crt holds no PEM certificate; --renew replaces it"},
        {"tls.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
         "certificate 1 in tls.crt cannot be read; --renew replaces it"},
        {"tls.key", "no key", "tls.key holds no readable PEM private key; --renew replaces it"},
    };
    const char *dir = *state;
    issue(dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_issue_options options = options_of(dir);
        if (rows[i].text != NULL)
            put(dir, rows[i].file, rows[i].text);
        else
            assert_int_equal(unlink(path_of(dir, rows[i].file)), 0);
        assert_issue_fails(&options, LG_E_TLS, dir, rows[i].want);
        options.renew = LG_RENEW_DUE;
        struct lg_issue_result result = issue_with(&options);
        assert_true(result.leaf_made && !result.authority_made);
        lg_keypair_free(load(dir, T0));
    }
}

static void an_expired_pair_is_said_and_replaced_on_renewal(void **state)
{
    issue(*state);
    struct lg_issue_options options = options_of(*state);
    options.now_unix_s = T0 + YEAR;
    assert_issue_fails(&options, LG_E_TLS, *state,
                       "certificate tls.crt expired on 2026-11-23; --renew replaces it");
    options.renew = LG_RENEW_DUE;
    assert_true(issue_with(&options).leaf_made);
    lg_keypair_free(load(*state, options.now_unix_s));
}

/* --- renew --- */

static void renewal_replaces_key_and_certificate_and_keeps_names(void **state)
{
    static const char *const sans[] = {"127.0.0.1", "gate.example.org"};
    struct lg_issue_options options = options_of(*state);
    options.sans = sans;
    options.san_count = 2;
    issue_with(&options);
    struct lg_keypair *before lg_cleanup(lg_keypair_free_cleanup) = load(*state, T0);
    char *ca lg_cleanup(lg_free_cleanup) = text_of(*state, "ca.crt");
    options = options_of(*state);
    options.renew = LG_RENEW_NOW;
    struct lg_issue_result result = issue_with(&options);
    assert_true(result.leaf_made && !result.authority_made && !result.authority_waits);
    struct lg_keypair *after lg_cleanup(lg_keypair_free_cleanup) = load(*state, T0);
    assert_string_not_equal(before->sha256, after->sha256);
    assert_false(lg_str_eq(before->key_pem, after->key_pem));
    assert_true(same(*state, "ca.crt", ca));
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_cert_report report;
    inspect(*state, T0, &arena, &report);
    assert_int_equal(report.certs[0].name_count, 5);
    assert_true(lg_str_is(report.certs[0].names[3], "127.0.0.1"));
    assert_true(lg_str_is(report.certs[0].names[4], "gate.example.org"));
}

static void renewal_when_due_waits_for_two_thirds_of_the_life(void **state)
{
    issue(*state);
    struct lg_issue_options options = options_of(*state);
    options.renew = LG_RENEW_DUE;
    int64_t life = YEAR + 300;
    options.now_unix_s = T0 - 300 + life - life / 3 - 1;
    assert_false(issue_with(&options).leaf_made);
    options.now_unix_s++;
    assert_true(issue_with(&options).leaf_made);
    assert_true(lg_cert_is_due(0, 90, 60));
    assert_false(lg_cert_is_due(0, 90, 59));
}

static void an_authority_that_is_due_is_published_before_it_signs(void **state)
{
    const char *dir = *state;
    issue(dir);
    char *old lg_cleanup(lg_free_cleanup) = authority_of(dir, 1);
    struct lg_issue_options options = options_of(dir);
    options.renew = LG_RENEW_DUE;
    options.now_unix_s = T0 + 7 * (int64_t)YEAR;
    struct lg_issue_result result = issue_with(&options);
    assert_true(result.authority_made && result.leaf_made && result.authority_waits);
    assert_true(issuer_is(dir, old));
    struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = load(dir, options.now_unix_s);
    assert_string_equal(pair->trust_problem, "");
    assert_int_equal(pair->issuers_not_after_unix_s, T0 + 10 * (int64_t)YEAR);
    char *new lg_cleanup(lg_free_cleanup) = authority_of(dir, 1);
    char *second lg_cleanup(lg_free_cleanup) = authority_of(dir, 2);
    assert_string_not_equal(new, old);
    assert_string_equal(second, old);

    options.renew = LG_RENEW_NOW;
    result = issue_with(&options);
    assert_true(!result.authority_made && result.leaf_made && !result.authority_waits);
    assert_true(issuer_is(dir, new));
    struct lg_keypair *next lg_cleanup(lg_keypair_free_cleanup) = load(dir, options.now_unix_s);
    assert_string_equal(next->trust_problem, "");
    assert_int_equal(next->issuers_not_after_unix_s, T0 + 17 * (int64_t)YEAR);
}

static void a_pair_never_outlives_its_authority(void **state)
{
    issue(*state);
    struct lg_issue_options options = options_of(*state);
    options.renew = LG_RENEW_NOW;
    options.now_unix_s = T0 + 10 * (int64_t)YEAR - 30 * DAY;
    assert_true(issue_with(&options).authority_waits);
    struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = load(*state, options.now_unix_s);
    assert_int_equal(pair->not_after_unix_s, T0 + 10 * (int64_t)YEAR);
}

static void an_expired_authority_is_replaced_at_once(void **state)
{
    issue(*state);
    struct lg_issue_options options = options_of(*state);
    options.now_unix_s = T0 + 11 * (int64_t)YEAR;
    options.renew = LG_RENEW_DUE;
    struct lg_issue_result result = issue_with(&options);
    assert_true(result.authority_made && result.leaf_made && !result.authority_waits);
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_cert_report report;
    inspect(*state, options.now_unix_s, &arena, &report);
    assert_int_equal(report.problems.count, 0);
    assert_int_equal(report.count, 2); /* the expired one has left the bundle */
}

static void a_new_authority_can_be_asked_for(void **state)
{
    const char *dir = *state;
    issue(dir);
    char *old lg_cleanup(lg_free_cleanup) = authority_of(dir, 1);
    struct lg_issue_options options = options_of(dir);
    options.new_authority = true;
    for (int i = 0; i < 5; i++) {
        struct lg_issue_result result = issue_with(&options);
        assert_true(result.authority_made && result.leaf_made && result.authority_waits);
        if (i == 0)
            assert_true(issuer_is(dir, old));
        lg_keypair_free(load(dir, T0));
    }
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_cert_report report;
    inspect(dir, T0, &arena, &report);
    assert_int_equal(report.count, 1 + LG_CERT_BUNDLE_MAX);
    assert_int_equal(report.problems.count, 0);
}

/* Appends what lg_cert_bundle makes of them, and returns how many certificates that are; -1:
 * refused as LG_E_TLS. */
static int bundle(const char *ca, const char *published, int64_t now_unix_s, struct lg_buf *ret)
{
    struct lg_err err = {0};
    enum lg_err_code code =
        lg_cert_bundle(lg_str_of(ca), "ca.crt", lg_str_of(published), now_unix_s, ret, &err);
    assert_int_equal(err.code, code);
    if (code != LG_E_OK) {
        assert_int_equal(code, LG_E_TLS);
        return -1;
    }
    int n = 0;
    for (const char *p = ret->p; (p = strstr(p, "BEGIN CERTIFICATE")) != NULL; p++)
        n++;
    return n;
}

static void a_bundle_keeps_what_is_trusted_already(void **state)
{
    const char *dir = *state;
    issue(dir);
    char *old lg_cleanup(lg_free_cleanup) = text_of(dir, "ca.crt");
    char other_dir[PATH_MAX];
    (void)snprintf(other_dir, sizeof other_dir, "%s/other", dir);
    struct lg_issue_options options = options_of(other_dir);
    options.now_unix_s = T0 + YEAR;
    (void)issue_with(&options);
    char *new lg_cleanup(lg_free_cleanup) = text_of(other_dir, "ca.crt");

    struct lg_buf first lg_cleanup(lg_buf_done) = {0};
    struct lg_buf second lg_cleanup(lg_buf_done) = {0};
    struct lg_buf later lg_cleanup(lg_buf_done) = {0};
    assert_int_equal(bundle(new, old, T0 + YEAR, &first), 2);
    assert_true(lg_str_starts(lg_buf_view(&first), new)); /* what is served is tried first */
    assert_int_equal(bundle(new, first.p, T0 + YEAR, &second), 2);
    assert_string_equal(first.p, second.p);
    assert_int_equal(bundle(new, first.p, T0 + 10 * (int64_t)YEAR + DAY, &later), 1);
    assert_string_equal(later.p, new);

    for (int i = 0; i < 3; i++) { /* what cannot be read adds nothing */
        static const char *const nothing[] = {NULL, "\n", "-----BEGIN CERTIFICATE-----\nx"};
        struct lg_buf alone lg_cleanup(lg_buf_done) = {0};
        assert_int_equal(bundle(new, nothing[i], T0 + YEAR, &alone), 1);
    }
    struct lg_buf none lg_cleanup(lg_buf_done) = {0};
    assert_int_equal(bundle(new, old, T0 + 12 * (int64_t)YEAR, &none), -1);
    assert_int_equal(bundle("nothing", old, T0 + YEAR, &none), -1);
    assert_int_equal(none.n, 0);
}

static void a_stop_between_publishing_and_taking_over_does_no_harm(void **state)
{
    const char *dir = *state;
    issue(dir);
    char *old lg_cleanup(lg_free_cleanup) = authority_of(dir, 1);
    char *old_key lg_cleanup(lg_free_cleanup) = text_of(dir, "ca.key");
    struct lg_issue_options options = options_of(dir);
    options.new_authority = true;
    issue_with(&options);
    put(dir, "ca.key", old_key); /* as if it had stopped after ca.crt */
    options.new_authority = false;
    options.renew = LG_RENEW_NOW;
    assert_true(issue_with(&options).leaf_made);
    assert_true(issuer_is(dir, old));
    struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = load(dir, T0);
    assert_string_equal(pair->trust_problem, "");
}

static void a_broken_authority_is_replaced_on_renewal_and_the_pair_kept(void **state)
{
    const char *dir = *state;
    issue(dir);
    put(dir, "ca.key", "no key");
    char *chain lg_cleanup(lg_free_cleanup) = text_of(dir, "tls.crt");
    struct lg_issue_options options = options_of(dir);
    options.renew = LG_RENEW_NOW;
    struct lg_issue_result result = issue_with(&options);
    assert_true(result.authority_made && !result.leaf_made && result.authority_waits);
    assert_true(same(dir, "tls.crt", chain));
    struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = load(dir, T0);
    assert_string_equal(pair->trust_problem, "");
    result = issue_with(&options);
    assert_true(!result.authority_made && result.leaf_made && !result.authority_waits);
}

static void a_missing_pair_with_a_broken_authority_is_said(void **state)
{
    const char *dir = *state;
    issue(dir);
    assert_int_equal(unlink(path_of(dir, "tls.crt")), 0);
    assert_int_equal(unlink(path_of(dir, "tls.key")), 0);
    put(dir, "ca.key", "no key");
    struct lg_issue_options options = options_of(dir);
    assert_issue_fails(&options, LG_E_TLS, dir,
                       "ca.key holds no readable PEM private key; --renew makes a new authority");
    options.now_unix_s = T0 + 11 * (int64_t)YEAR;
    char *key = path_of(dir, "ca.key");
    assert_int_equal(unlink(key), 0);
    assert_issue_fails(&options, LG_E_UNSUPPORTED, dir,
                       "there are certificates here and no ca.key, so another issuer keeps them; "
                       "--new-ca makes an authority of our own beside it");
}

static void an_expired_authority_without_a_pair_is_said(void **state)
{
    const char *dir = *state;
    issue(dir);
    assert_int_equal(unlink(path_of(dir, "tls.crt")), 0);
    assert_int_equal(unlink(path_of(dir, "tls.key")), 0);
    struct lg_issue_options options = options_of(dir);
    options.now_unix_s = T0 + 11 * (int64_t)YEAR;
    assert_issue_fails(&options, LG_E_TLS, dir,
                       "the authority in ca.crt is valid until 2035-11-21 only; --renew makes a "
                       "new authority");
}

static void certificates_of_another_issuer_are_left_alone(void **state)
{
    const char *dir = *state;
    issue(dir);
    assert_int_equal(unlink(path_of(dir, "ca.key")), 0);
    struct lg_issue_options options = options_of(dir);
    assert_false(issue_with(&options).leaf_made);
    options.renew = LG_RENEW_NOW;
    assert_issue_fails(&options, LG_E_UNSUPPORTED, dir,
                       "there are certificates here and no ca.key, so another issuer keeps them; "
                       "--new-ca makes an authority of our own beside it");
    options.new_authority = true;
    struct lg_issue_result result = issue_with(&options);
    assert_true(result.authority_made && !result.leaf_made && result.authority_waits);
    struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = load(dir, T0);
    assert_string_equal(pair->trust_problem, "");
}

static void a_mounted_secret_is_not_written_to(void **state)
{
    const char *dir = *state;
    assert_int_equal(mkdir(path_of(dir, "..1"), 0700), 0);
    assert_int_equal(symlink("..1", path_of(dir, "..data")), 0);
    struct lg_issue_options options = options_of(dir);
    assert_issue_fails(&options, LG_E_UNSUPPORTED, dir,
                       "is a mounted secret: issue into another directory and replace the secret");
}

static void one_process_issues_at_a_time(void **state)
{
    int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    struct lg_issue_options options = options_of(*state);
    assert_issue_fails(&options, LG_E_CONFLICT, *state,
                       "another process is issuing certificates here; try again when it is done");
    close(fd);
    assert_true(issue_with(&options).leaf_made);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    struct lg_issue_options options = options_of(*state);
    options.days = 0;
    assert_issue_fails(&options, LG_E_INVALID, "", "days must be 1 to 36500");
    options.days = 400;
    options.ca_days = 399;
    assert_issue_fails(&options, LG_E_INVALID, "",
                       "the serving certificate (400 days) cannot outlive its authority (399)");
    options.ca_days = 36501;
    assert_issue_fails(&options, LG_E_INVALID, "", "days must be 1 to 36500");
    options = options_of(*state);
    options.service = "Gate";
    assert_issue_fails(&options, LG_E_INVALID, "", "\"Gate\" is not a service's name");
    options.service = NULL;
    options.namespace_name = "a.b";
    assert_issue_fails(&options, LG_E_INVALID, "", "\"a.b\" is not a namespace's name");
    struct stat st;
    assert_int_not_equal(stat(path_of(*state, "ca.crt"), &st), 0);
}

/* --- names --- */

static void names_are_dns_names_or_addresses(void **state)
{
    (void)state;
    char label64[66];
    memset(label64, 'a', 64);
    memcpy(label64 + 64, "", 1);
    const struct {
        struct lg_str typed;
        const char *want; /* NULL: refused */
    } rows[] = {
        {LG_STR("a"), "a"},
        {LG_STR("A.B-c.d1"), "a.b-c.d1"},
        {LG_STR("*.a"), "*.a"},
        {LG_STR("127.0.0.1"), "127.0.0.1"},
        {LG_STR("2001:DB8::A"), "2001:db8::a"},
        {LG_STR("0:0:0:0:0:0:0:1"), "::1"},
        {LG_STR("1a"), "1a"},
        {LG_STR("1.a"), "1.a"},
        {lg_str_of(label64 + 1), label64 + 1},
        {lg_str_of(label64), NULL},
        {LG_STR(""), NULL},
        {LG_STR("*"), NULL},
        {LG_STR("a.*"), NULL},
        {LG_STR("*.*.a"), NULL},
        {LG_STR("*."), NULL},
        {LG_STR("a."), NULL},
        {LG_STR(".a"), NULL},
        {LG_STR("a..b"), NULL},
        {LG_STR("-a"), NULL},
        {LG_STR("a-"), NULL},
        {LG_STR("a_b"), NULL},
        {LG_STR("a b"), NULL},
        {LG_STR("a,DNS:b"), NULL},
        {LG_STR("a\0b"), NULL},
        {LG_STR("10.0.0.256"), NULL},
        {LG_STR("10.0.0"), NULL},
        {LG_STR("http://a"), NULL},
        {LG_STR("\xc3\xa4"), NULL},
    };
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    lg_arena_init(&arena);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_cert_names names = lg_cert_names_new(&arena);
        struct lg_err err = {0};
        enum lg_err_code code = lg_cert_names_add(&names, &arena, rows[i].typed, &err);
        assert_int_equal(code, rows[i].want != NULL ? LG_E_OK : LG_E_INVALID);
        assert_int_equal(names.count, rows[i].want != NULL);
        if (rows[i].want != NULL)
            assert_string_equal(names.at[0], rows[i].want);
        else
            assert_non_null(strstr(err.text, " is not a DNS name or an IP address"));
    }
}

static void a_certificate_takes_64_names(void **state)
{
    (void)state;
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    lg_arena_init(&arena);
    struct lg_cert_names names = lg_cert_names_new(&arena);
    for (int i = 0; i < 65; i++) {
        struct lg_err err = {0};
        struct lg_str name = lg_arena_printf(&arena, "n%d", i);
        assert_int_equal(lg_cert_names_add(&names, &arena, name, &err),
                         i < 64 ? LG_E_OK : LG_E_LIMIT);
        if (i == 64)
            assert_string_equal(err.text, "a certificate takes at most 64 names");
    }
    assert_int_equal(names.count, 64);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(a_fresh_directory_gets_an_authority_and_a_pair),
        DIR_TEST(the_directory_is_made_for_its_owner_only),
        DIR_TEST(the_pair_bears_the_service_and_further_names),
        DIR_TEST(a_good_pair_is_left_alone),
        DIR_TEST(a_good_pair_without_a_name_that_is_asked_for_is_said),
        DIR_TEST(a_missing_pair_is_signed_by_the_authority_that_is_there),
        DIR_TEST(bad_pairs_are_said_and_replaced_on_renewal),
        DIR_TEST(an_expired_pair_is_said_and_replaced_on_renewal),
        DIR_TEST(renewal_replaces_key_and_certificate_and_keeps_names),
        DIR_TEST(renewal_when_due_waits_for_two_thirds_of_the_life),
        DIR_TEST(an_authority_that_is_due_is_published_before_it_signs),
        DIR_TEST(a_pair_never_outlives_its_authority),
        DIR_TEST(an_expired_authority_is_replaced_at_once),
        DIR_TEST(a_new_authority_can_be_asked_for),
        DIR_TEST(a_bundle_keeps_what_is_trusted_already),
        DIR_TEST(a_stop_between_publishing_and_taking_over_does_no_harm),
        DIR_TEST(a_broken_authority_is_replaced_on_renewal_and_the_pair_kept),
        DIR_TEST(a_missing_pair_with_a_broken_authority_is_said),
        DIR_TEST(an_expired_authority_without_a_pair_is_said),
        DIR_TEST(certificates_of_another_issuer_are_left_alone),
        DIR_TEST(a_mounted_secret_is_not_written_to),
        DIR_TEST(one_process_issues_at_a_time),
        DIR_TEST(options_that_make_no_sense_are_refused),
        cmocka_unit_test(names_are_dns_names_or_addresses),
        cmocka_unit_test(a_certificate_takes_64_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
