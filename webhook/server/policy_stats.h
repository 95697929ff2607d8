/* What the server counts of its policy: entries that never do anything, exceptions that were used,
 * patterns that were too expensive. Registered with lg_stats_register; counting is from any thread.
 */
#ifndef LG_WEBHOOK_SERVER_POLICY_STATS_H
#define LG_WEBHOOK_SERVER_POLICY_STATS_H

#include "rules/engine.h"

void lg_policy_stats_register(void);

/* What a review made of the policy. A pattern that hit its limits is logged, a line a minute at
 * most. */
void lg_policy_stats_review(const struct lg_judgement *judgement);

/* The policy that holds now. */
void lg_policy_stats_survey(const struct lg_policy *policy, int64_t now_unix_s);

/* A line where some of its entries never do anything. */
void lg_policy_stats_log(const struct lg_policy *policy, const char *file, int64_t now_unix_s);

#endif
