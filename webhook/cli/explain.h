/* A rule in full, from its descriptor: what, why, how to fix it, what policy can set, source,
 * examples. One thread. */
#ifndef LG_WEBHOOK_CLI_EXPLAIN_H
#define LG_WEBHOOK_CLI_EXPLAIN_H

#include "rules/core/out.h"
#include "rules/rule.h"

/* Appends it for a terminal, or as a section of markdown. */
void lg_explain_text(struct lg_buf *buf, const struct lg_rule *rule, bool color);
void lg_explain_markdown(struct lg_buf *buf, const struct lg_rule *rule);

/* One item of a RuleList, given. */
json_t *lg_explain_json(const struct lg_rule *rule);
/* LG_BIT(LG_OP_...) as a list of names, given. */
json_t *lg_explain_ops(unsigned ops);

#endif
