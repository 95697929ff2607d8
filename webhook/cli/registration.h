/* Which entries of a webhook configuration call livegate, and what lets the API server trust it
 * there. Pure, any thread.
 *
 * An entry is ours when its clientConfig names our service; where a configuration was asked for by
 * its name, an entry with a url is, too. An entry of another service is never touched. Source:
 * admissionregistration.k8s.io/v1, WebhookClientConfig.
 */
#ifndef LG_WEBHOOK_CLI_REGISTRATION_H
#define LG_WEBHOOK_CLI_REGISTRATION_H

#include "rules/core/json.h"
#include "rules/kube/patch.h"

struct lg_registration_wanted {
    struct lg_str service, ns;
    bool urls;            /* entries with a url are ours, too */
    struct lg_str ca_pem; /* what is to be trusted */
    const char *ca_name;  /* its name in messages */
    bool replace;         /* and nothing that stands there already (certs/bundle.h) */
    int64_t now_unix_s;
};

struct lg_registration_change {
    size_t ours, changed; /* entries */
    /* Sets caBundle where it differs; holds only for the version that was looked at (409
     * otherwise). */
    struct lg_patch patch;
};

/* How many entries are ours. O(n). */
size_t lg_registration_ours(struct lg_val configuration,
                            const struct lg_registration_wanted *wanted) __attribute__((nonnull));

/* Fills *ret (lg_patch_done its patch, whatever comes back). LG_E_TLS: ca_pem is no use. */
enum lg_err_code lg_registration_change(struct lg_val configuration,
                                        const struct lg_registration_wanted *wanted,
                                        struct lg_registration_change *ret, struct lg_err *err)
    __attribute__((nonnull(2, 3), warn_unused_result));

#endif
