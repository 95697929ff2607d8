/* What the limiter's rules say of a turnout. Pure, in the arena, any thread. */
#ifndef LG_RULES_VIRT_LIMITS_WORDS_H
#define LG_RULES_VIRT_LIMITS_WORDS_H

#include "rules/virt/limits.h"
#include "rules/virt/migration_settings.h"

/* "2 of 2 in use: web/db (Running, 3 min), 1 in other namespaces; place 3, about 2 min"; of targets
 * without what comes before ": ". `ns` is the asker's. */
struct lg_str lg_limits_state_text(const struct lg_turnout *turnout, enum lg_limit limit,
                                   struct lg_str ns, struct lg_arena *arena);

/* Whether this limit's rule says that the ledger was not reached; how, and what to do about it. */
bool lg_limits_is_unreached(const struct lg_turnout *turnout, enum lg_limit limit);
struct lg_str lg_limits_unreached_text(const struct lg_turnout *turnout, struct lg_arena *arena);
struct lg_str lg_limits_unreached_fix_text(const struct lg_turnout *turnout);

/* What a person can do about it. */
struct lg_str lg_limits_fix_text(const struct lg_turnout *turnout);

/* "parallelMigrationsPerCluster, KubeVirt openshift-cnv/kubevirt" */
struct lg_str lg_limits_source_text(const struct lg_migration_settings *settings,
                                    enum lg_migration_key key, struct lg_arena *arena);

#endif
