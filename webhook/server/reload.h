/* The files that may change while the server runs: certificate pair and policy.
 *
 * Each is read at start, where a fault ends the start, and looked at again every few seconds or on
 * SIGHUP, where a fault is logged once and what was there before stays in use. Used by the
 * housekeeping thread alone.
 */
#ifndef LG_WEBHOOK_SERVER_RELOAD_H
#define LG_WEBHOOK_SERVER_RELOAD_H

#include "certs/keypair.h"
#include "webhook/server/review.h"
#include "webhook/server/tls.h"

enum { LG_RELOAD_INTERVAL_MS = 10 * 1000, LG_POLICY_BYTES_MAX = 1024 * 1024 };

struct lg_reload {
    const char *cert_dir;    /* borrowed */
    const char *policy_path; /* borrowed; NULL = the defaults, nothing to look at */
    struct lg_tls *tls;      /* borrowed */
    /* private */
    struct lg_keypair *pair; /* the one that is served */
    char *policy_text;       /* the one that was last read, good or bad */
    size_t policy_bytes;
    struct lg_err pair_fault, policy_fault; /* already reported; LG_E_OK = none */
};

/* Loads the pair and serves it. LG_E_TLS and others as lg_keypair_load: nothing changes. */
enum lg_err_code lg_reload_pair(struct lg_reload *reload, struct lg_err *err)
    __attribute__((warn_unused_result));

/* One line about the pair that is served. */
void lg_reload_log_pair(const struct lg_reload *reload);

/* Reads the policy, or gives the default one. LG_E_INVALID: err->where is "file:line:column". */
enum lg_err_code lg_reload_policy(struct lg_reload *reload, struct lg_policy **ret,
                                  struct lg_err *err) __attribute__((warn_unused_result));

/* Looks at both again; what changed and is sound is served from now on, what changed and is not is
 * logged. */
void lg_reload_all(struct lg_reload *reload, struct lg_reviewer *reviewer);

void lg_reload_done(struct lg_reload *reload);

#endif
