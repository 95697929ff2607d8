/* A unified diff out of splices: what changed is known already, so nothing has to be searched.
 * Pure, any thread. */
#ifndef LG_WEBHOOK_CLI_DIFF_H
#define LG_WEBHOOK_CLI_DIFF_H

#include "rules/core/rewrite.h"

/* Appends the diff of `text` and `text` with the splices (finished ones), three lines of context;
 * nothing without any. The name gets git's a/ and b/, and its quotes where it needs them.
 * O(text). */
void lg_diff(const char *file, struct lg_str text, const struct lg_splices *splices,
             struct lg_buf *out);

#endif
