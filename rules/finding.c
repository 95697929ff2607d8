#include "rules/finding.h"

#include <assert.h>

const char *lg_action_name(enum lg_action action)
{
    static const char *const names[LG_ACTION_COUNT] = {
        [LG_ACTION_OFF] = "off",   [LG_ACTION_AUDIT] = "audit", [LG_ACTION_PENDING] = "pending",
        [LG_ACTION_WARN] = "warn", [LG_ACTION_DENY] = "deny",
    };
    assert((unsigned)action < LG_ACTION_COUNT);
    return names[action];
}
