/* The policy file: which rule does what, where.
 *
 * Immutable after loading, shared by count (atomic): a reload makes a new one and the old one lives until its last
 * review is done. Any thread.
 */
#ifndef LG_RULES_POLICY_H
#define LG_RULES_POLICY_H

#include "rules/rule.h"

struct lg_policy;

enum lg_policy_mode { LG_MODE_ENFORCE, LG_MODE_OBSERVE };

/* No file: every rule's default, mode enforce. Given (unref). */
struct lg_policy *lg_policy_default(void);

/* Reads YAML or JSON. Strict: unknown keys, rules, actions, values out of range are errors; err->where is
 * "file:line:column". `file` names the text in messages. */
enum lg_err_code lg_policy_parse(struct lg_str text, const char *file, struct lg_policy **ret,
                                 struct lg_err *err) __attribute__((warn_unused_result));
struct lg_policy *lg_policy_ref(struct lg_policy *policy);
void lg_policy_unref(struct lg_policy *policy);

/* What holds in one namespace: resolved once a review, O(namespace entries). Borrowed from the policy. */
struct lg_policy_view {
    enum lg_policy_mode mode;
    const enum lg_action *actions;              /* by rule index */
    const struct lg_param_value *const *params; /* by rule index, then parameter index */
};
/* `record` is the namespace's where it is known (NULL: an entry that selects by labels does not match). */
struct lg_policy_view lg_policy_view(const struct lg_policy *policy, struct lg_str ns,
                                     const struct lg_namespace *record);

/* True when `username` is one of the controllers: KubeVirt's and CDI's service accounts in the namespaces of the KubeVirt
 * and HyperConverged CRs (in the usual install namespaces while those CRs are not known; CDI's there whenever no
 * HyperConverged says where it stands), and policy's own. Whole strings only. */
bool lg_policy_is_controller(const struct lg_policy *policy, const struct lg_inventory *inventory,
                             struct lg_str username);

/* kubevirtVersion of the policy: 0 = auto, else 100 * major + minor. */
int lg_policy_kubevirt_version(const struct lg_policy *policy);

/* Appends what the policy means, for `livegate policy FILE`. */
void lg_policy_describe(const struct lg_policy *policy, struct lg_buf *out);

#endif
