/* Any bytes as a policy file: reading never crashes; what is refused is refused with its place;
 * what is accepted can be resolved and explained. */
#include <assert.h>
#include <stdint.h>

#include "rules/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct lg_policy *policy)
{
    static const char *const namespaces[] = {"", "shop", "dev-1"};
    for (size_t n = 0; n < sizeof namespaces / sizeof *namespaces; n++) {
        struct lg_policy_stalls stalls = {0};
        struct lg_policy_view view =
            lg_policy_view(policy, lg_str_of(namespaces[n]), NULL, &stalls);
        for (size_t i = 0; lg_rules[i] != NULL; i++) {
            assert(view.actions[i] <= LG_ACTION_DENY);
            assert((view.params[i] != NULL) == (lg_rules[i]->params != NULL));
        }
    }
    struct lg_arena arena;
    struct lg_policy_stalls stalls = {0};
    lg_arena_init(&arena);
    (void)lg_policy_excuses(policy, LG_STR("shop"), LG_STR("db-1"), 1764000000, &arena, &stalls);
    assert(stalls.n <= LG_POLICY_STALLS_MAX);
    lg_arena_done(&arena);
    assert(lg_policy_exempted(policy, lg_policy_exempt(policy, LG_STR("robot"), LG_NONE), 0,
                              LG_ACTION_WARN, NULL) <= LG_ACTION_WARN);
    struct lg_buf out = {0};
    lg_policy_describe(policy, 1764000000, &out);
    assert(out.n != 0);
    lg_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lg_policy *policy = NULL;
    struct lg_err err = {0};
    enum lg_err_code code =
        lg_policy_parse((struct lg_str){(const char *)data, size}, "policy.yaml", &policy, &err);
    if (code == LG_E_OK) {
        use(policy);
        lg_policy_unref(policy);
    } else {
        assert(policy == NULL && code == err.code && err.text[0] != '\0');
        assert(lg_str_starts(lg_str_of(err.where), "policy.yaml"));
    }
    return 0;
}
