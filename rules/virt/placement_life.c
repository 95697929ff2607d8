/* Can the terms of a required node affinity hold for any node at all, whatever the cluster?
 *
 * What a term (and nodeSelector) asks of one label is taken together: values that must be among a
 * list, must not be, must be integers within bounds, must or must not be there. Different labels
 * never contradict each other.
 */
#include <stdlib.h>

#include "rules/core/num.h"
#include "rules/virt/requirements.h"

/* Comparisons of one value with one expression; what is not settled within them counts as
 * possible. */
enum { BUDGET_MAX = 1024 * 1024 };

/* All that is asked of one label (or of the name): sorted so that what belongs together stands
 * together. */
static int by_subject(const void *a, const void *b)
{
    const struct lg_expression *left = a, *right = b;
    if (left->name != right->name)
        return left->name ? 1 : -1;
    int order = lg_str_cmp(left->key, right->key);
    return order != 0 ? order : (int)left->match - (int)right->match;
}

static int by_text(const void *a, const void *b)
{
    return lg_str_cmp(*(const struct lg_str *)a, *(const struct lg_str *)b);
}

/* `e->values` are sorted. */
static bool admits(const struct lg_expression *e, struct lg_str value)
{
    int64_t number;
    switch (e->match) {
    case LG_MATCH_IN:
    case LG_MATCH_NOT_IN: {
        bool in = bsearch(&value, e->values, e->n, sizeof(struct lg_str), by_text) != NULL;
        return in == (e->match == LG_MATCH_IN);
    }
    case LG_MATCH_EXISTS:
        return true;
    case LG_MATCH_ABSENT:
        return false;
    case LG_MATCH_ABOVE:
    case LG_MATCH_BELOW:
        if (lg_num_go_int64(value, &number) != LG_E_OK)
            return false;
        return e->match == LG_MATCH_ABOVE ? number > e->bound : number < e->bound;
    }
    return true;
}

/* Some value of the first list is admitted by all. */
static bool a_value_is_left(const struct lg_expression *group, size_t n, size_t *io_budget)
{
    for (size_t v = 0; v < group[0].n; v++) {
        size_t i = 0;
        while (i<n && * io_budget> 0 && admits(&group[i], group[0].values[v])) {
            i++;
            (*io_budget)--;
        }
        if (i == n || *io_budget == 0)
            return true;
    }
    return false;
}

/* The expressions are about one label and sorted by match, so that a list of values comes first. */
static bool group_can_hold(const struct lg_expression *group, size_t n, size_t *io_budget)
{
    if (group[0].match == LG_MATCH_IN)
        return a_value_is_left(group, n, io_budget);
    bool present = false, absent = false;
    int64_t above = INT64_MIN, below = INT64_MAX;
    bool has_above = false, has_below = false;
    for (size_t i = 0; i < n; i++) {
        const struct lg_expression *e = &group[i];
        absent = absent || e->match == LG_MATCH_ABSENT;
        present = present || (e->match != LG_MATCH_ABSENT && e->match != LG_MATCH_NOT_IN);
        if (e->match == LG_MATCH_ABOVE && (!has_above || e->bound > above)) {
            above = e->bound;
            has_above = true;
        }
        if (e->match == LG_MATCH_BELOW && (!has_below || e->bound < below)) {
            below = e->bound;
            has_below = true;
        }
    }
    if (has_above && (above == INT64_MAX || (has_below && above + 1 >= below)))
        return false;
    return !(present && absent) && !(has_below && below == INT64_MIN);
}

/* nodeSelector asks for one value; NULL = nothing of this key. */
static const struct lg_want *selected(const struct lg_requirements *req, struct lg_str key)
{
    size_t low = 0, high = req->n_user;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lg_str_cmp(req->user[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < req->n_user && lg_str_eq(req->user[low].key, key) ? &req->user[low] : NULL;
}

/* The term's expressions and what nodeSelector asks of the same labels; values sorted. */
static struct lg_expression *together(const struct lg_requirements *req, const struct lg_term *term,
                                      struct lg_arena *arena, size_t *ret_n)
{
    struct lg_expression *all = lg_arena_array(arena, 2 * term->n, sizeof(struct lg_expression));
    size_t n = 0;
    for (size_t i = 0; i < term->n; i++) {
        const struct lg_expression *e = &term->items[i];
        qsort(e->values, e->n, sizeof(struct lg_str), by_text);
        all[n++] = *e;
        const struct lg_want *want = e->name ? NULL : selected(req, e->key);
        if (want == NULL)
            continue;
        struct lg_str *value = lg_arena_alloc(arena, sizeof(*value));
        *value = want->value;
        all[n++] =
            (struct lg_expression){.match = LG_MATCH_IN, .key = want->key, .values = value, .n = 1};
    }
    qsort(all, n, sizeof(struct lg_expression), by_subject);
    *ret_n = n;
    return all;
}

/* False: *ret_key can never be what the term asks for. */
static bool term_can_hold(const struct lg_requirements *req, const struct lg_term *term,
                          struct lg_arena *arena, size_t *io_budget, struct lg_str *ret_key)
{
    size_t n;
    struct lg_expression *all = together(req, term, arena, &n);
    for (size_t start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && all[end].name == all[start].name &&
                              lg_str_eq(all[end].key, all[start].key);)
            end++;
        if (!group_can_hold(&all[start], end - start, io_budget)) {
            *ret_key = all[start].key;
            return false;
        }
    }
    return true;
}

bool lg_terms_can_hold(const struct lg_requirements *req, struct lg_arena *arena,
                       struct lg_str *ret_key)
{
    size_t budget = BUDGET_MAX;
    for (size_t i = 0; i < req->n_terms; i++)
        if (term_can_hold(req, &req->terms[i], arena, &budget, ret_key))
            return true;
    return false;
}
