/* quantity.jsonl: what is this resource quantity? */
#include "rules/kube/quantity.h"
#include "tests/conformance/conformance.h"

static enum conformance_result judge_row(struct lg_val row, struct lg_arena *arena,
                                         struct lg_buf *expected, struct lg_buf *got)
{
    if (lg_json_bool(lg_json_get(row, "error"), false))
        lg_buf_puts(expected, "an error");
    else
        lg_buf_printf(expected, "value %.*s, milli %.*s", LG_ARG(lg_json_str_at(row, "value")),
                      LG_ARG(lg_json_str_at(row, "milli")));
    (void)arena;
    struct lg_quantity quantity = {0};
    if (lg_quantity_parse(lg_json_str_at(row, "text"), &quantity) != LG_E_OK)
        lg_buf_puts(got, "an error");
    else
        lg_buf_printf(got, "value %lld, milli %lld", (long long)quantity.value,
                      (long long)quantity.milli);
    bool same = lg_str_eq(lg_buf_view(expected), lg_buf_view(got));
    return same ? CONFORMANCE_PASSED : CONFORMANCE_FAILED;
}

const struct conformance_corpus conformance_quantity = {"quantity", judge_row};
