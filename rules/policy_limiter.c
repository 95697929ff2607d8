/* Reading `limiter` of a policy. */
#include "rules/policy_read.h"

enum { INBOUND_MAX = 10000 };

/* One of two words. *ret is true for the first; absent: as it was. */
static bool read_choice(const struct lg_policy_parser *parser, struct lg_val v, const char *what,
                        const char *yes, const char *no, bool *ret)
{
    if (!lg_json_there(v))
        return true;
    if (!lg_json_is(v, yes) && !lg_json_is(v, no))
        return lg_policy_fail(parser, LG_E_INVALID, v, "%s must be %s or %s", what, yes, no);
    *ret = lg_json_is(v, yes);
    return true;
}

static bool read_mode(const struct lg_policy_parser *parser, struct lg_val v,
                      enum lg_limiter_mode *ret)
{
    static const char *const names[] = {"enforce", "observe", "off"};
    if (!lg_json_there(v))
        return true;
    if (lg_json_kind(v) == LG_JSON_FALSE) { /* YAML's reading of off */
        *ret = LG_LIMITER_OFF;
        return true;
    }
    for (int i = 0; i < 3; i++) {
        if (lg_json_is(v, names[i])) {
            *ret = (enum lg_limiter_mode)i;
            return true;
        }
    }
    return lg_policy_fail(parser, LG_E_INVALID, v, "limiter.mode must be enforce, observe or off");
}

static bool read_inbound(const struct lg_policy_parser *parser, struct lg_val v, int64_t *ret)
{
    int64_t n = 0;
    if (!lg_json_there(v))
        return true;
    if (lg_json_int64(v, &n) != LG_E_OK || n < 0 || n > INBOUND_MAX)
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "limiter.inboundPerNode must be a number from 0 (no limit) to %d",
                              INBOUND_MAX);
    *ret = n;
    return true;
}

static bool read_flag(const struct lg_policy_parser *parser, struct lg_val v, const char *what,
                      bool *ret)
{
    if (!lg_json_there(v))
        return true;
    if (lg_json_kind(v) != LG_JSON_TRUE && lg_json_kind(v) != LG_JSON_FALSE)
        return lg_policy_fail(parser, LG_E_INVALID, v, "%s must be true or false, not %s", what,
                              lg_json_kind_name(v));
    *ret = lg_json_bool(v, false);
    return true;
}

bool lg_policy_read_limiter(const struct lg_policy_parser *parser, struct lg_val v)
{
    static const char *const keys[] = {"mode",    "inboundPerNode", "whenLedgerUnreachable",
                                       "virtApi", "showHolders",    NULL};
    struct lg_limiter_policy *limiter = &parser->policy->limiter;
    if (!lg_json_there(v))
        return true;
    return lg_policy_want(parser, v, LG_JSON_OBJECT, "limiter", "an object") &&
           lg_policy_only_keys(parser, v, "limiter", keys) &&
           read_mode(parser, lg_json_get(v, "mode"), &limiter->mode) &&
           read_inbound(parser, lg_json_get(v, "inboundPerNode"), &limiter->inbound_per_node) &&
           read_choice(parser, lg_json_get(v, "whenLedgerUnreachable"),
                       "limiter.whenLedgerUnreachable", "refuse", "admit",
                       &limiter->refuse_when_unreachable) &&
           read_choice(parser, lg_json_get(v, "virtApi"), "limiter.virtApi", "admit", "refuse",
                       &limiter->virt_api_admit) &&
           read_flag(parser, lg_json_get(v, "showHolders"), "limiter.showHolders",
                     &limiter->show_holders);
}
