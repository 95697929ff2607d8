/* The policy file: which rule does what, where.
 *
 * Immutable after loading, shared by count (atomic): a reload makes a new one and the old one lives
 * until its last review is done. Any thread.
 */
#ifndef LG_RULES_POLICY_H
#define LG_RULES_POLICY_H

#include "rules/rule.h"

struct lg_policy;

enum lg_policy_mode { LG_MODE_ENFORCE, LG_MODE_OBSERVE };

/* No file: every rule's default, mode enforce. Given (unref). */
struct lg_policy *lg_policy_default(void);

/* Reads YAML or JSON. Strict: unknown keys, rules, actions, values out of range are errors;
 * err->where is "file:line:column". `file` names the text in messages. */
enum lg_err_code lg_policy_parse(struct lg_str text, const char *file, struct lg_policy **ret,
                                 struct lg_err *err) __attribute__((warn_unused_result));
struct lg_policy *lg_policy_ref(struct lg_policy *policy);
void lg_policy_unref(struct lg_policy *policy);

/* Patterns that were too expensive in one review. Such a pattern does not match; after
 * LG_POLICY_STALLS_MAX of them, or once `expired` says so, no pattern of the review is tried any
 * more. Zeroed = none yet, no deadline. */
enum { LG_POLICY_STALLS_MAX = 8 };
struct lg_policy_stalls {
    size_t n;
    struct lg_str pattern; /* the first one; the policy's text */
    bool (*expired)(void *arg);
    void *expired_arg;
};

/* What holds in one namespace: resolved once a review, O(namespace entries). Borrowed from the
 * policy. */
struct lg_policy_view {
    enum lg_policy_mode mode;
    bool namespace_open; /* the namespace's labels might bring another entry; they are not known */
    const enum lg_action *actions; /* by rule index */
    const bool *chosen;            /* by rule index: the policy says something of its action */
    const struct lg_param_value *const *params; /* by rule index, then parameter index */
    /* by rule index: a warning at most for a VM that declares itself immovable */
    const bool *opt_out;
    struct lg_val claim_selector; /* labels of claims that are virtual machines' */
    struct lg_elastic elastic;
    /* by rule index: 0 = its fixer does not run, else 1 + the index of its option's value */
    const unsigned char *fixers;
};
/* `record` is the namespace's where it is known (NULL: an entry that selects by labels does not
 * match). */
struct lg_policy_view lg_policy_view(const struct lg_policy *policy, struct lg_str ns,
                                     const struct lg_namespace *record,
                                     struct lg_policy_stalls *io_stalls);

/* The entries of `exempt` that name the requester, as bits; `groups` is a list of strings.
 * O(groups). */
uint64_t lg_policy_exempt(const struct lg_policy *policy, struct lg_str username,
                          struct lg_val groups);
/* What those entries leave of a rule's action. *ret_reason (may be NULL) is that of the entry that
 * lowered it, else as it was. O(entries). */
enum lg_action lg_policy_exempted(const struct lg_policy *policy, uint64_t entries, size_t rule,
                                  enum lg_action action, struct lg_str *ret_reason);

/* The exceptions that hold now for an object: by rule index what a finding says of it ("exception
 * until ...: ..."), "" = none holds; NULL without any. In the arena. O(exceptions). */
const struct lg_str *lg_policy_excuses(const struct lg_policy *policy, struct lg_str ns,
                                       struct lg_str name, int64_t now_unix_s,
                                       struct lg_arena *arena, struct lg_policy_stalls *io_stalls);

/* How many entries there are, and how many of them will never do anything. */
enum lg_policy_part { LG_POLICY_NAMESPACES, LG_POLICY_EXEMPT, LG_POLICY_EXCEPTIONS };
enum { LG_POLICY_PARTS = LG_POLICY_EXCEPTIONS + 1 };
struct lg_policy_survey {
    struct {
        size_t active, expired, never;
    } parts[LG_POLICY_PARTS];
};
void lg_policy_survey(const struct lg_policy *policy, int64_t now_unix_s,
                      struct lg_policy_survey *ret);

enum lg_limiter_mode { LG_LIMITER_ENFORCE, LG_LIMITER_OBSERVE, LG_LIMITER_OFF };

/* What policy says about the limiter. */
struct lg_limiter_policy {
    enum lg_limiter_mode mode;
    int64_t inbound_per_node; /* 0 = no limit */
    /* where the ledger cannot be read or written in time; else admitted with a warning */
    bool refuse_when_unreachable;
    /* what virtctl asks for goes through, KubeVirt queues it; else it is refused at once */
    bool virt_api_admit;
    bool show_holders; /* names of other namespaces too */
};
const struct lg_limiter_policy *lg_policy_limiter(const struct lg_policy *policy);

/* True when `username` is the account by which KubeVirt's API server acts for somebody (virtctl
 * migrate). */
bool lg_policy_is_virt_api(const struct lg_inventory *inventory, struct lg_str username);

/* True when `username` is one of the controllers for objects of `kind`: policy's own, and the
 * service accounts of KubeVirt, CDI and HyperConverged in the namespaces of the KubeVirt and
 * HyperConverged CRs (in the usual install namespaces while neither is known). Where no
 * HyperConverged says where CDI stands, its accounts are believed in "cdi" too: its CR has no
 * namespace. CDI's and HyperConverged's accounts never act on guests (VMs, VMIs, migrations), so
 * that for those nobody is believed to be them. Whole strings only. */
bool lg_policy_is_controller(const struct lg_policy *policy, const struct lg_inventory *inventory,
                             enum lg_kind kind, struct lg_str username);

/* kubevirtVersion of the policy: 0 = auto, else 100 * major + minor. */
int lg_policy_kubevirt_version(const struct lg_policy *policy);

/* Appends what the policy means, for `livegate policy FILE`; expired entries and those that can
 * never match are marked. */
void lg_policy_describe(const struct lg_policy *policy, int64_t now_unix_s, struct lg_buf *out);

#endif
