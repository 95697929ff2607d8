#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/virt/settings.h"
#include "tests/support/objects.h"

static struct lg_objects objects;

static int setup(void **state)
{
    (void)state;
    lg_objects_init(&objects);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_objects_done(&objects);
    return 0;
}

static void assert_str(struct lg_str s, const char *expected)
{
    if (!lg_str_is(s, expected))
        fail_msg("\"%.*s\" is not \"%s\"", LG_ARG(s), expected);
}

static const struct lg_settings *read(const char *kubevirt, const char *hyperconverged)
{
    struct lg_record *kv = kubevirt != NULL ? lg_objects_record(&objects, kubevirt) : NULL;
    struct lg_record *hco =
        hyperconverged != NULL ? lg_objects_record(&objects, hyperconverged) : NULL;
    const struct lg_settings *settings = lg_settings_read(
        (const struct lg_config_record *)kv, (const struct lg_config_record *)hco, &objects.arena);
    /* Settings outlive the records they came from. */
    lg_record_unref(kv);
    lg_record_unref(hco);
    return settings;
}

#define KUBEVIRT(rest)                                                                             \
    "{'apiVersion':'kubevirt.io/v1','kind':'KubeVirt','metadata':{'name':'kv','namespace':"        \
    "'openshift-cnv'}" rest "}"
#define HYPERCONVERGED(rest)                                                                       \
    "{'apiVersion':'hco.kubevirt.io/v1beta1','kind':'HyperConverged','metadata':{'name':'hco',"    \
    "'namespace':'openshift-cnv'}" rest "}"

static void without_any_configuration_kubevirts_defaults_stand(void **state)
{
    (void)state;
    const struct lg_settings *settings = read(NULL, NULL);
    assert_false(settings->known);
    assert_int_equal(settings->version, LG_KUBEVIRT_NEWEST);
    assert_false(settings->version_known);
    assert_str(settings->default_interface, "bridge");
    assert_true(settings->permit_bridge_on_pod_network);
    assert_int_equal(settings->n_bindings, 0);
    assert_str(settings->default_architecture, "amd64");
    assert_int_equal(settings->node_selectors.n, 0);
    assert_str(settings->eviction_strategy, "");
    assert_true(settings->highly_available);
    assert_str(settings->ns, "");
}

static void an_empty_kubevirt_has_the_same_defaults(void **state)
{
    (void)state;
    const struct lg_settings *settings = read(KUBEVIRT(""), NULL);
    assert_true(settings->known);
    assert_false(settings->version_known);
    assert_str(settings->default_interface, "bridge");
    assert_true(settings->permit_bridge_on_pod_network);
    assert_str(settings->default_architecture, "amd64");
    assert_str(settings->ns, "openshift-cnv");
}

static void what_kubevirt_says_is_read(void **state)
{
    (void)state;
    const struct lg_settings *settings = read(
        KUBEVIRT(",'spec':{'configuration':{'network':{'defaultNetworkInterface':'masquerade',"
                 "'permitBridgeInterfaceOnPodNetwork':false,'binding':{'l2bridge':{'migration':{}},"
                 "'passt':{'sidecarImage':'x'},'none':null,'managed':{'migration':"
                 "{'method':'link-refresh'}}}},'evictionStrategy':'LiveMigrate',"
                 "'architectureConfiguration':{'defaultArchitecture':'arm64'},"
                 "'developerConfiguration':{'nodeSelectors':{'b':'2','a':'1'}}}},"
                 "'status':{'observedKubeVirtVersion':'v1.6.6','defaultArchitecture':'s390x'}"),
        HYPERCONVERGED(",'spec':{'evictionStrategy':'None'},"
                       "'status':{'infrastructureHighlyAvailable':false}"));
    assert_true(settings->known);
    assert_int_equal(settings->version, 106);
    assert_true(settings->version_known);
    assert_str(settings->default_interface, "masquerade");
    assert_false(settings->permit_bridge_on_pod_network);
    assert_int_equal(settings->n_bindings, 4);
    static const struct lg_binding expected[] = {
        {LG_STR("l2bridge"), true},
        {LG_STR("passt"), false},
        {LG_STR("none"), false},
        {LG_STR("managed"), true},
    };
    for (int i = 0; i < 4; i++) {
        assert_true(lg_str_eq(settings->bindings[i].name, expected[i].name));
        assert_int_equal(settings->bindings[i].migratable, expected[i].migratable);
    }
    assert_str(settings->default_architecture, "arm64");
    assert_int_equal(settings->node_selectors.n, 2);
    assert_str(settings->node_selectors.items[0].key, "a");
    assert_str(settings->node_selectors.items[1].value, "2");
    assert_str(settings->eviction_strategy, "LiveMigrate");
    assert_false(settings->highly_available);
}

static void hyperconverged_alone_says_what_it_would_configure(void **state)
{
    (void)state;
    const struct lg_settings *settings = read(NULL, HYPERCONVERGED(""));
    assert_false(settings->known);
    assert_str(settings->default_interface, "masquerade");
    assert_int_equal(settings->n_bindings, 1);
    assert_str(settings->bindings[0].name, "l2bridge");
    assert_true(settings->bindings[0].migratable);
    assert_str(settings->eviction_strategy, "LiveMigrate");
    assert_str(settings->ns, "openshift-cnv");
    settings = read(NULL, HYPERCONVERGED(",'status':{'infrastructureHighlyAvailable':false}"));
    assert_str(settings->eviction_strategy, "None");
    assert_false(settings->highly_available);
    settings = read(NULL, HYPERCONVERGED(",'spec':{'evictionStrategy':'External'}"));
    assert_str(settings->eviction_strategy, "External");
    settings = read(NULL, "{'apiVersion':'hco.kubevirt.io/v1','kind':'HyperConverged','metadata':"
                          "{'name':'hco'},'spec':{'virtualization':{'evictionStrategy':"
                          "'LiveMigrateIfPossible'}}}");
    assert_str(settings->eviction_strategy, "LiveMigrateIfPossible");
}

static void versions_are_read_in_every_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int version; /* 0: not known */
    } rows[] = {
        {"v1.9.0", 109},
        {"1.6.6-92.g1234abc.el9", 106},
        {"v1.10.0-alpha.0", 110},
        {"v0.59.2", 0},
        {"v1.2", 102},
        {"v1.2+build", 102},
        {"v2.0.0", 200},
        {"", 0},
        {"latest", 0},
        {"v1", 0},
        {"v1.", 0},
        {"v.1", 0},
        {"vv1.2", 0},
        {"1.9x", 0},
        {"sha256:1.9.0", 0},
        {"v1.100.0", 0},
        {"v99999999999.1", 0},
        {"1.99999999999", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        snprintf(text, sizeof text, KUBEVIRT(",'status':{'observedKubeVirtVersion':'%s'}"),
                 rows[i].text);
        const struct lg_settings *settings = read(text, NULL);
        int expected = rows[i].version != 0 ? rows[i].version : LG_KUBEVIRT_NEWEST;
        if (settings->version != expected || settings->version_known != (rows[i].version != 0))
            fail_msg("%s: %d", rows[i].text, settings->version);
    }
}

static void wrong_types_fall_back_to_defaults(void **state)
{
    (void)state;
    const struct lg_settings *settings =
        read(KUBEVIRT(",'spec':{'configuration':{'network':{'defaultNetworkInterface':7,"
                      "'binding':[{'migration':{}}],'permitBridgeInterfaceOnPodNetwork':'no'},"
                      "'evictionStrategy':[],'developerConfiguration':7}},"
                      "'status':{'observedKubeVirtVersion':9}"),
             NULL);
    assert_str(settings->default_interface, "bridge");
    assert_int_equal(settings->n_bindings, 0);
    assert_true(settings->permit_bridge_on_pod_network);
    assert_str(settings->eviction_strategy, "");
    assert_false(settings->version_known);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(without_any_configuration_kubevirts_defaults_stand),
        TEST(an_empty_kubevirt_has_the_same_defaults),
        TEST(what_kubevirt_says_is_read),
        TEST(hyperconverged_alone_says_what_it_would_configure),
        TEST(versions_are_read_in_every_spelling),
        TEST(wrong_types_fall_back_to_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
