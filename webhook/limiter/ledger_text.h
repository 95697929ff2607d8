/* The shared ledger as text: what lies in the ConfigMap. JSON, schema 1:
 *
 *   {"schema":1,"seq":7,"tag":3,
 *    "reservations":[{"namespace","guest","node","migration","id","firstMigration","firstId",
 *                     "ageMs","heldMs"}],
 *    "tickets":[{"namespace","guest","node","user","id","tag","seq","waitedMs","dueInMs","tries",
 *                "inbound","keptMs"}],
 *    "turns":[{"namespace","tag"}]}
 *
 * Reservations that are held by one reader alone (ledger.h) are not in it. Times are ages as of the
 * writing: each reader counts on by its own monotonic clock. Pure, any thread.
 */
#ifndef LG_WEBHOOK_LIMITER_LEDGER_TEXT_H
#define LG_WEBHOOK_LIMITER_LEDGER_TEXT_H

#include "rules/core/json.h"
#include "rules/virt/ledger.h"

enum { LG_LEDGER_SCHEMA = 1, LG_LEDGER_BYTES_MAX = 512 * 1024 };

/* Fills *ret (empty; lg_ledger_done) from a text that was read at `now_ms`; "" is an empty ledger.
 * LG_E_INVALID: no ledger; LG_E_UNSUPPORTED: a newer schema; LG_E_LIMIT: more than a ledger may
 * hold. */
enum lg_err_code lg_ledger_read(struct lg_str text, int64_t now_ms, struct lg_ledger *ret,
                                struct lg_err *err) __attribute__((warn_unused_result));

/* Appends the text as of `now_ms`, and notes that others know the due times now. LG_E_LIMIT: it is
 * too long to be kept. */
enum lg_err_code lg_ledger_write(struct lg_ledger *ledger, int64_t now_ms, struct lg_buf *ret,
                                 struct lg_err *err) __attribute__((warn_unused_result));

#endif
