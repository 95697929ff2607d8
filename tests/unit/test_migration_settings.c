#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/inventory.h"
#include "tests/support/objects.h"

static struct lg_objects objects;

LG_DEFINE_CLEANUP(struct lg_inventory, lg_inventory_free)

#define KUBEVIRT(migrations)                                                                       \
    "{'apiVersion':'kubevirt.io/v1','kind':'KubeVirt','metadata':{'name':'kv','namespace':'cnv'}," \
    "'spec':{'configuration':{" migrations "}}}"
#define HCO_OLD(config, status)                                                                    \
    "{'apiVersion':'hco.kubevirt.io/v1beta1','kind':'HyperConverged','metadata':{'name':'hco',"    \
    "'namespace':'cnv'},'spec':{" config "}" status "}"
#define VERSIONS(version)                                                                          \
    ",'status':{'versions':[{'name':'x','version':'7.1'},"                                         \
    "{'name':'operator','version':'" version "'}]}"

static void assert_value(const struct lg_migration_settings *settings, enum lg_migration_key key,
                         int64_t value, const char *source)
{
    const struct lg_migration_value *is = &settings->of[key];
    if (is->value != value || !lg_str_is(is->source, source))
        fail_msg("%s is %jd (%.*s), not %jd (%s)", lg_migration_key_name(key), (intmax_t)is->value,
                 LG_ARG(is->source), (intmax_t)value, source);
}

static struct lg_migration_settings read(const char *kubevirt, const char *hyperconverged)
{
    struct lg_inventory *inv lg_cleanup(lg_inventory_free_cleanup) = lg_inventory_new();
    if (kubevirt != NULL)
        lg_inventory_set(inv, lg_objects_record(&objects, kubevirt));
    if (hyperconverged != NULL)
        lg_inventory_set(inv, lg_objects_record(&objects, hyperconverged));
    struct lg_migration_settings settings = lg_inventory_settings(inv)->migrations;
    for (int key = 0; key < LG_MIGRATION_KEYS; key++)
        settings.of[key].source = lg_arena_str(&objects.arena, settings.of[key].source);
    return settings;
}

static void assert_all(const struct lg_migration_settings *settings, const int64_t *values,
                       const char *source)
{
    for (int key = 0; key < LG_MIGRATION_KEYS; key++)
        assert_value(settings, key, values[key], source);
}

static void each_owner_has_its_defaults(void **state)
{
    (void)state;
    struct lg_migration_settings settings = read(NULL, NULL);
    assert_all(&settings, (const int64_t[]){5, 2, 67108864, 800, 150, 0, 0, 0},
               "the documented default of OpenShift Virtualization 4.14");
    settings = read(KUBEVIRT(""), HCO_OLD("'liveMigrationConfig':{'progressTimeout':7}", ""));
    assert_all(&settings, (const int64_t[]){5, 2, 0, 150, 150, 0, 0, 0}, "KubeVirt's default");
    settings = read(NULL, HCO_OLD("", ""));
    assert_all(&settings, (const int64_t[]){5, 2, 0, 150, 150, 0, 0, 0},
               "HyperConverged's default up to 1.18");
    static const int64_t new_values[] = {5, 1, 0, 20, 150, 0, 0, 0};
    settings = read(NULL, "{'apiVersion':'hco.kubevirt.io/v1','kind':'HyperConverged','metadata':"
                          "{'name':'hco'},'spec':{'virtualization':{}}}");
    assert_all(&settings, new_values, "HyperConverged's default since 1.19");
}

static void hyperconverged_says_which_defaults_it_has(void **state)
{
    (void)state;
    static const struct {
        const char *object;
        int64_t outbound;
    } rows[] = {
        {HCO_OLD("", VERSIONS("1.18.4")), 2},
        {HCO_OLD("", VERSIONS("1.19.0")), 1},
        {HCO_OLD("", VERSIONS("v1.20.1")), 1},
        {HCO_OLD("", VERSIONS("4.22.3")), 2},
        {HCO_OLD("", VERSIONS("4.23.0")), 1},
        {HCO_OLD("", VERSIONS("latest")), 2},
        {HCO_OLD("", VERSIONS("1.")), 2},
        {HCO_OLD("", VERSIONS("")), 2},
        {HCO_OLD("'virtualization':{}", VERSIONS("1.18.0")), 2},
        {HCO_OLD("'virtualization':{}", VERSIONS("x")), 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_migration_settings settings = read(NULL, rows[i].object);
        if (settings.of[LG_MIGRATION_PARALLEL_OUTBOUND].value != rows[i].outbound)
            fail_msg("row %zu", i);
    }
}

static void what_a_cr_says_counts_and_names_it(void **state)
{
    (void)state;
    struct lg_migration_settings settings = read(
        KUBEVIRT("'migrations':{'parallelMigrationsPerCluster':0,'bandwidthPerMigration':'64Mi',"
                 "'completionTimeoutPerGiB':800,'allowPostCopy':true,'allowAutoConverge':true}"),
        NULL);
    assert_value(&settings, LG_MIGRATION_PARALLEL_CLUSTER, 0, "KubeVirt cnv/kv");
    assert_value(&settings, LG_MIGRATION_PARALLEL_OUTBOUND, 2, "KubeVirt's default");
    assert_value(&settings, LG_MIGRATION_BANDWIDTH, 67108864, "KubeVirt cnv/kv");
    assert_value(&settings, LG_MIGRATION_COMPLETION_TIMEOUT, 800, "KubeVirt cnv/kv");
    assert_value(&settings, LG_MIGRATION_POST_COPY, 1, "KubeVirt cnv/kv");
    assert_value(&settings, LG_MIGRATION_AUTO_CONVERGE, 1, "KubeVirt cnv/kv");
    /* It follows allowPostCopy, and only until it is set. */
    assert_value(&settings, LG_MIGRATION_WORKLOAD_DISRUPTION, 1, "KubeVirt's default");
    settings = read(NULL, HCO_OLD("'liveMigrationConfig':{'parallelOutboundMigrationsPerNode':9,"
                                  "'allowPostCopy':true,'allowWorkloadDisruption':false}",
                                  ""));
    assert_value(&settings, LG_MIGRATION_PARALLEL_OUTBOUND, 9, "HyperConverged cnv/hco");
    assert_value(&settings, LG_MIGRATION_WORKLOAD_DISRUPTION, 0, "HyperConverged cnv/hco");
    settings = read(NULL, HCO_OLD("'virtualization':{'liveMigrationConfig':"
                                  "{'parallelMigrationsPerCluster':11,'allowPostCopy':true}}",
                                  ""));
    assert_value(&settings, LG_MIGRATION_PARALLEL_CLUSTER, 11, "HyperConverged cnv/hco");
    /* HyperConverged 1.19 writes an explicit false: post-copy alone is not enough there. */
    assert_value(&settings, LG_MIGRATION_WORKLOAD_DISRUPTION, 0,
                 "HyperConverged's default since 1.19");
}

static void what_cannot_be_read_falls_back_and_says_so(void **state)
{
    (void)state;
    struct lg_migration_settings settings = read(
        KUBEVIRT("'migrations':{'parallelMigrationsPerCluster':'5',"
                 "'parallelOutboundMigrationsPerNode':4294967296,'bandwidthPerMigration':'fast',"
                 "'completionTimeoutPerGiB':-1,'progressTimeout':1.5,'allowPostCopy':'yes'}"),
        NULL);
    const char *source = "KubeVirt's default, since what KubeVirt cnv/kv says cannot be read";
    static const int64_t values[] = {5, 2, 0, 150, 150, 0, 0};
    for (int key = 0; key <= LG_MIGRATION_POST_COPY; key++) {
        if (key != LG_MIGRATION_AUTO_CONVERGE)
            assert_value(&settings, key, values[key], source);
    }
    settings = read(KUBEVIRT("'migrations':{'bandwidthPerMigration':'-1Mi'}"), NULL);
    assert_value(&settings, LG_MIGRATION_BANDWIDTH, 0, source);
    settings = read(KUBEVIRT("'migrations':[1]"), NULL);
    assert_value(&settings, LG_MIGRATION_BANDWIDTH, 0, "KubeVirt's default");
}

static void a_key_that_is_deleted_is_back_at_its_default_at_once(void **state)
{
    (void)state;
    struct lg_inventory *inv lg_cleanup(lg_inventory_free_cleanup) = lg_inventory_new();
    lg_inventory_set(inv,
                     lg_objects_record(&objects, KUBEVIRT("'migrations':{"
                                                          "'parallelMigrationsPerCluster':9}")));
    assert_value(&lg_inventory_settings(inv)->migrations, LG_MIGRATION_PARALLEL_CLUSTER, 9,
                 "KubeVirt cnv/kv");
    lg_inventory_set(inv, lg_objects_record(&objects, KUBEVIRT("'migrations':{}")));
    assert_value(&lg_inventory_settings(inv)->migrations, LG_MIGRATION_PARALLEL_CLUSTER, 5,
                 "KubeVirt's default");
    lg_inventory_remove(inv, LG_KIND_KUBEVIRT, LG_STR("cnv"), LG_STR("kv"));
    assert_value(&lg_inventory_settings(inv)->migrations, LG_MIGRATION_BANDWIDTH, 67108864,
                 "the documented default of OpenShift Virtualization 4.14");
}

/* --- MigrationPolicy --- */

#define POLICY(name, selectors, more)                                                              \
    "{'apiVersion':'migrations.kubevirt.io/v1alpha1','kind':'MigrationPolicy','metadata':"         \
    "{'name':'" name "'},'spec':{" selectors more "}}"
#define SELECT(ns, guest)                                                                          \
    "'selectors':{'namespaceSelector':{" ns "},'virtualMachineInstanceSelector':{" guest "}}"
#define NAMESPACE                                                                                  \
    "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'web','labels':{'env':'prod','team'" \
    ":'a'}}}"
#define GUEST(labels)                                                                              \
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{'name':'db',"      \
    "'namespace':'web','labels':{" labels "}}}"

/* Which of these policies (NULL-terminated) a guest gets: "" = none. */
static const char *chosen(const char *guest, const char *const *policies)
{
    static char name[64];
    struct lg_inventory *inv lg_cleanup(lg_inventory_free_cleanup) = lg_inventory_new();
    lg_inventory_set(inv, lg_objects_record(&objects, NAMESPACE));
    lg_inventory_set(inv, lg_objects_record(&objects, guest));
    for (; *policies != NULL; policies++)
        lg_inventory_set(inv, lg_objects_record(&objects, *policies));
    lg_inventory_set_known(inv, LG_KIND_MIGRATION_POLICY, LG_KNOWN);
    const struct lg_vmi_record *vmi = NULL;
    assert_int_equal(lg_inventory_vmi(inv, LG_STR("web"), LG_STR("db"), &vmi), LG_FOUND);
    struct lg_migration_settings settings;
    assert_int_equal(lg_inventory_migration_settings(inv, vmi, &objects.arena, &settings),
                     LG_FOUND);
    struct lg_str source = settings.of[LG_MIGRATION_COMPLETION_TIMEOUT].source;
    snprintf(name, sizeof name, "%.*s", LG_ARG(source));
    return lg_str_starts(source, "MigrationPolicy ") ? name + strlen("MigrationPolicy ") : "";
}

#define TIMEOUT ",'completionTimeoutPerGiB':7"

static void the_policy_with_most_matching_labels_counts(void **state)
{
    (void)state;
    static const char guest[] = GUEST("'app':'db','tier':'x'");
    static const struct {
        const char *policies[4];
        const char *expected;
    } rows[] = {
        {{NULL}, ""},
        {{POLICY("none", "", "'completionTimeoutPerGiB':7"), NULL}, ""},
        {{POLICY("all", "'selectors':{}", TIMEOUT), NULL}, "all"},
        {{POLICY("other", SELECT("", "'app':'web'"), TIMEOUT), NULL}, ""},
        {{POLICY("other", SELECT("'env':'dev'", "'app':'db'"), TIMEOUT), NULL}, ""},
        {{POLICY("all", "'selectors':{}", TIMEOUT),
          POLICY("ns", SELECT("'env':'prod'", ""), TIMEOUT), NULL},
         "ns"},
        {{POLICY("a-ns", SELECT("'env':'prod'", ""), TIMEOUT),
          POLICY("b-guest", SELECT("", "'app':'db'"), TIMEOUT), NULL},
         "b-guest"},
        {{POLICY("two", SELECT("'env':'prod','team':'a'", ""), TIMEOUT),
          POLICY("one", SELECT("", "'app':'db'"), TIMEOUT), NULL},
         "two"},
        {{POLICY("b", SELECT("", "'app':'db'"), TIMEOUT),
          POLICY("a", SELECT("", "'tier':'x'"), TIMEOUT),
          POLICY("c", SELECT("", "'tier':'x'"), TIMEOUT), NULL},
         "a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name = chosen(guest, rows[i].policies);
        if (strcmp(name, rows[i].expected) != 0)
            fail_msg("row %zu: \"%s\" is not \"%s\"", i, name, rows[i].expected);
    }
}

static void a_guest_without_labels_matches_any_policy_with_selectors(void **state)
{
    (void)state;
    const char *const policies[] = {POLICY("none", "", "'completionTimeoutPerGiB':7"),
                                    POLICY("b", SELECT("'env':'dev'", "'app':'web'"), TIMEOUT),
                                    POLICY("c", "'selectors':{}", TIMEOUT), NULL};
    assert_string_equal(chosen(GUEST(""), policies), "b");
}

static void a_policy_changes_only_what_it_can_say(void **state)
{
    (void)state;
    struct lg_inventory *inv lg_cleanup(lg_inventory_free_cleanup) = lg_inventory_new();
    lg_inventory_set(inv,
                     lg_objects_record(&objects, KUBEVIRT("'migrations':{"
                                                          "'allowWorkloadDisruption':false}")));
    lg_inventory_set(inv, lg_objects_record(&objects, NAMESPACE));
    lg_inventory_set(inv, lg_objects_record(&objects, GUEST("'app':'db'")));
    lg_inventory_set(
        inv,
        lg_objects_record(&objects, POLICY("fast", "'selectors':{}",
                                           ",'bandwidthPerMigration':'1Gi','allowPostCopy':true,"
                                           "'parallelMigrationsPerCluster':99,'progressTimeout':1,"
                                           "'completionTimeoutPerGiB':'x'")));
    lg_inventory_set_known(inv, LG_KIND_MIGRATION_POLICY, LG_KNOWN);
    const struct lg_vmi_record *vmi = NULL;
    assert_int_equal(lg_inventory_vmi(inv, LG_STR("web"), LG_STR("db"), &vmi), LG_FOUND);
    struct lg_migration_settings settings;
    assert_int_equal(lg_inventory_migration_settings(inv, vmi, &objects.arena, &settings),
                     LG_FOUND);
    assert_value(&settings, LG_MIGRATION_PARALLEL_CLUSTER, 5, "KubeVirt's default");
    assert_value(&settings, LG_MIGRATION_PROGRESS_TIMEOUT, 150, "KubeVirt's default");
    assert_value(&settings, LG_MIGRATION_BANDWIDTH, 1073741824, "MigrationPolicy fast");
    assert_value(&settings, LG_MIGRATION_POST_COPY, 1, "MigrationPolicy fast");
    assert_value(&settings, LG_MIGRATION_WORKLOAD_DISRUPTION, 1, "MigrationPolicy fast");
    assert_value(&settings, LG_MIGRATION_AUTO_CONVERGE, 0, "KubeVirt's default");
    assert_value(&settings, LG_MIGRATION_COMPLETION_TIMEOUT, 150,
                 "KubeVirt's default, since what MigrationPolicy fast says cannot be read");
}

static void unknown_policies_or_labels_are_said(void **state)
{
    (void)state;
    struct lg_inventory *inv lg_cleanup(lg_inventory_free_cleanup) = lg_inventory_new();
    lg_inventory_set(inv, lg_objects_record(&objects, GUEST("'app':'db'")));
    const struct lg_vmi_record *vmi = NULL;
    assert_int_equal(lg_inventory_vmi(inv, LG_STR("web"), LG_STR("db"), &vmi), LG_FOUND);
    static const struct {
        enum lg_known policies, namespaces;
        bool policy, ns;
        enum lg_lookup expected;
    } rows[] = {
        {LG_NOT_GIVEN, LG_KNOWN, false, false, LG_UNKNOWN},
        {LG_FORBIDDEN, LG_KNOWN, false, false, LG_UNKNOWN},
        {LG_NOT_SYNCED, LG_KNOWN, false, false, LG_UNKNOWN},
        {LG_NOT_SERVED, LG_NOT_GIVEN, false, false, LG_FOUND},
        {LG_KNOWN, LG_NOT_GIVEN, false, false, LG_FOUND},
        {LG_KNOWN, LG_NOT_GIVEN, true, false, LG_UNKNOWN},
        {LG_KNOWN, LG_NOT_GIVEN, true, true, LG_FOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lg_inventory_set_known(inv, LG_KIND_MIGRATION_POLICY, rows[i].policies);
        lg_inventory_set_known(inv, LG_KIND_NAMESPACE, rows[i].namespaces);
        if (rows[i].policy)
            lg_inventory_set(inv,
                             lg_objects_record(&objects, POLICY("all", "'selectors':{}", TIMEOUT)));
        if (rows[i].ns)
            lg_inventory_set(inv, lg_objects_record(&objects, NAMESPACE));
        struct lg_migration_settings settings;
        if (lg_inventory_migration_settings(inv, vmi, &objects.arena, &settings) !=
            rows[i].expected)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
#define TEST(name) LG_OBJECTS_TEST(name, &objects)
    const struct CMUnitTest tests[] = {
        TEST(each_owner_has_its_defaults),
        TEST(hyperconverged_says_which_defaults_it_has),
        TEST(what_a_cr_says_counts_and_names_it),
        TEST(what_cannot_be_read_falls_back_and_says_so),
        TEST(a_key_that_is_deleted_is_back_at_its_default_at_once),
        TEST(the_policy_with_most_matching_labels_counts),
        TEST(a_guest_without_labels_matches_any_policy_with_selectors),
        TEST(a_policy_changes_only_what_it_can_say),
        TEST(unknown_policies_or_labels_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
