#include "rules/virt/eviction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/objects.h"

enum cluster { NOTHING, KUBEVIRT_UNSET, KUBEVIRT_NONE, KUBEVIRT_MIGRATES, HYPERCONVERGED };

/* What of the cluster's configuration is known. */
static struct lg_settings settings_of(enum cluster cluster)
{
    static const char *const strategies[] = {"", "", "None", "LiveMigrate", "LiveMigrate"};
    return (struct lg_settings){.known = cluster >= KUBEVIRT_UNSET && cluster <= KUBEVIRT_MIGRATES,
                                .eviction_strategy = lg_str_of(strategies[cluster])};
}

static void the_own_word_goes_before_the_clusters(void **state)
{
    (void)state;
    static const struct {
        enum lg_kind kind;
        const char *spec;
        enum cluster cluster;
        const char *strategy;
        enum lg_eviction_from from;
        bool at;
    } rows[] = {
        {LG_KIND_VM, "{'evictionStrategy':'None'}", KUBEVIRT_MIGRATES, "None", LG_EVICTION_OWN,
         true},
        {LG_KIND_VM, "{'evictionStrategy':'None'}", KUBEVIRT_NONE, "None", LG_EVICTION_OWN, true},
        {LG_KIND_VM, "{'evictionStrategy':'External'}", NOTHING, "External", LG_EVICTION_OWN, true},
        {LG_KIND_VM, "{}", KUBEVIRT_MIGRATES, "LiveMigrate", LG_EVICTION_KUBEVIRT, false},
        {LG_KIND_VM, "{}", KUBEVIRT_UNSET, "None", LG_EVICTION_KUBEVIRT, false},
        {LG_KIND_VM, "{'evictionStrategy':null}", HYPERCONVERGED, "LiveMigrate",
         LG_EVICTION_HYPERCONVERGED, false},
        {LG_KIND_VM, "{'evictionStrategy':''}", NOTHING, "", LG_EVICTION_UNKNOWN, false},
        {LG_KIND_VMI, "{'evictionStrategy':'LiveMigrate'}", KUBEVIRT_MIGRATES, "LiveMigrate",
         LG_EVICTION_KUBEVIRT, true},
        {LG_KIND_VMI, "{'evictionStrategy':'None'}", KUBEVIRT_UNSET, "None", LG_EVICTION_KUBEVIRT,
         true},
        {LG_KIND_VMI, "{'evictionStrategy':'None'}", KUBEVIRT_MIGRATES, "None", LG_EVICTION_OWN,
         true},
        {LG_KIND_VMI, "{'evictionStrategy':'None'}", NOTHING, "None", LG_EVICTION_OWN, true},
    };
    struct lg_objects objects;
    lg_objects_init(&objects);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct lg_vm vm = {.kind = rows[i].kind,
                                 .spec = lg_objects_parse(&objects, rows[i].spec)};
        const struct lg_settings settings = settings_of(rows[i].cluster);
        struct lg_eviction eviction = lg_eviction_of(&vm, &settings);
        if (!lg_str_is(eviction.strategy, rows[i].strategy) || eviction.from != rows[i].from ||
            lg_json_there(eviction.at) != rows[i].at)
            fail_msg("row %zu: %.*s from %d", i, LG_ARG(eviction.strategy), eviction.from);
    }
    lg_objects_done(&objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_own_word_goes_before_the_clusters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
