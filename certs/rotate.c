#include "certs/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/authority.h"
#include "certs/inspect.h"
#include "certs/names.h"
#include "rules/core/file.h"
#include "rules/core/mem.h"

enum { CERT_MODE = 0644, KEY_MODE = 0600, DIR_MODE = 0700 };

/* What is in the directory now. */
struct state {
    const struct lg_issue_options *options;
    int dir_fd;
    struct lg_arena arena;
    struct lg_cert_files files;
    struct lg_cert_report report;
    struct lg_authority *authority; /* NULL: there is none that can sign now; `why` says why */
    struct lg_err why;
    bool authority_due;
    struct lg_cert_names names; /* what a new serving certificate will bear */
    bool names_given;
};

static void state_done(struct state *state)
{
    lg_authority_free(state->authority);
    lg_cert_files_done(&state->files);
    lg_arena_done(&state->arena);
    if (state->dir_fd >= 0)
        (void)close(state->dir_fd);
}

bool lg_cert_is_due(int64_t not_before_unix_s, int64_t not_after_unix_s, int64_t now_unix_s)
{
    int64_t life_s = not_after_unix_s - not_before_unix_s;
    return now_unix_s >= not_before_unix_s + life_s - life_s / 3;
}

static enum lg_err_code check_days(const struct lg_issue_options *options, struct lg_err *err)
{
    if (options->days < 1 || options->days > LG_CERT_DAYS_MAX || options->ca_days < 1 ||
        options->ca_days > LG_CERT_DAYS_MAX)
        return lg_err_set(err, LG_E_INVALID, "", "days must be 1 to %d", LG_CERT_DAYS_MAX);
    if (options->days > options->ca_days)
        return lg_err_set(err, LG_E_INVALID, "",
                          "the serving certificate (%d days) cannot outlive its authority (%d)",
                          options->days, options->ca_days);
    return LG_E_OK;
}

/* The names that the options ask for. */
static enum lg_err_code collect_names(struct state *state, struct lg_err *err)
{
    const struct lg_issue_options *options = state->options;
    const char *service = options->service != NULL ? options->service : "livegate";
    const char *namespace_name =
        options->namespace_name != NULL ? options->namespace_name : "livegate";
    state->names_given =
        options->service != NULL || options->namespace_name != NULL || options->san_count > 0;
    state->names = lg_cert_names_new(&state->arena);
    enum lg_err_code code = lg_cert_names_add_service(
        &state->names, &state->arena, lg_str_of(service), lg_str_of(namespace_name), err);
    for (size_t i = 0; code == LG_E_OK && i < options->san_count; i++)
        code = lg_cert_names_add(&state->names, &state->arena, lg_str_of(options->sans[i]), err);
    return code;
}

static enum lg_err_code open_dir(struct state *state, struct lg_err *err)
{
    const char *dir = state->options->dir;
    if (mkdir(dir, DIR_MODE) != 0 && errno != EEXIST)
        return lg_err_set_errno(err, errno, dir, "cannot make the certificate directory");
    enum lg_err_code code = lg_cert_dir_open(dir, &state->dir_fd, err);
    if (code != LG_E_OK)
        return code;
    if (faccessat(state->dir_fd, "..data", F_OK, 0) == 0)
        return lg_err_set(
            err, LG_E_UNSUPPORTED, dir,
            "is a mounted secret: issue into another directory and replace the secret");
    if (flock(state->dir_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return lg_err_set(
            err, LG_E_CONFLICT, dir,
            "another process is issuing certificates here; try again when it is done");
    return LG_E_OK;
}

static void load_authority(struct state *state)
{
    int64_t now_unix_s = state->options->now_unix_s;
    struct lg_authority *authority lg_cleanup(lg_authority_free_cleanup) = NULL;
    if (lg_authority_load(&state->files, &authority, &state->why) != LG_E_OK)
        return;
    int64_t from = 0;
    int64_t until = 0;
    char text[LG_CERT_TIME_BYTES];
    lg_authority_dates(authority, &from, &until);
    if (now_unix_s >= until || now_unix_s < from) {
        (void)lg_err_set(&state->why, LG_E_TLS, "", "the authority in %s is valid %s %.10s only",
                         LG_CERTS_CA, now_unix_s >= until ? "until" : "from",
                         lg_cert_time(now_unix_s >= until ? until : from, text));
        return;
    }
    state->authority_due = lg_cert_is_due(from, until, now_unix_s);
    state->authority = lg_steal(authority);
}

static enum lg_err_code read_state(struct state *state, struct lg_err *err)
{
    enum lg_err_code code =
        lg_cert_files_read(state->dir_fd, state->options->dir, true, &state->files, err);
    if (code != LG_E_OK)
        return code;
    lg_cert_inspect(&state->files, state->options->now_unix_s, &state->arena, &state->report);
    load_authority(state);
    return LG_E_OK;
}

static const struct lg_cert_info *leaf_of(const struct state *state)
{
    const struct lg_cert_report *report = &state->report;
    return report->count > 0 && lg_str_is(lg_str_of(report->certs[0].file), LG_CERTS_CHAIN)
               ? &report->certs[0]
               : NULL;
}

static bool bears(const struct lg_cert_info *leaf, const char *name)
{
    for (size_t i = 0; i < leaf->name_count; i++) {
        if (lg_str_is(leaf->names[i], name))
            return true;
    }
    return false;
}

/* Without --renew: a pair that is there must be what was asked for. */
static enum lg_err_code accept_pair(const struct state *state, struct lg_err *err)
{
    const char *dir = state->options->dir;
    if (state->report.problems.count > 0)
        return lg_err_set(err, LG_E_TLS, dir, "%s; --renew replaces it",
                          state->report.problems.at[0].text);
    const struct lg_cert_info *leaf = leaf_of(state);
    for (size_t i = 0; state->names_given && i < state->names.count; i++) {
        if (!bears(leaf, state->names.at[i]))
            return lg_err_set(err, LG_E_TLS, dir, "%s is not for \"%s\"; --renew replaces it",
                              LG_CERTS_CHAIN, state->names.at[i]);
    }
    return LG_E_OK;
}

/* Who may sign here? An authority without its key is somebody else's. */
static enum lg_err_code check_owner(const struct state *state, struct lg_err *err)
{
    const struct lg_cert_files *files = &state->files;
    bool others = files->ca_key.p == NULL && (files->ca.p != NULL || files->chain.p != NULL);
    if (others && !state->options->new_authority)
        return lg_err_set(err, LG_E_UNSUPPORTED, state->options->dir,
                          "there are certificates here and no %s, so another issuer keeps them; "
                          "--new-ca makes an authority of our own beside it",
                          LG_CERTS_CA_KEY);
    bool fresh = files->ca_key.p == NULL && files->ca.p == NULL;
    if (state->options->renew == LG_RENEW_NO && state->authority == NULL && !fresh)
        return lg_err_set(err, LG_E_TLS, state->options->dir, "%s; --renew makes a new authority",
                          state->why.text);
    return LG_E_OK;
}

/* A renewal that names nothing keeps the names that clients know. */
static void keep_names(struct state *state)
{
    const struct lg_cert_info *leaf = leaf_of(state);
    if (state->names_given || leaf == NULL)
        return;
    struct lg_cert_names kept = lg_cert_names_new(&state->arena);
    for (size_t i = 0; i < leaf->name_count; i++) {
        /* What we would not issue, we do not carry on. */
        if (lg_cert_names_add(&kept, &state->arena, leaf->names[i], NULL) != LG_E_OK)
            continue;
    }
    if (kept.count > 0)
        state->names = kept;
}

static enum lg_err_code write_file(const struct state *state, const char *name, struct lg_str text,
                                   mode_t mode, struct lg_err *err)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", state->options->dir, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return lg_err_set(err, LG_E_INVALID, state->options->dir, "the path is too long");
    return lg_file_write(path, text, mode, err);
}

/* Publishes before it takes over: when this stops in between, ca.key still belongs to the old one
 * in ca.crt. */
static enum lg_err_code write_authority(const struct state *state,
                                        const struct lg_authority *authority, struct lg_err *err)
{
    struct lg_cert_files made lg_cleanup(lg_cert_files_done) = {0};
    enum lg_err_code code =
        lg_authority_pem(authority, state->files.ca, state->options->now_unix_s, &made, err);
    if (code == LG_E_OK)
        code = write_file(state, LG_CERTS_CA, made.ca, CERT_MODE, err);
    if (code == LG_E_OK)
        code = write_file(state, LG_CERTS_CA_KEY, made.ca_key, KEY_MODE, err);
    return code;
}

static enum lg_err_code write_leaf(const struct state *state, const struct lg_authority *signer,
                                   struct lg_err *err)
{
    struct lg_cert_files made lg_cleanup(lg_cert_files_done) = {0};
    struct lg_leaf_request request = {state->names.at, state->names.count, state->options->days};
    enum lg_err_code code =
        lg_authority_issue(signer, &request, state->options->now_unix_s, &made, err);
    if (code == LG_E_OK)
        code = write_file(state, LG_CERTS_KEY, made.key, KEY_MODE, err);
    if (code == LG_E_OK)
        code = write_file(state, LG_CERTS_CHAIN, made.chain, CERT_MODE, err);
    return code;
}

static bool leaf_is_wanted(const struct state *state)
{
    const struct lg_cert_info *leaf = leaf_of(state);
    return state->options->renew == LG_RENEW_NOW || leaf == NULL ||
           state->report.problems.count > 0 ||
           lg_cert_is_due(leaf->not_before_unix_s, leaf->not_after_unix_s,
                          state->options->now_unix_s);
}

static enum lg_err_code make(const struct state *state, struct lg_issue_result *result,
                             struct lg_err *err)
{
    const struct lg_issue_options *options = state->options;
    struct lg_authority *made lg_cleanup(lg_authority_free_cleanup) = NULL;
    const struct lg_authority *signer = state->authority;
    enum lg_err_code code = LG_E_OK;
    if (options->new_authority || state->authority == NULL ||
        (options->renew != LG_RENEW_NO && state->authority_due)) {
        code = lg_authority_new(options->ca_days, options->now_unix_s, &made, err);
        if (code == LG_E_OK)
            code = write_authority(state, made, err);
        if (code != LG_E_OK)
            return code;
        result->authority_made = true;
        /* A pair that works is not given to an authority that nobody knows yet. */
        bool works = leaf_of(state) != NULL && state->report.problems.count == 0;
        result->authority_waits = signer != NULL || works;
        if (!result->authority_waits)
            signer = made;
    }
    if (signer != NULL && leaf_is_wanted(state)) {
        code = write_leaf(state, signer, err);
        result->leaf_made = code == LG_E_OK;
    }
    return code;
}

enum lg_err_code lg_certs_issue(const struct lg_issue_options *options, struct lg_issue_result *ret,
                                struct lg_err *err)
{
    struct lg_issue_options asked = *options;
    if (asked.new_authority)
        asked.renew = LG_RENEW_NOW;
    struct state state lg_cleanup(state_done) = {.options = &asked, .dir_fd = -1};
    lg_arena_init(&state.arena);
    enum lg_err_code code = check_days(&asked, err);
    if (code == LG_E_OK)
        code = collect_names(&state, err);
    if (code == LG_E_OK)
        code = open_dir(&state, err);
    if (code == LG_E_OK)
        code = read_state(&state, err);
    if (code != LG_E_OK)
        return code;
    struct lg_issue_result result = {0};
    bool pair_there = state.files.chain.p != NULL || state.files.key.p != NULL;
    if (asked.renew == LG_RENEW_NO && pair_there) {
        code = accept_pair(&state, err);
    } else {
        keep_names(&state);
        code = check_owner(&state, err);
        if (code == LG_E_OK)
            code = make(&state, &result, err);
    }
    if (code == LG_E_OK)
        *ret = result;
    return code;
}
