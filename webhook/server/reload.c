#include "webhook/server/reload.h"

#include <stdlib.h>
#include <string.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"
#include "webhook/server/policy_stats.h"
#include "webhook/server/stats.h"

void lg_reload_done(struct lg_reload *reload)
{
    lg_keypair_free(lg_steal(reload->pair));
    free(lg_steal(reload->policy_text));
}

/* True when this fault was not reported yet. */
static bool is_news(struct lg_err *reported, const struct lg_err *fault)
{
    if (reported->code == fault->code && strcmp(reported->where, fault->where) == 0 &&
        strcmp(reported->text, fault->text) == 0)
        return false;
    *reported = *fault;
    return true;
}

/* --- certificate --- */

static bool same_pair(const struct lg_keypair *a, const struct lg_keypair *b)
{
    return a != NULL && lg_str_eq(a->chain_pem, b->chain_pem) &&
           lg_str_eq(a->key_pem, b->key_pem) && lg_str_eq(a->ca_pem, b->ca_pem);
}

static void serve_pair(struct lg_reload *reload, struct lg_keypair *take_pair)
{
    lg_tls_set_pair(reload->tls, take_pair->chain_pem, take_pair->key_pem);
    lg_stats_certificate(LG_CERT_PART_LEAF, take_pair->not_after_unix_s);
    lg_stats_certificate(LG_CERT_PART_CA, take_pair->issuers_not_after_unix_s);
    lg_keypair_free(reload->pair);
    reload->pair = take_pair;
}

enum lg_err_code lg_reload_pair(struct lg_reload *reload, struct lg_err *err)
{
    struct lg_keypair *pair lg_cleanup(lg_keypair_free_cleanup) = NULL;

    enum lg_err_code code = lg_keypair_load(reload->cert_dir, lg_clock_unix_s(), &pair, err);
    if (code != LG_E_OK)
        return code;
    if (same_pair(reload->pair, pair))
        return LG_E_OK;
    /* OpenSSL has read it; what has to read it at each handshake is GnuTLS. */
    code = lg_tls_check_pair(pair->chain_pem, pair->key_pem, reload->cert_dir, err);
    if (code != LG_E_OK)
        return code;
    serve_pair(reload, lg_steal(pair));
    return LG_E_OK;
}

void lg_reload_log_pair(const struct lg_reload *reload)
{
    const struct lg_keypair *pair = reload->pair;
    char until[LG_CERT_TIME_BYTES];
    lg_log(LG_LOG_INFO, "serving certificate", LG_F_TEXT("sha256", pair->sha256),
           LG_F_TEXT("expires", lg_cert_time(pair->not_after_unix_s, until)));
    if (pair->trust_problem[0] != '\0')
        lg_log(LG_LOG_WARN,
               "the certificate authority in the directory does not vouch for the "
               "serving certificate",
               LG_F_TEXT("reason", pair->trust_problem));
}

static void look_at_pair(struct lg_reload *reload)
{
    struct lg_err err = {0};
    const struct lg_keypair *before = reload->pair;

    if (lg_reload_pair(reload, &err) == LG_E_OK) {
        reload->pair_fault = (struct lg_err){0};
        if (reload->pair == before)
            return;
        lg_stats_reload(LG_RELOAD_CERTIFICATE, true);
        lg_reload_log_pair(reload);
    } else if (is_news(&reload->pair_fault, &err)) {
        lg_stats_reload(LG_RELOAD_CERTIFICATE, false);
        lg_log(LG_LOG_ERROR, "the certificate files cannot be served; the pair before stays",
               LG_F_ERR(&err));
    }
}

/* --- policy --- */

enum lg_err_code lg_reload_policy(struct lg_reload *reload, struct lg_policy **ret,
                                  struct lg_err *err)
{
    char *text lg_cleanup(lg_free_cleanup) = NULL;
    size_t n = 0;

    if (reload->policy_path == NULL) {
        *ret = lg_policy_default();
        return LG_E_OK;
    }
    enum lg_err_code code = lg_file_read(reload->policy_path, LG_POLICY_BYTES_MAX, &text, &n, err);
    if (code != LG_E_OK)
        return code;
    free(reload->policy_text);
    reload->policy_text = lg_steal(text);
    reload->policy_bytes = n;
    code = lg_policy_parse((struct lg_str){reload->policy_text, n}, reload->policy_path, ret, err);
    if (code == LG_E_OK)
        lg_policy_stats_log(*ret, reload->policy_path, lg_clock_unix_s());
    return code;
}

/* False when the file reads as it did the last time. */
static bool policy_changed(const struct lg_reload *reload)
{
    char *text lg_cleanup(lg_free_cleanup) = NULL;
    size_t n = 0;
    struct lg_err err = {0};

    if (lg_file_read(reload->policy_path, LG_POLICY_BYTES_MAX, &text, &n, &err) != LG_E_OK)
        return true;
    return !lg_str_eq((struct lg_str){text, n},
                      (struct lg_str){reload->policy_text, reload->policy_bytes});
}

static void look_at_policy(struct lg_reload *reload, struct lg_reviewer *reviewer)
{
    struct lg_policy *policy = NULL;
    struct lg_err err = {0};

    if (reload->policy_path == NULL || !policy_changed(reload))
        return;
    if (lg_reload_policy(reload, &policy, &err) == LG_E_OK) {
        lg_reviewer_set_policy(reviewer, policy);
        reload->policy_fault = (struct lg_err){0};
        lg_stats_reload(LG_RELOAD_POLICY, true);
        lg_log(LG_LOG_INFO, "policy taken", LG_F_TEXT("file", reload->policy_path));
    } else if (is_news(&reload->policy_fault, &err)) {
        lg_stats_reload(LG_RELOAD_POLICY, false);
        lg_log(LG_LOG_ERROR, "the policy file cannot be used; the policy before stays",
               LG_F_ERR(&err));
    }
}

void lg_reload_all(struct lg_reload *reload, struct lg_reviewer *reviewer)
{
    look_at_pair(reload);
    look_at_policy(reload, reviewer);
}
