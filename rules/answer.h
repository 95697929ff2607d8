/* From a judgement to what a person reads: the denial, the warnings, the audit annotations.
 *
 * Pure, everything in the arena. Any thread.
 */
#ifndef LG_RULES_ANSWER_H
#define LG_RULES_ANSWER_H

#include "rules/engine.h"
#include "rules/kube/review.h"
#include "rules/mend.h"

enum { LG_WARNINGS_MAX = 10, LG_WARNING_BYTES_MAX = 256 };

/* Fills everything of `ret` but uid. `group` and `kind_name` as the request named them. */
void lg_answer_make(const struct lg_judgement *judgement, struct lg_str group,
                    struct lg_str kind_name, struct lg_arena *arena, struct lg_answer *ret);

/* The answer of /mutate: allowed, the patch, a warning for each change. Fills everything but uid;
 * with a patch notes[0] names the rules. */
void lg_answer_mended(const struct lg_mending *mending, struct lg_arena *arena,
                      struct lg_answer *ret);

/* "LG301", or "LG301, LG302" where it speaks for later rules as well. In the arena or static. */
struct lg_str lg_finding_rules(const struct lg_finding *finding, struct lg_arena *arena);

/* The whole message for the findings whose action is `action`:
 *
 *   VirtualMachine web-servers/orders-db cannot be live-migrated, 2 reasons:
 *   [LG101] volume "data": ...
 *       at:  spec...
 *       fix: ...
 *
 * What a finding says in the head (finding.h) stands in brackets below the first line.
 */
struct lg_str lg_answer_message(const struct lg_judgement *judgement, enum lg_action action,
                                struct lg_arena *arena);

#endif
