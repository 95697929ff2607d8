/* placement.jsonl: which nodes may this spec run on? Upstream's answer lists their names in the
 * order of the input.
 *
 * Both ways of ours have to give it: the plain loop over the nodes, and the count by bitmaps.
 */
#include "rules/virt/placement.h"
#include "rules/core/mem.h"
#include "tests/conformance/conformance.h"

static void free_table(struct lg_node_table **table)
{
    lg_nodes_free(*table);
}

/* A row's nodes say neither apiVersion nor kind. NULL: cannot be read, `got` says why. */
static struct lg_record *read_node(struct lg_val node, struct lg_arena *arena, struct lg_buf *got)
{
    static const char head[] = "{\"apiVersion\":\"v1\",\"kind\":\"Node\"";
    struct lg_str text = lg_json_text(node);
    struct lg_err err = {0};
    struct lg_val whole;
    struct lg_record *record = NULL;
    struct lg_str full =
        lg_arena_printf(arena, "%s%s%.*s", head, lg_json_len(node) > 0 ? "," : "",
                        text.n > 0 ? (int)text.n - 1 : 0, text.n > 0 ? text.p + 1 : "");
    if (lg_json_parse(arena, full, &whole, &err) != LG_E_OK ||
        lg_record_new(whole, &record, &err) != LG_E_OK)
        lg_buf_printf(got, "a node that cannot be read: %s: %s", err.where, err.text);
    return record;
}

static bool fill(struct lg_node_table *table, struct lg_val nodes, struct lg_arena *arena,
                 struct lg_buf *got)
{
    for (struct lg_json_iter it = lg_json_iter(nodes); lg_json_next(&it);) {
        struct lg_record *record = read_node(it.val, arena, got);
        if (record == NULL)
            return false;
        lg_nodes_set(table, (struct lg_node *)record);
        lg_record_unref(record);
    }
    return true;
}

static enum conformance_result row(struct lg_val row, struct lg_arena *arena,
                                   struct lg_buf *expected, struct lg_buf *got)
{
    struct lg_node_table *table lg_cleanup(free_table) = lg_nodes_new();
    struct lg_val nodes = lg_json_get(row, "nodes");
    struct lg_val eligible = lg_json_get(row, "eligible");
    for (struct lg_json_iter it = lg_json_iter(eligible); lg_json_next(&it);)
        lg_buf_printf(expected, "%s%.*s", it.index > 0 ? ", " : "", LG_ARG(lg_json_str(it.val)));
    if (!fill(table, nodes, arena, got))
        return CONFORMANCE_FAILED;
    const struct lg_requirements *req =
        lg_requirements_read(lg_json_get(row, "spec"), NULL, table, arena);
    size_t n = 0;
    for (struct lg_json_iter it = lg_json_iter(nodes); lg_json_next(&it);) {
        struct lg_str name = lg_json_str_at(it.val, "metadata.name");
        const struct lg_node *node = lg_nodes_get(table, name, NULL);
        if (node == NULL || lg_placement_explain(req, node, arena, NULL) != LG_PLACE_ELIGIBLE)
            continue;
        lg_buf_printf(got, "%s%.*s", n++ > 0 ? ", " : "", LG_ARG(name));
    }
    struct lg_place_count count = lg_placement_count(req, table);
    if (count.eligible != n)
        lg_buf_printf(got, " (by bitmaps %zu)", count.eligible);
    return lg_str_eq(lg_buf_view(expected), lg_buf_view(got)) ? CONFORMANCE_PASSED
                                                              : CONFORMANCE_FAILED;
}

const struct conformance_corpus conformance_placement = {.name = "placement", .row = row};
