#include "webhook/server/policy_stats.h"

#include <stdatomic.h>

#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"
#include "webhook/runtime/metrics.h"

enum { STALL_LOG_INTERVAL_MS = 60 * 1000 };
enum state { ACTIVE, EXPIRED, NEVER, STATES };

static const char *const parts[LG_POLICY_PARTS] = {
    [LG_POLICY_NAMESPACES] = "namespaces",
    [LG_POLICY_EXEMPT] = "exempt",
    [LG_POLICY_EXCEPTIONS] = "exceptions",
};
static const char *const states[STATES] = {"active", "expired", "never-matching"};

static struct lg_metric entries = {
    .name = "livegate_policy_entries",
    .help = "Entries of the policy, by whether they can still do anything.",
    .kind = LG_METRIC_GAUGE,
    .labels = {{"part", parts, LG_POLICY_PARTS}, {"state", states, STATES}}};
static struct lg_metric used = {
    .name = "livegate_exceptions_used_total",
    .help = "Findings that an exception of the policy turned into a record.",
    .kind = LG_METRIC_COUNTER,
};
static struct lg_metric stalls = {
    .name = "livegate_policy_pattern_limits_total",
    .help = "Patterns of the policy that hit a limit while matching, and so did not match.",
    .kind = LG_METRIC_COUNTER,
};

void lg_policy_stats_register(void)
{
    lg_metric_register(&entries);
    lg_metric_register(&used);
    lg_metric_register(&stalls);
}

static void log_stall(struct lg_str pattern)
{
    static _Atomic int64_t earliest_ms;
    int64_t now_ms = lg_clock_mono_ms();
    int64_t due_ms = atomic_load(&earliest_ms);
    if (now_ms < due_ms ||
        !atomic_compare_exchange_strong(&earliest_ms, &due_ms, now_ms + STALL_LOG_INTERVAL_MS))
        return;
    lg_log(LG_LOG_WARN,
           "a pattern of the policy hit its limits and did not match; write it more simply",
           LG_F_STR("pattern", pattern));
}

void lg_policy_stats_review(const struct lg_judgement *judgement)
{
    size_t excepted = 0;
    for (size_t i = 0; i < judgement->n; i++)
        excepted += judgement->findings[i].excepted;
    if (excepted != 0)
        lg_metric_add(&used, NULL, excepted);
    if (judgement->stalls.n == 0)
        return;
    lg_metric_add(&stalls, NULL, judgement->stalls.n);
    log_stall(judgement->stalls.pattern);
}

void lg_policy_stats_survey(const struct lg_policy *policy, int64_t now_unix_s)
{
    struct lg_policy_survey survey;
    lg_policy_survey(policy, now_unix_s, &survey);
    for (size_t i = 0; i < LG_POLICY_PARTS; i++) {
        lg_metric_set(&entries, LG_AT(i, ACTIVE), (double)survey.parts[i].active);
        lg_metric_set(&entries, LG_AT(i, NEVER), (double)survey.parts[i].never);
        if (i == LG_POLICY_EXCEPTIONS)
            lg_metric_set(&entries, LG_AT(i, EXPIRED), (double)survey.parts[i].expired);
    }
}

void lg_policy_stats_log(const struct lg_policy *policy, const char *file, int64_t now_unix_s)
{
    struct lg_policy_survey survey;
    size_t never = 0;
    lg_policy_survey(policy, now_unix_s, &survey);
    for (size_t i = 0; i < LG_POLICY_PARTS; i++)
        never += survey.parts[i].never;
    size_t expired = survey.parts[LG_POLICY_EXCEPTIONS].expired;
    if (never + expired == 0)
        return;
    lg_log(LG_LOG_WARN, "entries of the policy do nothing; `livegate policy` marks them",
           LG_F_TEXT("file", file), LG_F_INT("expired", expired),
           LG_F_INT("never_matching", never));
}
